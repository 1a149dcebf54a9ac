# The tables. DynamoDB reports throttles and errors only if they occur.

locals {
  # A throttled index delays the writes to its table.
  written = [
    { TableName = aws_dynamodb_table.events.name },
    { TableName = aws_dynamodb_table.events.name, GlobalSecondaryIndexName = "by_customer" },
    { TableName = aws_dynamodb_table.events.name, GlobalSecondaryIndexName = "by_type" },
    { TableName = aws_dynamodb_table.events.name, GlobalSecondaryIndexName = "large_orders" },
    { TableName = aws_dynamodb_table.rejected.name },
    { TableName = aws_dynamodb_table.rejected.name, GlobalSecondaryIndexName = "newest" },
    { TableName = aws_dynamodb_table.duplicates.name },
  ]

  # The operations that the function calls. A transaction is an operation of its own.
  called = [
    { TableName = aws_dynamodb_table.events.name, Operation = "PutItem" },
    { TableName = aws_dynamodb_table.events.name, Operation = "UpdateItem" },
    { TableName = aws_dynamodb_table.events.name, Operation = "TransactWriteItems" },
    { TableName = aws_dynamodb_table.rejected.name, Operation = "PutItem" },
    { TableName = aws_dynamodb_table.rejected.name, Operation = "UpdateItem" },
    { TableName = aws_dynamodb_table.rejected.name, Operation = "DeleteItem" },
    { TableName = aws_dynamodb_table.rejected.name, Operation = "TransactWriteItems" },
    { TableName = aws_dynamodb_table.duplicates.name, Operation = "BatchWriteItem" },
  ]
}

resource "aws_cloudwatch_metric_alarm" "table_throttles" {
  alarm_name        = "${local.name}-table-throttles"
  alarm_description = "DynamoDB throttles writes to a table or an index. ${local.runbook}table_throttles"

  dynamic "metric_query" {
    for_each = local.written

    content {
      id = "m${metric_query.key}"

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = "WriteThrottleEvents"
        dimensions  = metric_query.value
        stat        = "Sum"
        period      = 60
      }
    }
  }

  metric_query {
    id          = "throttles"
    label       = "throttled writes"
    expression  = "SUM([${join(", ", [for n in range(length(local.written)) : "m${n}"])}])"
    return_data = true
  }

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # On-demand tables throttle briefly while they scale, and the function retries.
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}

resource "aws_cloudwatch_metric_alarm" "table_errors" {
  alarm_name        = "${local.name}-table-errors"
  alarm_description = "DynamoDB reports server errors. ${local.runbook}table_errors"

  dynamic "metric_query" {
    for_each = local.called

    content {
      id = "m${metric_query.key}"

      metric {
        namespace   = "AWS/DynamoDB"
        metric_name = "SystemErrors"
        dimensions  = metric_query.value
        stat        = "Sum"
        period      = 60
      }
    }
  }

  metric_query {
    id          = "errors"
    label       = "answers with HTTP 500"
    expression  = "SUM([${join(", ", [for n in range(length(local.called)) : "m${n}"])}])"
    return_data = true
  }

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  # The function retries single errors.
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"

  alarm_actions = local.to_ops
  ok_actions    = local.to_ops
}
