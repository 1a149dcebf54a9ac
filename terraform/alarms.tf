# Each alarm's runbook is the section of docs/reliability.md with the alarm's name. Alarms go to ops; rejections and
# large orders also to alerts, whose filtered subscriptions get none, because CloudWatch sends no attributes.

locals {
  runbook = "Runbook: docs/reliability.md#"

  to_ops             = [aws_sns_topic.ops.arn]
  to_ops_and_alerts  = [aws_sns_topic.ops.arn, aws_sns_topic.alerts.arn]
  function_dimension = { FunctionName = aws_lambda_function.processor.function_name }

  # Metrics that the functions log in embedded metric format (lambda_src/common/telemetry.py).
  own_namespace = "RtPipeline"

  # An alarm watches one `metric`, or a `result` over several `metrics`. It is raised when that is above 0, or `above`,
  # for `datapoints` of `periods` periods: one of one by default. Missing data is no fault, or what `silence` says.
  alarms = merge(
    local.alarms_of_events,
    local.alarms_of_tables,
    { for name, alarm in local.alarms_of_archive : name => alarm if var.archive },
  )

  alarms_of_events = {
    dead_letters = {
      description = "Messages failed repeatedly and are dead-lettered."
      dimensions  = { QueueName = aws_sqs_queue.events_dlq.name }
      metric      = { namespace = "AWS/SQS", name = "ApproximateNumberOfMessagesVisible", stat = "Maximum" }
      # SQS reports no metrics for a queue that was unused for six hours, even if messages wait in it.
      silence = "ignore"
    }

    oldest_message = {
      description = "An event waits too long."
      dimensions  = { QueueName = aws_sqs_queue.events.name }
      # SQS reports an age only while a message waits: no data is an empty queue.
      metric = { namespace = "AWS/SQS", name = "ApproximateAgeOfOldestMessage", stat = "Maximum" }
      above  = var.oldest_message_seconds
    }

    backlog_growing = {
      description = "Events arrive faster than they are processed."
      dimensions  = { QueueName = aws_sqs_queue.events.name }
      # The minimum in five minutes, which a burst that was processed does not raise.
      metrics = { waiting = { namespace = "AWS/SQS", name = "ApproximateNumberOfMessagesVisible", stat = "Minimum" } }
      result = {
        id         = "growth"
        label      = "messages that the backlog grew by in five minutes"
        expression = "IF(waiting > ${var.backlog_messages}, DIFF(waiting), 0)"
      }
      period  = 300
      periods = var.backlog_minutes / 5
      # Polling keeps the queue's metrics alive. If polling stopped, a growing backlog still grows.
      silence = "ignore"
    }

    # Lambda reports no metrics without invocations, which is not a fault.
    function_errors = {
      description = "The function failed; its batches returned to the queue."
      metric      = { namespace = "AWS/Lambda", name = "Errors", stat = "Sum" }
      # One bad minute raises it and five good ones end it, so that an intermittent fault sends one mail.
      periods    = 5
      datapoints = 1
    }

    function_throttles = {
      description = "Lambda throttles the function."
      metric      = { namespace = "AWS/Lambda", name = "Throttles", stat = "Sum" }
      # Lambda retries. Throttling for minutes uses up the messages' deliveries.
      periods    = 5
      datapoints = 3
    }

    function_duration = {
      description = "Invocations take almost as long as the function's timeout."
      metric      = { namespace = "AWS/Lambda", name = "Duration", percentile = "p99" }
      # 80% of the timeout, in milliseconds.
      above      = 800 * var.function_timeout
      periods    = 5
      datapoints = 3
    }

    # The objective: 95% of the events of five minutes are stored within it, three times in a row.
    queue_latency = {
      description = "Events wait longer from the queue to their storage than the objective."
      metric      = { namespace = local.own_namespace, name = "QueueLatency", percentile = "p95" }
      above       = 1000 * var.queue_latency_seconds
      period      = 300
      periods     = 3
    }

    # The function returns single messages instead of failing, so Lambda counts no error for them.
    messages_returned = {
      description = "The function repeatedly returns messages to the queue."
      metric      = { namespace = local.own_namespace, name = "Returned", stat = "Sum" }
      # The next delivery recovers from a single fault.
      periods    = 5
      datapoints = 3
    }

    # SNS counts a failure when it gives up (over HTTP, each attempt), and reports no metrics for an unused topic.
    alert_delivery = {
      description = "SNS could not deliver business alerts to a subscriber."
      dimensions  = { TopicName = aws_sns_topic.alerts.name }
      metric      = { namespace = "AWS/SNS", name = "NumberOfNotificationsFailed", stat = "Sum" }
      period      = 300
    }

    rejection_rate = {
      description = "Unusually many events violate the contract."
      metrics = {
        received = { namespace = local.own_namespace, name = "Received", stat = "Sum" }
        rejected = { namespace = local.own_namespace, name = "Rejected", stat = "Sum" }
      }
      result = {
        id    = "rate"
        label = "rejected, in percent"
        # Among fewer than 20 events in five minutes, a single one would exceed 5%.
        expression = "IF(received >= 20, 100 * rejected / received, 0)"
      }
      above   = var.rejection_rate_percent
      period  = 300
      periods = 2
      topics  = local.to_ops_and_alerts
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "pipeline" {
  for_each = local.alarms

  alarm_name        = "${local.name}-${replace(each.key, "_", "-")}"
  alarm_description = "${each.value.description} ${local.runbook}${each.key}"

  namespace          = try(each.value.metric.namespace, null)
  metric_name        = try(each.value.metric.name, null)
  statistic          = try(each.value.metric.stat, null)
  extended_statistic = try(each.value.metric.percentile, null)
  dimensions         = can(each.value.metric) ? try(each.value.dimensions, local.function_dimension) : null
  period             = can(each.value.metric) ? try(each.value.period, 60) : null

  dynamic "metric_query" {
    for_each = try(each.value.metrics, {})

    content {
      id = metric_query.key

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        stat        = metric_query.value.stat
        dimensions  = try(metric_query.value.dimensions, each.value.dimensions, local.function_dimension)
        period      = try(each.value.period, 60)
      }
    }
  }

  dynamic "metric_query" {
    for_each = try([each.value.result], [])

    content {
      id          = metric_query.value.id
      label       = metric_query.value.label
      expression  = metric_query.value.expression
      return_data = true
    }
  }

  comparison_operator = "GreaterThanThreshold"
  threshold           = try(each.value.above, 0)
  evaluation_periods  = try(each.value.periods, 1)
  datapoints_to_alarm = try(each.value.datapoints, null)
  treat_missing_data  = try(each.value.silence, "notBreaching")

  alarm_actions = try(each.value.topics, local.to_ops)
  ok_actions    = try(each.value.topics, local.to_ops)
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

  comparison_operator = local.orders_learned ? "LessThanLowerOrGreaterThanUpperThreshold" : "GreaterThanThreshold"
  threshold_metric_id = local.orders_learned ? "usual" : null
  threshold           = local.orders_learned ? null : 0
  evaluation_periods  = 1
  # No data is an hour without events. With given figures that is an alarm; with a learned band it may be a
  # pipeline that is not in use yet.
  treat_missing_data = local.orders_every_hour ? "breaching" : "notBreaching"

  alarm_actions = local.to_ops_and_alerts
  ok_actions    = local.to_ops_and_alerts
}

# Events do not flow: any alarm that only ops gets. By id and not by name, so that Terraform updates this alarm before
# it replaces one that it names.
resource "aws_cloudwatch_composite_alarm" "pipeline_unhealthy" {
  alarm_name        = "${local.name}-pipeline-unhealthy"
  alarm_description = "The pipeline is unhealthy. ${local.runbook}pipeline_unhealthy"

  alarm_rule = join(" OR ", [
    for name, alarm in aws_cloudwatch_metric_alarm.pipeline : "ALARM(\"${alarm.id}\")" if !can(local.alarms[name].topics)
  ])

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}
