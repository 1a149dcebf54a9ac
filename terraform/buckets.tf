# What every bucket has: no public access, no access lists, encryption, and TLS only (tls.tf).

locals {
  buckets = merge(
    { payloads = { id = aws_s3_bucket.payloads.id, arn = aws_s3_bucket.payloads.arn } },
    { for bucket in aws_s3_bucket.archive : "archive" => { id = bucket.id, arn = bucket.arn } },
    { for bucket in aws_s3_bucket.athena_results : "athena_results" => { id = bucket.id, arn = bucket.arn } },
  )
}

resource "aws_s3_bucket_public_access_block" "each" {
  for_each = local.buckets

  bucket = each.value.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "each" {
  for_each = local.buckets

  bucket = each.value.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "each" {
  for_each = local.buckets

  bucket = each.value.id

  rule {
    # With a bucket key, S3 calls KMS once in a while and not for each object.
    bucket_key_enabled = var.kms_key_arn == null ? null : true

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_policy" "each" {
  for_each = { for name, bucket in local.buckets : name => bucket if var.refuse_plain_http }

  bucket = each.value.id
  policy = data.aws_iam_policy_document.tls_only[each.key].json

  # S3 refuses two simultaneous changes of a bucket's access.
  depends_on = [aws_s3_bucket_public_access_block.each]
}
