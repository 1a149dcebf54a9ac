# Left to itself, Lambda would make these groups and keep their logs for ever.
resource "aws_cloudwatch_log_group" "processor" {
  # checkov:skip=CKV_AWS_158:A key of one's own is to be paid, granted and kept alive; AWS's own key encrypts as well. No payload is logged.
  # checkov:skip=CKV_AWS_338:What has to last a year is in the tables; the log is for finding faults.

  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_group" "archiver" {
  # checkov:skip=CKV_AWS_158:A key of one's own is to be paid, granted and kept alive; AWS's own key encrypts as well. No payload is logged.
  # checkov:skip=CKV_AWS_338:What has to last a year is in the archive; the log is for finding faults.

  count = var.archive ? 1 : 0

  name              = "/aws/lambda/${local.archiver_name}"
  retention_in_days = var.log_retention_days
}
