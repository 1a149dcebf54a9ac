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

resource "aws_s3_bucket_public_access_block" "payloads" {
  bucket = aws_s3_bucket.payloads.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "payloads" {
  bucket = aws_s3_bucket.payloads.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "payloads" {
  bucket = aws_s3_bucket.payloads.id

  rule {
    # With a bucket key, S3 calls KMS once in a while and not for each object.
    bucket_key_enabled = var.kms_key_arn == null ? null : true

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
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
