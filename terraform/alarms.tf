resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  alarm_name        = "${local.name}-dead-letters"
  alarm_description = "Messages failed too often and wait in the dead-letter queue. See docs/reliability.md."

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = aws_sqs_queue.events_dlq.name }
  statistic   = "Maximum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  # SQS falls silent about a queue that nobody touched for six hours, even while messages wait in it.
  treat_missing_data = "ignore"

  alarm_actions = [aws_sns_topic.ops.arn]
  ok_actions    = [aws_sns_topic.ops.arn]
}

resource "aws_cloudwatch_metric_alarm" "function_errors" {
  alarm_name        = "${local.name}-function-errors"
  alarm_description = "The function failed and its batches went back to the queue. See docs/reliability.md."

  namespace   = "AWS/Lambda"
  metric_name = "Errors"
  dimensions  = { FunctionName = aws_lambda_function.processor.function_name }
  statistic   = "Sum"
  period      = 60

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # One bad minute raises it and five good ones end it, so that a flickering fault is one mail and not fifty.
  evaluation_periods  = 5
  datapoints_to_alarm = 1
  # Lambda reports nothing while nothing is invoked.
  treat_missing_data = "notBreaching"

  alarm_actions = [aws_sns_topic.ops.arn]
  ok_actions    = [aws_sns_topic.ops.arn]
}
