# Effects of the variables, with a mocked provider: `make test-config`.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "prod"
}

run "defaults_are_protected" {
  command = plan

  assert {
    condition = alltrue([
      for table in [aws_dynamodb_table.events, aws_dynamodb_table.rejected, aws_dynamodb_table.duplicates] :
      table.deletion_protection_enabled && table.point_in_time_recovery[0].enabled
    ])
    error_message = "A table may be deleted, or cannot be restored."
  }

  assert {
    condition     = !aws_s3_bucket.payloads.force_destroy && !aws_s3_bucket.archive[0].force_destroy
    error_message = "A bucket is emptied on destroy."
  }

  assert {
    condition     = contains(keys(aws_sqs_queue_policy.each), "events")
    error_message = "The queue takes plain HTTP."
  }

  assert {
    condition     = length(aws_glue_catalog_database.archive) == 0
    error_message = "Athena's resources are made without being asked for."
  }
}

run "what_is_thrown_away_is_not_protected" {
  command = plan

  variables {
    deletion_protection    = false
    point_in_time_recovery = false
  }

  assert {
    condition = !anytrue([
      for table in [aws_dynamodb_table.events, aws_dynamodb_table.rejected, aws_dynamodb_table.duplicates] :
      table.deletion_protection_enabled || table.point_in_time_recovery[0].enabled
    ])
    error_message = "A table is still protected."
  }

  assert {
    condition     = aws_s3_bucket.payloads.force_destroy && aws_s3_bucket.archive[0].force_destroy
    error_message = "A bucket that holds something refuses to go."
  }
}

run "visibility_is_six_timeouts_and_the_window" {
  command = plan

  variables {
    function_timeout = 40
    batching_window  = 5
    batch_size       = 100
  }

  assert {
    condition     = aws_sqs_queue.events.visibility_timeout_seconds == 245
    error_message = "visibility_timeout_seconds is ${aws_sqs_queue.events.visibility_timeout_seconds}."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.pipeline["function_duration"].threshold == 32000
    error_message = "The alarm of the duration is at ${aws_cloudwatch_metric_alarm.pipeline["function_duration"].threshold} ms."
  }

  assert {
    condition = (aws_lambda_event_source_mapping.events.batch_size == 100
    && aws_lambda_event_source_mapping.events.maximum_batching_window_in_seconds == 5)
    error_message = "The mapping does not gather batches as it is told to."
  }
}

run "the_queue_feeds_the_function_as_it_is_told_to" {
  command = plan

  variables {
    maximum_concurrency = 7
    max_receive_count   = 3
  }

  assert {
    condition     = aws_lambda_event_source_mapping.events.scaling_config[0].maximum_concurrency == 7
    error_message = "More invocations may run at once than is said."
  }
}

run "logs_are_kept_as_long_as_is_said" {
  command = plan

  variables {
    log_retention_days = 7
  }

  assert {
    condition = (aws_cloudwatch_log_group.processor.retention_in_days == 7
    && aws_cloudwatch_log_group.archiver[0].retention_in_days == 7)
    error_message = "A log is kept for another time."
  }
}

run "each_address_gets_its_mails" {
  command = plan

  variables {
    alert_emails = ["a@example.com", "b@example.com"]
    ops_emails   = ["c@example.com"]
  }

  assert {
    condition = (toset(keys(aws_sns_topic_subscription.alerts)) == toset(["a@example.com", "b@example.com"])
    && keys(aws_sns_topic_subscription.ops) == ["c@example.com"])
    error_message = "Another address is subscribed, or one is not."
  }
}

run "a_receiver_gets_what_it_asks_for" {
  command = plan

  variables {
    alert_subscriptions = {
      phone = { protocol = "sms", endpoint = "+4915112345678" }
      pager = { protocol = "https", endpoint = "https://a.example/x", topic = "ops" }
    }
  }

  assert {
    condition     = jsondecode(aws_sns_topic_subscription.alerts["phone"].filter_policy) == { alert_type = ["large_order"] }
    error_message = "An SMS is sent for more than large orders."
  }

  assert {
    condition     = length(aws_sqs_queue.undelivered_alerts) == 1 && keys(aws_sns_topic_subscription.ops) == ["pager"]
    error_message = "What the pager does not accept is lost."
  }
}

run "a_key_of_the_account_encrypts_what_is_stored" {
  command = plan

  variables {
    kms_key_arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
  }

  assert {
    condition = (aws_sqs_queue.events.kms_master_key_id == var.kms_key_arn
      && aws_sns_topic.alerts.kms_master_key_id == var.kms_key_arn
      && aws_dynamodb_table.events.server_side_encryption[0].kms_key_arn == var.kms_key_arn
    && aws_cloudwatch_log_group.processor.kms_key_id == var.kms_key_arn)
    error_message = "Something has another key."
  }
}

run "pollers_are_kept_ready_instead_of_limiting_concurrency" {
  command = plan

  variables {
    maximum_concurrency = 0
    provisioned_pollers = { min = 2, max = 20 }
  }

  assert {
    condition = (length(aws_lambda_event_source_mapping.events.scaling_config) == 0
    && aws_lambda_event_source_mapping.events.provisioned_poller_config[0].maximum_pollers == 20)
    error_message = "The queue has both, or no pollers."
  }
}

run "the_alarms_follow_their_variables" {
  command = plan

  variables {
    oldest_message_seconds = 120
    backlog_minutes        = 30
    rejection_rate_percent = 9
    archive_age_minutes    = 20
    large_orders_per_hour  = { fewest = 1, most = 50 }
  }

  assert {
    condition = (aws_cloudwatch_metric_alarm.pipeline["oldest_message"].threshold == 120
      && aws_cloudwatch_metric_alarm.pipeline["backlog_growing"].evaluation_periods == 6
      && aws_cloudwatch_metric_alarm.pipeline["rejection_rate"].threshold == 9
    && aws_cloudwatch_metric_alarm.pipeline["archiver_behind"].threshold == 1200000)
    error_message = "An alarm is raised by another figure than its variable."
  }

  assert {
    condition = (aws_cloudwatch_metric_alarm.large_orders.threshold == 0
    && aws_cloudwatch_metric_alarm.large_orders.treat_missing_data == "breaching")
    error_message = "An hour without large orders raises no alarm."
  }
}

run "plain_http_is_for_emulators" {
  command = plan

  variables {
    refuse_plain_http = false
  }

  assert {
    condition     = length(aws_sqs_queue_policy.each) + length(aws_s3_bucket_policy.each) == 0
    error_message = "A policy refuses plain HTTP."
  }
}

run "without_an_archive_nothing_of_it_is_made" {
  command = plan

  variables {
    archive = false
  }

  assert {
    condition = (length(aws_lambda_function.archiver) + length(aws_s3_bucket.archive)
    + length(aws_lambda_event_source_mapping.archive) + length(aws_sqs_queue.archive_failures)) == 0
    error_message = "Something of the archive is left."
  }

  assert {
    condition     = !aws_dynamodb_table.events.stream_enabled
    error_message = "The stream is on and nobody reads it."
  }
}

run "athena_queries_the_archive" {
  command = plan

  variables {
    athena               = true
    athena_scan_limit_gb = 2
  }

  assert {
    condition     = aws_athena_workgroup.archive[0].configuration[0].bytes_scanned_cutoff_per_query == 2147483648
    error_message = "A query may read more than is said."
  }

  assert {
    condition     = length(aws_glue_catalog_table.archive_lines) + length(aws_glue_catalog_table.archive_views) == 6
    error_message = "A table or a view is missing."
  }
}

run "all_of_it_applies_to_the_mock" {
  command = apply

  assert {
    condition     = output.function_name == "rt-pipeline-prod-processor"
    error_message = output.function_name
  }
}
