# Who gets alerts and alarms. docs/alerts.md: what to type for Slack, PagerDuty and a web hook.

locals {
  # The types of alerts in the order of their schema. A new type needs no change here.
  alert_types = [
    for alert in jsondecode(file("${var.checkout}/lambda_src/processor/alerts.schema.json")).oneOf :
    trimprefix(alert["$ref"], "#/$defs/")
  ]

  # The addresses of alert_emails and ops_emails are their own names.
  email_subscriptions = {
    for topic, addresses in { alerts = var.alert_emails, ops = var.ops_emails } : topic => {
      for address in addresses : address => {
        topic       = topic
        protocol    = "email"
        endpoint    = address
        alert_types = null
        event_types = null
        minimum     = null
      }
    }
  }

  subscriptions = {
    for topic, emails in local.email_subscriptions : topic => merge(emails, {
      for name, subscription in var.alert_subscriptions : name => subscription if subscription.topic == topic
    })
  }

  # Nobody gets batch summaries, which are for machines, unless alert_types names them.
  alert_filters = {
    for name, subscription in local.subscriptions.alerts : name => {
      for attribute, rule in {
        alert_type = sort(coalesce(
          subscription.alert_types,
          # A storm of invalid events must not send thousands of SMS: the alarm rejection_rate reports it.
          subscription.protocol == "sms" || subscription.minimum != null
          ? toset(["large_order"])
          : setsubtract(local.alert_types, ["batch_processed"])
        ))
        event_type = subscription.event_types == null ? null : sort(subscription.event_types)
        amount     = subscription.minimum == null ? null : [{ numeric = [">=", subscription.minimum.amount] }]
        currency   = subscription.minimum == null ? null : [subscription.minimum.currency]
      } : attribute => rule if rule != null
    }
  }

  # Their endpoint may be down or refuse. Mail and SMS are AWS's to deliver.
  fallible_protocols = ["https", "sqs", "lambda"]
}

# A filter also keeps alarms out: they have no attributes, and no filter lets such messages in (SNS developer guide,
# "Key matching").
resource "aws_sns_topic_subscription" "alerts" {
  for_each = local.subscriptions.alerts

  topic_arn           = aws_sns_topic.alerts.arn
  protocol            = each.value.protocol
  endpoint            = each.value.endpoint
  filter_policy_scope = "MessageAttributes"

  filter_policy  = jsonencode(local.alert_filters[each.key])
  redrive_policy = contains(local.fallible_protocols, each.value.protocol) ? local.undelivered : null

  lifecycle {
    precondition {
      condition     = length(setsubtract(coalesce(each.value.alert_types, []), local.alert_types)) == 0
      error_message = "alert_types of ${each.key} are some of ${join(", ", local.alert_types)}."
    }
  }
}

resource "aws_sns_topic_subscription" "ops" {
  for_each = local.subscriptions.ops

  topic_arn      = aws_sns_topic.ops.arn
  protocol       = each.value.protocol
  endpoint       = each.value.endpoint
  redrive_policy = contains(local.fallible_protocols, each.value.protocol) ? local.undelivered : null
}

# What an endpoint did not accept after SNS's retries.
resource "aws_sqs_queue" "undelivered_alerts" {
  count = anytrue([for each in var.alert_subscriptions : contains(local.fallible_protocols, each.protocol)]) ? 1 : 0

  name = "${local.name}-undelivered-alerts"

  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}

locals {
  undelivered = join("", [
    for queue in aws_sqs_queue.undelivered_alerts : jsonencode({ deadLetterTargetArn = queue.arn })
  ])
}

data "aws_iam_policy_document" "undelivered_alerts" {
  count = length(aws_sqs_queue.undelivered_alerts)

  source_policy_documents = (
    var.refuse_plain_http ? [data.aws_iam_policy_document.tls_only["undelivered_alerts"].json] : []
  )

  statement {
    sid       = "KeepUndelivered"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.undelivered_alerts[0].arn]

    principals {
      type        = "Service"
      identifiers = ["sns.amazonaws.com"]
    }

    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_sns_topic.alerts.arn, aws_sns_topic.ops.arn]
    }
  }
}

resource "aws_sqs_queue_policy" "undelivered_alerts" {
  count = length(aws_sqs_queue.undelivered_alerts)

  queue_url = aws_sqs_queue.undelivered_alerts[0].id
  policy    = data.aws_iam_policy_document.undelivered_alerts[0].json
}
