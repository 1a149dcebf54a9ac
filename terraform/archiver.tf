locals {
  # A batch with hundreds of payloads in S3 takes this long; other batches take under a second.
  archiver_timeout = 60
}

resource "aws_lambda_function" "archiver" {
  # checkov:skip=CKV_AWS_50:The log reports what was archived and when; tracing adds cost and a permission.
  # checkov:skip=CKV_AWS_115:The stream's shards limit it; a reservation would reduce the account's other functions.
  # checkov:skip=CKV_AWS_116:That queue is for asynchronous calls; failed stream batches go to archive_failures.
  # checkov:skip=CKV_AWS_117:It calls only AWS's APIs; in a VPC it would need an endpoint for each.
  # checkov:skip=CKV_AWS_173:The variables hold names and numbers, no secret.
  # checkov:skip=CKV_AWS_272:make deploy-aws deploys only the zip whose hash is in the tests' receipt.

  count = var.archive ? 1 : 0

  function_name = local.archiver_name
  description   = "Archives items inserted into the tables of ${local.name}."
  role          = aws_iam_role.archiver[0].arn

  filename         = var.archiver_zip
  source_code_hash = filebase64sha256(var.archiver_zip)
  handler          = "archiver.handler.handle"
  runtime          = var.runtime
  architectures    = ["arm64"]
  publish          = true
  memory_size      = 512
  timeout          = local.archiver_timeout

  environment {
    variables = {
      EVENTS_TABLE             = aws_dynamodb_table.events.name
      REJECTED_TABLE           = aws_dynamodb_table.rejected.name
      DUPLICATES_TABLE         = aws_dynamodb_table.duplicates.name
      PAYLOAD_BUCKET           = aws_s3_bucket.payloads.id
      ARCHIVE_BUCKET           = aws_s3_bucket.archive[0].id
      FUNCTION_TIMEOUT_SECONDS = tostring(local.archiver_timeout)
      LOG_LEVEL                = var.log_level
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.archiver[0].name
  }

  # The mappings deliver at once, and Terraform sees no dependency on the role's policy.
  depends_on = [aws_iam_role_policy.archiver]
}

# The version that the streams invoke, like the processor's alias in function.tf.
resource "aws_lambda_alias" "archiver_live" {
  count = var.archive ? 1 : 0

  name             = "live"
  description      = "The version that the streams invoke."
  function_name    = aws_lambda_function.archiver[0].function_name
  function_version = aws_lambda_function.archiver[0].version
}

resource "aws_lambda_event_source_mapping" "archive" {
  for_each = var.archive ? {
    events     = aws_dynamodb_table.events.stream_arn
    rejected   = aws_dynamodb_table.rejected.stream_arn
    duplicates = aws_dynamodb_table.duplicates.stream_arn
  } : {}

  event_source_arn  = each.value
  function_name     = aws_lambda_alias.archiver_live[0].arn
  starting_position = "TRIM_HORIZON"

  batch_size                         = var.archive_batch_size
  maximum_batching_window_in_seconds = var.archive_batching_window

  # S3 or the function fails, never a record; halving helps a batch that takes too long. Lambda retries for six
  # of the stream's 24 hours, which leaves time to catch up. 10,000 attempts are Lambda's maximum.
  bisect_batch_on_function_error = true
  maximum_record_age_in_seconds  = 6 * 60 * 60
  maximum_retry_attempts         = 10000

  # Updates only clear pending flags, and removals are expired or replayed items: both are filtered out.
  filter_criteria {
    filter {
      pattern = jsonencode({ eventName = ["INSERT"] })
    }
  }

  destination_config {
    on_failure {
      destination_arn = aws_sqs_queue.archive_failures[0].arn
    }
  }
}

resource "aws_iam_role" "archiver" {
  count = var.archive ? 1 : 0

  name               = "${local.archiver_name}-${var.region}"
  description        = "Permissions of the function ${local.archiver_name}."
  assume_role_policy = data.aws_iam_policy_document.processor_trust.json

  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "archiver" {
  count = var.archive ? 1 : 0

  name   = local.archiver_name
  role   = aws_iam_role.archiver[0].id
  policy = data.aws_iam_policy_document.archiver[0].json
}

# Each statement allows only what the function, or Lambda on its behalf, calls.
data "aws_iam_policy_document" "archiver" {
  count = var.archive ? 1 : 0

  # Lambda's poller reads the streams with the function's role. A re-enabled stream gets another name.
  statement {
    sid = "ReadStreams"
    actions = [
      "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    ]
    resources = [
      "${aws_dynamodb_table.events.arn}/stream/*",
      "${aws_dynamodb_table.rejected.arn}/stream/*",
      "${aws_dynamodb_table.duplicates.arn}/stream/*",
    ]
  }

  statement {
    sid       = "ReadPayloads"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.payloads.arn}/payloads/*"]
  }

  # Without the permission to list, S3 answers 403 instead of 404 for a missing object.
  statement {
    sid       = "MissPayloads"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.payloads.arn]
  }

  statement {
    sid     = "WriteArchive"
    actions = ["s3:PutObject"]
    resources = [
      "${aws_s3_bucket.archive[0].arn}/events/*",
      "${aws_s3_bucket.archive[0].arn}/rejected/*",
      "${aws_s3_bucket.archive[0].arn}/duplicates/*",
      "${aws_s3_bucket.archive[0].arn}/unreadable/*",
    ]
  }

  # Lambda sends to this queue with the function's role.
  statement {
    sid       = "ReportFailures"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.archive_failures[0].arn]
  }

  dynamic "statement" {
    for_each = var.kms_key_arn[*]

    content {
      sid       = "UseKey"
      actions   = local.key_actions
      resources = [statement.value]
    }
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.archiver[0].arn}:*"]
  }
}
