# Left to itself, Lambda would make this group and keep its logs for ever.
resource "aws_cloudwatch_log_group" "processor" {
  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
}
