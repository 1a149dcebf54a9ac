data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  name       = "${var.name_prefix}-${var.environment}"
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition

  # The contract's event types, in its order. A new type needs no change here.
  event_types = jsondecode(file("${var.checkout}/lambda_src/contract/event.schema.json")).properties.event_type.enum

  # Named here because a log group must exist, under this name, before its function does.
  function_name = "${local.name}-processor"
  archiver_name = "${local.name}-archiver"
}
