# Payloads that are too large for a DynamoDB item. Items point to them; an object expires after its item.
resource "aws_s3_bucket" "payloads" {
  # checkov:skip=CKV_AWS_18:Only the function and the tools have access, by their roles; CloudTrail can record reads.
  # checkov:skip=CKV_AWS_144:Queue, tables and function are in one region too: a copy of the payloads alone has no use.
  # checkov:skip=CKV_AWS_145:AWS-managed encryption is used; a customer key costs money and needs grants and upkeep.
  # checkov:skip=CKV2_AWS_62:No reader waits for a payload: the item that points to it is written later.

  # Bucket names are global: account and region make this one unique.
  bucket        = "${local.name}-payloads-${local.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_versioning" "payloads" {
  bucket = aws_s3_bucket.payloads.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "payloads" {
  bucket = aws_s3_bucket.payloads.id

  rule {
    id     = "abandoned-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  # A redelivered message writes the same object again, which leaves an equal older version.
  rule {
    id     = "replaced-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  # The items that point to these expire by DynamoDB's TTL, which may be days late.
  rule {
    id     = "rejected-payloads"
    status = "Enabled"

    filter {
      prefix = "payloads/rejected/"
    }

    expiration {
      days = var.rejected_retention_days + 7
    }
  }

  # Rules about versions need a bucket with versioning.
  depends_on = [aws_s3_bucket_versioning.payloads]
}
