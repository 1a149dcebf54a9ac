# The key that replay and redrive sign their copies with (docs/adr/0034). To change it: terraform apply
# -replace=terraform_data.origin_key. Copies that wait in a queue meanwhile count under their own message id.
resource "terraform_data" "origin_key" {
  input = "${uuid()}${uuid()}"

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_lambda_function" "processor" {
  # checkov:skip=CKV_AWS_50:The log reports when each event arrived and how long it took; tracing adds cost and a permission.
  # checkov:skip=CKV_AWS_115:The mapping's maximum_concurrency limits it; a reservation would reduce the account's other functions.
  # checkov:skip=CKV_AWS_116:That queue is for asynchronous calls; events that fail go to the events queue's dead-letter queue.
  # checkov:skip=CKV_AWS_117:It calls only AWS's APIs; in a VPC it would need an endpoint for each.
  # checkov:skip=CKV_AWS_173:Lambda encrypts them with its own key. ORIGIN_KEY alone is secret, and only from senders.
  # checkov:skip=CKV_AWS_272:make deploy-aws deploys only the zip whose hash is in the tests' receipt.

  function_name = local.function_name
  description   = "Validates and stores the events of ${aws_sqs_queue.events.name}."
  role          = aws_iam_role.processor.arn

  filename         = var.lambda_zip
  source_code_hash = filebase64sha256(var.lambda_zip)
  handler          = "processor.handler.handle"
  runtime          = var.runtime
  architectures    = ["arm64"]
  # Each change of code or configuration publishes a version, which the alias can return to.
  publish     = true
  memory_size = var.function_memory
  timeout     = var.function_timeout

  environment {
    variables = {
      EVENTS_TABLE              = aws_dynamodb_table.events.name
      REJECTED_TABLE            = aws_dynamodb_table.rejected.name
      DUPLICATES_TABLE          = aws_dynamodb_table.duplicates.name
      PAYLOAD_BUCKET            = aws_s3_bucket.payloads.id
      ALERTS_TOPIC_ARN          = aws_sns_topic.alerts.arn
      LARGE_ORDER_THRESHOLD     = var.large_order_threshold
      LOG_LEVEL                 = var.log_level
      BATCH_SUMMARY_ALERTS      = tostring(var.batch_summary_alerts)
      FUNCTION_TIMEOUT_SECONDS  = tostring(var.function_timeout)
      REJECTED_RETENTION_DAYS   = tostring(var.rejected_retention_days)
      DUPLICATES_RETENTION_DAYS = tostring(var.duplicates_retention_days)
      ORIGIN_KEY                = sensitive(terraform_data.origin_key.output)
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.processor.name
  }

  # The mapping delivers at once, and Terraform sees no dependency on the role's policy.
  depends_on = [aws_iam_role_policy.processor]
}

# The version that the queue invokes. A rollback only moves this alias (tools/deploy/versions.py).
resource "aws_lambda_alias" "processor_live" {
  name             = "live"
  description      = "The version that the queue invokes."
  function_name    = aws_lambda_function.processor.function_name
  function_version = aws_lambda_function.processor.version
}

resource "aws_lambda_event_source_mapping" "events" {
  event_source_arn = aws_sqs_queue.events.arn
  function_name    = aws_lambda_alias.processor_live.arn

  batch_size                         = var.batch_size
  maximum_batching_window_in_seconds = var.batching_window

  # Without it, one failed message would return its whole batch to the queue.
  function_response_types = ["ReportBatchItemFailures"]

  dynamic "scaling_config" {
    for_each = var.maximum_concurrency == 0 ? [] : [var.maximum_concurrency]

    content {
      maximum_concurrency = scaling_config.value
    }
  }

  dynamic "provisioned_poller_config" {
    for_each = var.provisioned_pollers[*]

    content {
      minimum_pollers = provisioned_poller_config.value.min
      maximum_pollers = provisioned_poller_config.value.max
    }
  }
}
