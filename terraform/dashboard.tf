resource "aws_cloudwatch_dashboard" "pipeline" {
  # Dashboards belong to the account, not to a region, so the name carries the region.
  dashboard_name = "${local.name}-${var.region}"

  # jsondecode makes a template that is not valid JSON fail at plan.
  dashboard_body = jsonencode(jsondecode(templatefile("${var.checkout}/dashboards/cloudwatch.json.tftpl", {
    region      = var.region
    function    = aws_lambda_function.processor.function_name
    queue       = aws_sqs_queue.events.name
    dlq         = aws_sqs_queue.events_dlq.name
    events      = aws_dynamodb_table.events.name
    rejected    = aws_dynamodb_table.rejected.name
    duplicates  = aws_dynamodb_table.duplicates.name
    namespace   = local.own_namespace
    event_types = local.event_types
    alarms = concat(
      [aws_cloudwatch_composite_alarm.pipeline_unhealthy.arn],
      values(aws_cloudwatch_metric_alarm.pipeline)[*].arn,
      [aws_cloudwatch_metric_alarm.large_orders.arn],
    )
  })))
}
