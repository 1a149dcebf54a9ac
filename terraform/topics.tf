# Business alerts: what the function publishes, and the alarms that business wants to know of.
resource "aws_sns_topic" "alerts" {
  # checkov:skip=CKV_AWS_26:Alarms cannot publish to a topic with SNS's AWS-managed key; messages hold ids and reasons, no payload.

  name              = "${local.name}-alerts"
  kms_master_key_id = var.kms_key_arn
}

# All alarms.
resource "aws_sns_topic" "ops" {
  # checkov:skip=CKV_AWS_26:Alarms cannot publish to a topic with SNS's AWS-managed key; messages hold ids and reasons, no payload.

  name              = "${local.name}-ops"
  kms_master_key_id = var.kms_key_arn
}

locals {
  topics     = { alerts = aws_sns_topic.alerts.arn, ops = aws_sns_topic.ops.arn }
  alarms_arn = "arn:${local.partition}:cloudwatch:${var.region}:${local.account_id}:alarm"
}

# A topic's own policy takes the place of SNS's default one, which is what would let alarms in.
# This account's users and roles need no statement, because their own policies suffice.
data "aws_iam_policy_document" "topics" {
  for_each = local.topics

  source_policy_documents = var.refuse_plain_http ? [data.aws_iam_policy_document.tls_only[each.key].json] : []

  statement {
    sid       = "PublishAlarms"
    actions   = ["sns:Publish"]
    resources = [each.value]

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

resource "aws_sns_topic_policy" "each" {
  for_each = local.topics

  arn    = each.value
  policy = data.aws_iam_policy_document.topics[each.key].json
}
