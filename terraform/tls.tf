# Queues, topics and buckets answer over TLS only. (The topics' policies also let alarms in: topics.tf.)

locals {
  # The queues that have no other policy.
  queues = merge(
    { events = aws_sqs_queue.events, events_dlq = aws_sqs_queue.events_dlq },
    { for queue in aws_sqs_queue.archive_failures : "archive_failures" => queue },
  )

  # What is refused over plain HTTP.
  plain_http = merge(
    { for name, queue in local.queues : name => { actions = ["sqs:*"], resources = [queue.arn] } },
    {
      for queue in aws_sqs_queue.undelivered_alerts :
      "undelivered_alerts" => { actions = ["sqs:*"], resources = [queue.arn] }
    },
    # SNS refuses sns:* in a topic's policy. Only a publish carries data.
    { for name, arn in local.topics : name => { actions = ["sns:Publish"], resources = [arn] } },
    { for name, bucket in local.buckets : name => { actions = ["s3:*"], resources = [bucket.arn, "${bucket.arn}/*"] } },
  )
}

data "aws_iam_policy_document" "tls_only" {
  for_each = local.plain_http

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

resource "aws_sqs_queue_policy" "each" {
  for_each = { for name, queue in local.queues : name => queue if var.refuse_plain_http }

  queue_url = each.value.id
  policy    = data.aws_iam_policy_document.tls_only[each.key].json
}
