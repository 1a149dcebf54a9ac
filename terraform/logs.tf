# Otherwise Lambda would create these groups and keep their logs for ever.
resource "aws_cloudwatch_log_group" "processor" {
  # checkov:skip=CKV_AWS_158:AWS-managed encryption is used; a customer key costs money and needs grants and upkeep. No payload is logged.
  # checkov:skip=CKV_AWS_338:Records that must last a year are in the tables; the log is for debugging.

  name              = "/aws/lambda/${local.function_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_cloudwatch_log_group" "archiver" {
  # checkov:skip=CKV_AWS_158:AWS-managed encryption is used; a customer key costs money and needs grants and upkeep. No payload is logged.
  # checkov:skip=CKV_AWS_338:Records that must last a year are in the archive; the log is for debugging.

  count = var.archive ? 1 : 0

  name              = "/aws/lambda/${local.archiver_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
