# Left to itself, Lambda would make these groups and keep their logs for ever.
resource "aws_cloudwatch_log_group" "processor" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "archiver" {
  count = var.archive ? 1 : 0

  name              = "/aws/lambda/${local.archiver_name}"
  retention_in_days = var.log_retention_days
}
