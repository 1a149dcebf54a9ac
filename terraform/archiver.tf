locals {
  # Hundreds of claim checks in one batch take this long; a batch of items alone takes under a second.
  archiver_timeout = 60
}

resource "aws_lambda_function" "archiver" {
  # checkov:skip=CKV_AWS_50:The log says what was archived and when; tracing adds cost and a right.
  # checkov:skip=CKV_AWS_115:A stream's shards bound it without taking from the account's other functions.
  # checkov:skip=CKV_AWS_116:That queue is for asynchronous calls; what the streams give up on goes to archive_failures.
  # checkov:skip=CKV_AWS_117:It talks to AWS's APIs alone; inside a VPC it would need an endpoint for each, and no less trust.
  # checkov:skip=CKV_AWS_173:The variables hold names and numbers, no secret.
  # checkov:skip=CKV_AWS_272:make deploy-aws deploys the zip whose hash the tests' receipt names.

  count = var.archive ? 1 : 0

  function_name = local.archiver_name
  description   = "Archives what is inserted into ${aws_dynamodb_table.events.name} and ${aws_dynamodb_table.rejected.name}."
  role          = aws_iam_role.archiver[0].arn

  filename         = var.archiver_zip
  source_code_hash = filebase64sha256(var.archiver_zip)
  handler          = "archiver.handler.handle"
  runtime          = "python3.13"
  architectures    = ["arm64"]
  publish          = true
  memory_size      = 512
  timeout          = local.archiver_timeout

  environment {
    variables = {
      EVENTS_TABLE             = aws_dynamodb_table.events.name
      REJECTED_TABLE           = aws_dynamodb_table.rejected.name
      PAYLOAD_BUCKET           = aws_s3_bucket.payloads.id
      ARCHIVE_BUCKET           = aws_s3_bucket.archive[0].id
      FUNCTION_TIMEOUT_SECONDS = tostring(local.archiver_timeout)
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.archiver[0].name
  }

  # The mappings deliver as soon as they stand; the function refers to its role, but not to what the role may.
  depends_on = [aws_iam_role_policy.archiver]
}

# The version that the streams feed, as the processor's alias in function.tf.
resource "aws_lambda_alias" "archiver_live" {
  count = var.archive ? 1 : 0

  name             = "live"
  description      = "The version that archives."
  function_name    = aws_lambda_function.archiver[0].function_name
  function_version = aws_lambda_function.archiver[0].version
}

resource "aws_lambda_event_source_mapping" "archive" {
  for_each = var.archive ? {
    events   = aws_dynamodb_table.events.stream_arn
    rejected = aws_dynamodb_table.rejected.stream_arn
  } : {}

  event_source_arn  = each.value
  function_name     = aws_lambda_alias.archiver_live[0].arn
  starting_position = "TRIM_HORIZON"

  batch_size                         = var.archive_batch_size
  maximum_batching_window_in_seconds = var.archive_batching_window

  # What fails is S3 or the function itself, never a record: halving helps a batch that takes too long. Until
  # S3 is back nothing is gained by giving up, so the age ends it: after a quarter of the day that the stream
  # remembers, which leaves time to catch up. 10,000 attempts are the most that Lambda takes, and bound what
  # fails at once.
  bisect_batch_on_function_error = true
  maximum_record_age_in_seconds  = 6 * 60 * 60
  maximum_retry_attempts         = 10000

  # Updates clear marks of alerts, and removals are expired or replayed: neither is paid for.
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
  description        = "What the function ${local.archiver_name} may do."
  assume_role_policy = data.aws_iam_policy_document.processor_trust.json
}

resource "aws_iam_role_policy" "archiver" {
  count = var.archive ? 1 : 0

  name   = local.archiver_name
  role   = aws_iam_role.archiver[0].id
  policy = data.aws_iam_policy_document.archiver[0].json
}

# Every statement is needed and none is wider than what the function, and Lambda for it, calls.
data "aws_iam_policy_document" "archiver" {
  count = var.archive ? 1 : 0

  # Lambda's poller reads the streams with the function's role. A stream that is switched on again gets
  # another name under its table's.
  statement {
    sid = "ReadStreams"
    actions = [
      "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams",
    ]
    resources = ["${aws_dynamodb_table.events.arn}/stream/*", "${aws_dynamodb_table.rejected.arn}/stream/*"]
  }

  statement {
    sid       = "ReadPayloads"
    actions   = ["s3:GetObject"]
    resources = ["${aws_s3_bucket.payloads.arn}/payloads/*"]
  }

  # S3 tells only who may list a bucket that an object is not there; to everybody else, it is forbidden.
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
      "${aws_s3_bucket.archive[0].arn}/unreadable/*",
    ]
  }

  # Lambda sends with the function's role, too.
  statement {
    sid       = "ReportFailures"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.archive_failures[0].arn]
  }

  statement {
    sid       = "WriteLogs"
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.archiver[0].arn}:*"]
  }
}
