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

  table_metrics = {
    table_throttles = {
      description = "DynamoDB throttles writes to a table or an index."
      label       = "throttled writes"
      name        = "WriteThrottleEvents"
      dimensions  = local.written
    }

    table_errors = {
      description = "DynamoDB reports server errors."
      label       = "answers with HTTP 500"
      name        = "SystemErrors"
      dimensions  = local.called
    }
  }

  # On-demand tables throttle briefly while they scale, and the function retries that and single errors.
  alarms_of_tables = {
    for name, metric in local.table_metrics : name => {
      description = metric.description
      metrics = {
        for n, dimensions in metric.dimensions :
        "m${n}" => { namespace = "AWS/DynamoDB", name = metric.name, stat = "Sum", dimensions = dimensions }
      }
      result = {
        id         = trimprefix(name, "table_")
        label      = metric.label
        expression = "SUM([${join(", ", [for n in range(length(metric.dimensions)) : "m${n}"])}])"
      }
      periods    = 5
      datapoints = 3
    }
  }
}
