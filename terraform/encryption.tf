# One's own KMS key (kms_key_arn). Without it AWS's keys are used, which cost nothing and need no grants.

locals {
  # What a role needs of the key to read and write through SQS, SNS, S3 and DynamoDB.
  key_actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
}

# The statements that the key's owner adds to its policy. A key policy's resource is the key itself.
data "aws_iam_policy_document" "key" {
  # checkov:skip=CKV_AWS_109:The resource of a key policy is the key that it belongs to.
  # checkov:skip=CKV_AWS_111:The resource of a key policy is the key that it belongs to.
  # checkov:skip=CKV_AWS_356:The resource of a key policy is the key that it belongs to.

  count = var.kms_key_arn == null ? 0 : 1

  # Lets this account's roles and its deployer use the key, as far as their own policies allow it.
  statement {
    sid       = "UseByPipeline"
    actions   = concat(local.key_actions, ["kms:CreateGrant"])
    resources = ["*"]

    principals {
      type        = "AWS"
      identifiers = ["arn:${local.partition}:iam::${local.account_id}:root"]
    }

    condition {
      test     = "StringLike"
      variable = "kms:ViaService"
      values   = [for service in ["dynamodb", "s3", "sns", "sqs"] : "${service}.${var.region}.amazonaws.com*"]
    }
  }

  statement {
    sid       = "PublishAlarmsAndDeliverAlerts"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["cloudwatch.amazonaws.com", "sns.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid = "WriteLogs"
    actions = [
      "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo",
    ]
    resources = ["*"]

    principals {
      type        = "Service"
      identifiers = ["logs.${var.region}.amazonaws.com"]
    }

    condition {
      test     = "ArnLike"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = ["arn:${local.partition}:logs:${var.region}:${local.account_id}:log-group:/aws/lambda/${local.name}-*"]
    }
  }
}
