# The archive. Archiving is asynchronous and never blocks processing; delayed items stay in the tables.

resource "aws_cloudwatch_metric_alarm" "archiver_errors" {
  count = var.archive ? 1 : 0

  alarm_name        = "${local.name}-archiver-errors"
  alarm_description = "The archiver failed; Lambda retries its batches. ${local.runbook}archiver_errors"

  namespace   = "AWS/Lambda"
  metric_name = "Errors"
  dimensions  = { FunctionName = aws_lambda_function.archiver[0].function_name }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # Lambda retries a failed batch within a minute.
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "archiver_behind" {
  count = var.archive ? 1 : 0

  alarm_name        = "${local.name}-archiver-behind"
  alarm_description = "Stored events wait too long for the archive. ${local.runbook}archiver_behind"

  namespace   = "AWS/Lambda"
  metric_name = "IteratorAge"
  dimensions  = { FunctionName = aws_lambda_function.archiver[0].function_name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  # In milliseconds.
  threshold           = 60000 * var.archive_age_minutes
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  # Lambda reports an age with each batch: no data means no batch.
  treat_missing_data = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

# The archiver's own metrics are silent when its stream mappings are disabled or gone.
resource "aws_cloudwatch_metric_alarm" "archiver_stopped" {
  count = var.archive ? 1 : 0

  alarm_name        = "${local.name}-archiver-stopped"
  alarm_description = "Events are stored and none is archived. ${local.runbook}archiver_stopped"

  metric_query {
    id = "stored"

    metric {
      namespace   = local.own_namespace
      metric_name = "Stored"
      dimensions  = local.function_dimension
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id = "archived"

    metric {
      namespace   = local.own_namespace
      metric_name = "ArchivedEvents"
      dimensions  = { FunctionName = aws_lambda_function.archiver[0].function_name }
      stat        = "Sum"
      period      = 300
    }
  }

  metric_query {
    id          = "unarchived"
    label       = "stored while nothing was archived"
    expression  = "IF(FILL(archived, 0) == 0, stored, 0)"
    return_data = true
  }

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # Fifteen minutes. The batching window delays events by five minutes at most.
  evaluation_periods = 3
  # No data means that nothing was stored.
  treat_missing_data = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "archive_failures" {
  count = var.archive ? 1 : 0

  alarm_name        = "${local.name}-archive-failures"
  alarm_description = "Lambda gave up on batches; the archive has a gap. ${local.runbook}archive_failures"

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = aws_sqs_queue.archive_failures[0].name }
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

resource "aws_cloudwatch_metric_alarm" "unreadable_records" {
  count = var.archive ? 1 : 0

  alarm_name        = "${local.name}-unreadable-records"
  alarm_description = "The archiver cannot read stored items. ${local.runbook}unreadable_records"

  namespace   = local.own_namespace
  metric_name = "Unreadable"
  dimensions  = { FunctionName = aws_lambda_function.archiver[0].function_name }
  statistic   = "Sum"
  period      = 300

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}
