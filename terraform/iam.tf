# The archiver's role uses it too.
data "aws_iam_policy_document" "processor_trust" {
  statement {
    sid     = "RunFunction"
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "processor" {
  # Roles are global: without the region in the name, a second region of this environment would collide.
  name               = "${local.function_name}-${var.region}"
  description        = "Permissions of the function ${local.function_name}."
  assume_role_policy = data.aws_iam_policy_document.processor_trust.json

  permissions_boundary = var.permissions_boundary
}

resource "aws_iam_role_policy" "processor" {
  name   = local.function_name
  role   = aws_iam_role.processor.id
  policy = data.aws_iam_policy_document.processor.json
}

# Each statement allows only what the function calls.
data "aws_iam_policy_document" "processor" {
  # Lambda's poller reads the queue with the function's role.
  statement {
    sid       = "ReceiveMessages"
    actions   = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
    resources = [aws_sqs_queue.events.arn]
  }

  statement {
    sid       = "StoreEvents"
    actions   = ["dynamodb:PutItem", "dynamodb:UpdateItem"]
    resources = [aws_dynamodb_table.events.arn]
  }

  statement {
    sid       = "StoreRejected"
    actions   = ["dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"]
    resources = [aws_dynamodb_table.rejected.arn]
  }

  statement {
    sid       = "CountDuplicates"
    actions   = ["dynamodb:BatchWriteItem"]
    resources = [aws_dynamodb_table.duplicates.arn]
  }

  statement {
    sid       = "StorePayloads"
    actions   = ["s3:PutObject", "s3:GetObject"]
    resources = ["${aws_s3_bucket.payloads.arn}/payloads/*"]
  }

  statement {
    sid       = "PublishAlerts"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.alerts.arn]
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
    resources = ["${aws_cloudwatch_log_group.processor.arn}:*"]
  }
}
