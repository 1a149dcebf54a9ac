# The archive: what is inserted into the tables of events and of rejected events, as gzip JSON lines.

resource "aws_s3_bucket" "archive" {
  # checkov:skip=CKV_AWS_18:Only the archiver and those who query come here, by their roles; CloudTrail can tell who read what.
  # checkov:skip=CKV_AWS_21:What is written over an object is the same object, and all of it can be made anew from the tables.
  # checkov:skip=CKV_AWS_144:All of it can be made anew from the tables, which are in one region too.
  # checkov:skip=CKV_AWS_145:A key of one's own is to be paid, granted and kept alive; AWS's own key encrypts as well.
  # checkov:skip=CKV2_AWS_62:Nobody waits for an object: who queries lists what is there.

  count = var.archive ? 1 : 0

  bucket        = "${local.name}-archive-${local.account_id}-${var.region}"
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_public_access_block" "archive" {
  count = var.archive ? 1 : 0

  bucket = aws_s3_bucket.archive[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "archive" {
  count = var.archive ? 1 : 0

  bucket = aws_s3_bucket.archive[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "archive" {
  count = var.archive ? 1 : 0

  bucket = aws_s3_bucket.archive[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# No versioning: what is written over an object is the same object, and all of it can be made anew from the
# tables (make rearchive).
resource "aws_s3_bucket_lifecycle_configuration" "archive" {
  count = var.archive ? 1 : 0

  bucket = aws_s3_bucket.archive[0].id

  # S3 moves no object under 128 KB by itself: each one would be billed as 128 KB, and per object moved.
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

# What Lambda gave up on: not the records, but where in the stream they were. make rearchive needs no more.
resource "aws_sqs_queue" "archive_failures" {
  count = var.archive ? 1 : 0

  name = "${local.name}-archive-failures"

  message_retention_seconds = 14 * 24 * 60 * 60
  sqs_managed_sse_enabled   = true
}
