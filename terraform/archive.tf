# The archive: all items inserted into the tables, as compressed JSON lines.

resource "aws_s3_bucket" "archive" {
  # checkov:skip=CKV_AWS_18:Only the archiver and roles that run queries have access; CloudTrail can record reads.
  # checkov:skip=CKV_AWS_21:An object is only overwritten with an equal one, and make rearchive restores it from the tables.
  # checkov:skip=CKV_AWS_144:make rearchive restores it from the tables, which are in one region too.
  # checkov:skip=CKV_AWS_145:AWS-managed encryption is used; a customer key costs money and needs grants and upkeep.
  # checkov:skip=CKV2_AWS_62:No reader waits for an object: queries list the bucket.

  count = var.archive ? 1 : 0

  bucket        = "${local.name}-archive-${local.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
}

# No versioning: an object is only overwritten with an equal one, and make rearchive restores it from the tables.
resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  count = var.archive ? 1 : 0

  bucket = aws_s3_bucket.archive[0].id

  # By default S3 moves no object under 128 KB, because it bills each as 128 KB plus the move.
  transition_default_minimum_object_size = "all_storage_classes_128K"

  rule {
    id     = "cheaper-with-age"
    status = "Enabled"

    filter {}

    transition {
      days          = 30
      storage_class = "STANDARD_IA"
    }

    transition {
      days          = 90
      storage_class = "GLACIER_IR"
    }

    expiration {
      days = var.archive_retention_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

# Batches that Lambda gave up on: their positions in the stream, not the records. make rearchive uses them.
resource "aws_sqs_queue" "archive_failures" {
  count = var.archive ? 1 : 0

  name = "${local.name}-archive-failures"

  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}
