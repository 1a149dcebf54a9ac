# Queues, topics and buckets answer over TLS only. (The topics' policies also let alarms in: topics.tf.)
data "aws_iam_policy_document" "tls_only" {
  for_each = {
    events     = { actions = ["sqs:*"], resources = [aws_sqs_queue.events.arn] }
    events_dlq = { actions = ["sqs:*"], resources = [aws_sqs_queue.events_dlq.arn] }
    # SNS refuses sns:* in a topic's policy. Only a publish carries data.
    alerts = { actions = ["sns:Publish"], resources = [aws_sns_topic.alerts.arn] }
    ops    = { actions = ["sns:Publish"], resources = [aws_sns_topic.ops.arn] }
    payloads = {
      actions   = ["s3:*"]
      resources = [aws_s3_bucket.payloads.arn, "${aws_s3_bucket.payloads.arn}/*"]
    }
    # Empty and unused without an archive.
    archive = {
      actions   = ["s3:*"]
      resources = flatten([for arn in aws_s3_bucket.archive[*].arn : [arn, "${arn}/*"]])
    }
    athena_results = {
      actions   = ["s3:*"]
      resources = flatten([for arn in aws_s3_bucket.athena_results[*].arn : [arn, "${arn}/*"]])
    }
    undelivered_alerts = { actions = ["sqs:*"], resources = aws_sqs_queue.undelivered_alerts[*].arn }
    archive_failures   = { actions = ["sqs:*"], resources = aws_sqs_queue.archive_failures[*].arn }
  }

  statement {
    sid       = "RefusePlainHttp"
    effect    = "Deny"
    actions   = each.value.actions
    resources = each.value.resources

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "events" {
  count = var.refuse_plain_http ? 1 : 0

  queue_url = aws_sqs_queue.events.id
  policy    = data.aws_iam_policy_document.tls_only["events"].json
}

resource "aws_sqs_queue_policy" "events_dlq" {
  count = var.refuse_plain_http ? 1 : 0

  queue_url = aws_sqs_queue.events_dlq.id
  policy    = data.aws_iam_policy_document.tls_only["events_dlq"].json
}

resource "aws_s3_bucket_policy" "payloads" {
  count = var.refuse_plain_http ? 1 : 0

  bucket = aws_s3_bucket.payloads.id
  policy = data.aws_iam_policy_document.tls_only["payloads"].json

  # S3 refuses two simultaneous changes of a bucket's access.
  depends_on = [aws_s3_bucket_public_access_block.payloads]
}

resource "aws_sqs_queue_policy" "archive_failures" {
  count = var.archive && var.refuse_plain_http ? 1 : 0

  queue_url = aws_sqs_queue.archive_failures[0].id
  policy    = data.aws_iam_policy_document.tls_only["archive_failures"].json
}

resource "aws_s3_bucket_policy" "archive" {
  count = var.archive && var.refuse_plain_http ? 1 : 0

  bucket = aws_s3_bucket.archive[0].id
  policy = data.aws_iam_policy_document.tls_only["archive"].json

  depends_on = [aws_s3_bucket_public_access_block.archive]
}

resource "aws_s3_bucket_policy" "athena_results" {
  count = var.athena && var.refuse_plain_http ? 1 : 0

  bucket = aws_s3_bucket.athena_results[0].id
  policy = data.aws_iam_policy_document.tls_only["athena_results"].json

  depends_on = [aws_s3_bucket_public_access_block.athena_results]
}
