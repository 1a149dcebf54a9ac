# Each alarm's runbook is the section of docs/reliability.md with the alarm's name. Alarms go to ops; rejections and
# large orders also to alerts, whose filtered subscriptions get none, because CloudWatch sends no attributes.

locals {
  runbook = "Runbook: docs/reliability.md#"

  to_ops             = [aws_sns_topic.ops.arn]
  to_ops_and_alerts  = [aws_sns_topic.ops.arn, aws_sns_topic.alerts.arn]
  function_dimension = { FunctionName = aws_lambda_function.processor.function_name }

  # Metrics that the functions log in embedded metric format (lambda_src/common/telemetry.py).
  own_namespace = "RtPipeline"
}

# The queues

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${local.name}-dead-letters"
  alarm_description = "Messages failed repeatedly and are dead-lettered. ${local.runbook}dead_letters"

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = aws_sqs_queue.events_dlq.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  # SQS reports no metrics for a queue that was unused for six hours, even if messages wait in it.
  treat_missing_data = "ignore"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "oldest_message" {
  alarm_name        = "${local.name}-oldest-message"
  alarm_description = "An event waits too long. ${local.runbook}oldest_message"

  namespace   = "AWS/SQS"
  metric_name = "ApproximateAgeOfOldestMessage"
  dimensions  = { QueueName = aws_sqs_queue.events.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.oldest_message_seconds
  evaluation_periods  = 1
  # SQS reports an age only while a message waits: no data is an empty queue.
  treat_missing_data = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "backlog_growing" {
  alarm_name        = "${local.name}-backlog-growing"
  alarm_description = "Events arrive faster than they are processed. ${local.runbook}backlog_growing"

  metric_query {
    id = "waiting"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = aws_sqs_queue.events.name }
      # The minimum in five minutes, which a burst that was processed does not raise.
      stat   = "Minimum"
      period = 300
    }
  }

  metric_query {
    id          = "growth"
    label       = "messages that the backlog grew by in five minutes"
    expression  = "IF(waiting > ${var.backlog_messages}, DIFF(waiting), 0)"
    return_data = true
  }

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = var.backlog_minutes / 5
  # Polling keeps the queue's metrics alive. If polling stopped, a growing backlog still grows.
  treat_missing_data = "ignore"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

# The function. Lambda reports no metrics without invocations, which is not a fault.

resource "aws_cloudwatch_metric_alarm" "function_errors" {
  alarm_name        = "${local.name}-function-errors"
  alarm_description = "The function failed; its batches returned to the queue. ${local.runbook}function_errors"

  namespace   = "AWS/Lambda"
  metric_name = "Errors"
  dimensions  = local.function_dimension
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # One bad minute raises it and five good ones end it, so that an intermittent fault sends one mail.
  evaluation_periods  = 5
  datapoints_to_alarm = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "function_throttles" {
  alarm_name        = "${local.name}-function-throttles"
  alarm_description = "Lambda throttles the function. ${local.runbook}function_throttles"

  namespace   = "AWS/Lambda"
  metric_name = "Throttles"
  dimensions  = local.function_dimension
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # Lambda retries. Throttling for minutes uses up the messages' deliveries.
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "function_duration" {
  alarm_name        = "${local.name}-function-duration"
  alarm_description = "Invocations take almost as long as the function's timeout. ${local.runbook}function_duration"

  namespace          = "AWS/Lambda"
  metric_name        = "Duration"
  dimensions         = local.function_dimension
  extended_statistic = "p99"
  period             = 60

  comparison_operator = "GreaterThanThreshold"
  # 80% of the timeout, in milliseconds.
  threshold           = 800 * var.function_timeout
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

# The objective: 95% of the events of five minutes are stored within it, three times in a row.
resource "aws_cloudwatch_metric_alarm" "queue_latency" {
  alarm_name        = "${local.name}-queue-latency"
  alarm_description = "Events wait longer from the queue to their storage than the objective. ${local.runbook}queue_latency"

  namespace          = local.own_namespace
  metric_name        = "QueueLatency"
  dimensions         = local.function_dimension
  extended_statistic = "p95"
  period             = 300

  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000 * var.queue_latency_seconds
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

# The function returns single messages instead of failing, so Lambda counts no error for them.
resource "aws_cloudwatch_metric_alarm" "messages_returned" {
  alarm_name        = "${local.name}-messages-returned"
  alarm_description = "The function repeatedly returns messages to the queue. ${local.runbook}messages_returned"

  namespace   = local.own_namespace
  metric_name = "Returned"
  dimensions  = local.function_dimension
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # The next delivery recovers from a single fault.
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

# The alerts

resource "aws_cloudwatch_metric_alarm" "alert_delivery" {
  alarm_name        = "${local.name}-alert-delivery"
  alarm_description = "SNS could not deliver business alerts to a subscriber. ${local.runbook}alert_delivery"

  namespace   = "AWS/SNS"
  metric_name = "NumberOfNotificationsFailed"
  dimensions  = { TopicName = aws_sns_topic.alerts.name }
  statistic   = "Sum"
  period      = 300

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # SNS counts a failure when it gives up (over HTTP, each attempt): a subscriber did not get an alert.
  evaluation_periods = 1
  # SNS reports no metrics for an unused topic.
  treat_missing_data = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "rejection_rate" {
  alarm_name        = "${local.name}-rejection-rate"
  alarm_description = "Unusually many events violate the contract. ${local.runbook}rejection_rate"

  metric_query {
    id = "received"

    metric {
      namespace   = local.own_namespace
      metric_name = "Received"
      dimensions  = local.function_dimension
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "rejected"

    metric {
      namespace   = local.own_namespace
      metric_name = "Rejected"
      dimensions  = local.function_dimension
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id    = "rate"
    label = "rejected, in percent"
    # Among fewer than 20 events in five minutes, a single one would exceed 5%.
    expression  = "IF(received >= 20, 100 * rejected / received, 0)"
    return_data = true
  }

  comparison_operator = "GreaterThanThreshold"
  threshold           = var.rejection_rate_percent
  evaluation_periods  = 2
  # Without events none is rejected.
  treat_missing_data = "notBreaching"

  alarm_actions = local.to_ops_and_alerts
  ok_actions    = local.to_ops_and_alerts
}

locals {
  orders_learned    = var.large_orders_per_hour == null
  orders_every_hour = local.orders_learned ? false : var.large_orders_per_hour.fewest > 0
}

# Too few or too many large orders: compared with given figures, or with what CloudWatch learned.
resource "aws_cloudwatch_metric_alarm" "large_orders" {
  alarm_name        = "${local.name}-large-orders"
  alarm_description = "Unusually many or few large orders in an hour. ${local.runbook}large_orders"

  metric_query {
    id = "orders"
    # CloudWatch compares the metric with a band that it learned.
    return_data = local.orders_learned

    metric {
      namespace   = local.own_namespace
      metric_name = "LargeOrders"
      dimensions  = local.function_dimension
      stat        = "Sum"
      period      = 3600
    }
  }

  metric_query {
    id    = "usual"
    label = "large orders in an hour"
    expression = (local.orders_learned
      ? "ANOMALY_DETECTION_BAND(orders, 3)"
      : "IF(orders < ${var.large_orders_per_hour.fewest} OR orders > ${var.large_orders_per_hour.most}, 1, 0)"
    )
    return_data = true
  }

  comparison_operator = (local.orders_learned
    ? "LessThanLowerOrGreaterThanUpperThreshold"
    : "GreaterThanThreshold"
  )
  threshold_metric_id = local.orders_learned ? "usual" : null
  threshold           = local.orders_learned ? null : 0
  evaluation_periods  = 1
  # No data is an hour without events. With given figures that is an alarm; with a learned band it may be a
  # pipeline that is not in use yet.
  treat_missing_data = local.orders_every_hour ? "breaching" : "notBreaching"

  alarm_actions = local.to_ops_and_alerts
  ok_actions    = local.to_ops_and_alerts
}

# Composite alarm

resource "aws_cloudwatch_composite_alarm" "pipeline_unhealthy" {
  alarm_name        = "${local.name}-pipeline-unhealthy"
  alarm_description = "The pipeline is unhealthy. ${local.runbook}pipeline_unhealthy"

  # By id and not by name, so that Terraform updates this alarm before it replaces one that it names.
  alarm_rule = join(" OR ", [for alarm in local.health : "ALARM(\"${alarm.id}\")"])

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

locals {
  # The alarms that mean that events do not flow.
  health = concat([
    aws_cloudwatch_metric_alarm.dead_letters,
    aws_cloudwatch_metric_alarm.oldest_message,
    aws_cloudwatch_metric_alarm.backlog_growing,
    aws_cloudwatch_metric_alarm.function_errors,
    aws_cloudwatch_metric_alarm.function_throttles,
    aws_cloudwatch_metric_alarm.function_duration,
    aws_cloudwatch_metric_alarm.queue_latency,
    aws_cloudwatch_metric_alarm.messages_returned,
    aws_cloudwatch_metric_alarm.table_throttles,
    aws_cloudwatch_metric_alarm.table_errors,
    aws_cloudwatch_metric_alarm.alert_delivery,
    ],
    aws_cloudwatch_metric_alarm.archiver_errors,
    aws_cloudwatch_metric_alarm.archiver_behind,
    aws_cloudwatch_metric_alarm.archiver_stopped,
    aws_cloudwatch_metric_alarm.archive_failures,
    aws_cloudwatch_metric_alarm.unreadable_records,
  )
}
