# Each validation of variables.tf refuses a bad value. tests/infrastructure/test_variables.py tests more values
# without a provider; tests/infrastructure/test_terraform_tests.py finds validations that are missing here.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  environment = "prod"
}

run "refuses_a_name_and_a_place" {
  command = plan

  variables {
    name_prefix          = "2a"
    region               = "us-east"
    allowed_account_ids  = ["12345678901"]
    permissions_boundary = "arn:aws:iam::123456789012:role/no-policy"
  }

  expect_failures = [var.name_prefix, var.region, var.allowed_account_ids, var.permissions_boundary]
}

# Terraform does not validate name_prefix if environment fails, nor batching_window if batch_size fails.
run "refuses_an_environment" {
  command = plan

  variables {
    environment = "Prod"
  }

  expect_failures = [var.environment]
}

run "refuses_names_that_are_too_long_together" {
  command = plan

  variables {
    name_prefix = "a2345678901234567890"
    environment = "production"
  }

  expect_failures = [var.name_prefix]
}

run "refuses_a_function" {
  command = plan

  variables {
    lambda_zip         = "/a/b"
    function_timeout   = 901
    function_memory    = 127
    log_retention_days = 2
  }

  expect_failures = [var.lambda_zip, var.function_timeout, var.function_memory, var.log_retention_days]
}

run "refuses_a_feed" {
  command = plan

  variables {
    batch_size          = 10001
    maximum_concurrency = 1
    max_receive_count   = 0
  }

  expect_failures = [var.batch_size, var.maximum_concurrency, var.max_receive_count]
}

run "refuses_a_window_that_is_too_long" {
  command = plan

  variables {
    batching_window = 301
  }

  expect_failures = [var.batching_window]
}

run "refuses_a_wide_batch_without_a_window" {
  command = plan

  variables {
    batch_size = 11
  }

  expect_failures = [var.batching_window]
}

run "refuses_retentions" {
  command = plan

  variables {
    rejected_retention_days   = 0
    duplicates_retention_days = 3651
  }

  expect_failures = [var.rejected_retention_days, var.duplicates_retention_days]
}

run "refuses_an_archive" {
  command = plan

  variables {
    archiver_zip            = "/a/b"
    archive_batch_size      = 10001
    archive_batching_window = 0
    archive_retention_days  = 179
    archive_age_minutes     = 4
  }

  expect_failures = [
    var.archiver_zip,
    var.archive_batch_size,
    var.archive_batching_window,
    var.archive_retention_days,
    var.archive_age_minutes,
  ]
}

run "refuses_athena_without_an_archive" {
  command = plan

  variables {
    archive = false
    athena  = true
  }

  expect_failures = [var.athena]
}

run "refuses_what_athena_reads" {
  command = plan

  variables {
    athena_scan_limit_gb = 0
    checkout             = ""
  }

  expect_failures = [var.athena_scan_limit_gb, var.checkout]
}

run "refuses_options" {
  command = plan

  variables {
    runtime       = "python3.10"
    log_level     = "DEBUG"
    table_ceiling = { reads = 0, writes = 1 }
    kms_key_arn   = "alias/mine"
    tags          = { Project = "another" }
  }

  expect_failures = [var.runtime, var.log_level, var.table_ceiling, var.kms_key_arn, var.tags]
}

run "refuses_pollers" {
  command = plan

  variables {
    maximum_concurrency = 0
    provisioned_pollers = { min = 1, max = 2 }
  }

  expect_failures = [var.provisioned_pollers]
}

run "refuses_pollers_and_a_limit" {
  command = plan

  variables {
    provisioned_pollers = { min = 2, max = 2 }
  }

  expect_failures = [var.provisioned_pollers]
}

run "refuses_a_receivers_name" {
  command = plan

  variables {
    alert_subscriptions = { "A name" = { protocol = "email", endpoint = "a@b.example" } }
  }

  expect_failures = [var.alert_subscriptions]
}

run "refuses_a_receivers_endpoint" {
  command = plan

  variables {
    alert_subscriptions = { it = { protocol = "sms", endpoint = "0151" } }
  }

  expect_failures = [var.alert_subscriptions]
}

run "refuses_a_receivers_topic" {
  command = plan

  variables {
    alert_subscriptions = { it = { protocol = "email", endpoint = "a@b.example", topic = "both" } }
  }

  expect_failures = [var.alert_subscriptions]
}

run "refuses_a_receivers_empty_filter" {
  command = plan

  variables {
    alert_subscriptions = { it = { protocol = "email", endpoint = "a@b.example", alert_types = [] } }
  }

  expect_failures = [var.alert_subscriptions]
}

run "refuses_a_receivers_minimum" {
  command = plan

  variables {
    alert_subscriptions = { it = { protocol = "email", endpoint = "a@b.example", minimum = { amount = 0, currency = "EUR" } } }
  }

  expect_failures = [var.alert_subscriptions]
}

run "refuses_alerts" {
  command = plan

  variables {
    large_order_threshold = "1e3"
    alert_emails          = ["nobody"]
    ops_emails            = ["a b@c.example"]
  }

  expect_failures = [var.large_order_threshold, var.alert_emails, var.ops_emails]
}

run "refuses_alarms" {
  command = plan

  variables {
    oldest_message_seconds = 59
    queue_latency_seconds  = 0
    backlog_messages       = -1
    backlog_minutes        = 7
    rejection_rate_percent = 101
    large_orders_per_hour  = { fewest = 2, most = 1 }
  }

  expect_failures = [
    var.oldest_message_seconds,
    var.queue_latency_seconds,
    var.backlog_messages,
    var.backlog_minutes,
    var.rejection_rate_percent,
    var.large_orders_per_hour,
  ]
}
