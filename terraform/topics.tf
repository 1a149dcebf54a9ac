# Business alerts: what the function publishes.
resource "aws_sns_topic" "alerts" {
  name = "${local.name}-alerts"
}

# Everybody is spared the batch summaries, which are for machines.
resource "aws_sns_topic_subscription" "alert_emails" {
  for_each = var.alert_emails

  topic_arn           = aws_sns_topic.alerts.arn
  protocol            = "email"
  endpoint            = each.value
  filter_policy_scope = "MessageAttributes"

  filter_policy = jsonencode({
    alert_type = ["large_order", "invalid_event", "event_id_conflict"]
  })
}

# Alarms: what CloudWatch publishes.
resource "aws_sns_topic" "ops" {
  name = "${local.name}-ops"
}

resource "aws_sns_topic_subscription" "ops_emails" {
  for_each = var.ops_emails

  topic_arn = aws_sns_topic.ops.arn
  protocol  = "email"
  endpoint  = each.value
}

locals {
  alarms_arn = "arn:${local.partition}:cloudwatch:${var.region}:${local.account_id}:alarm"
}

# A topic's own policy takes the place of SNS's default one, which is what would let alarms in.
# This account's users and roles need no statement: their own policies suffice.
data "aws_iam_policy_document" "ops_topic" {
  source_policy_documents = var.refuse_plain_http ? [data.aws_iam_policy_document.tls_only["ops"].json] : []

  statement {
    sid       = "PublishAlarms"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.ops.arn]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }

    condition {
      test     = "ArnLike"
      variable = "aws:SourceArn"
      values   = ["${local.alarms_arn}:${local.name}-*"]
    }
  }
}

resource "aws_sns_topic_policy" "ops" {
  arn    = aws_sns_topic.ops.arn
  policy = data.aws_iam_policy_document.ops_topic.json
}
