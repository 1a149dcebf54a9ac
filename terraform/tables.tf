locals {
  event_summary = [
    "customer_id", "event_type", "occurred_at", "processed_at", "ingest_latency_ms", "amount", "currency", "large_order",
    "item_count", "content_hash", "message_id",
  ]
}

resource "aws_dynamodb_table" "events" {
  # checkov:skip=CKV_AWS_119:A key of one's own is to be paid, granted and kept alive; AWS's own key encrypts as well.

  name                        = "${local.name}-events"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.deletion_protection

  hash_key = "event_id"

  # What is inserted goes to the archive: archive.tf.
  stream_enabled   = var.archive
  stream_view_type = var.archive ? "NEW_IMAGE" : null

  dynamic "attribute" {
    for_each = ["event_id", "customer_id", "type_bucket", "large_bucket", "received_at"]

    content {
      name = attribute.value
      type = "S"
    }
  }

  # Newest first: of a customer, of a type, and of large orders alone, which alone have a large_bucket.
  dynamic "global_secondary_index" {
    for_each = {
      by_customer  = "customer_id"
      by_type      = "type_bucket"
      large_orders = "large_bucket"
    }

    content {
      name            = global_secondary_index.key
      hash_key        = global_secondary_index.value
      range_key       = "received_at"
      projection_type = "INCLUDE"

      # A summary and no payload, so that an entry costs one write unit.
      non_key_attributes = setsubtract(local.event_summary, [global_secondary_index.value])
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled = true
  }
}

# Events that broke the contract, and events that came a second time with another content.
resource "aws_dynamodb_table" "rejected" {
  # checkov:skip=CKV_AWS_119:A key of one's own is to be paid, granted and kept alive; AWS's own key encrypts as well.

  name                        = "${local.name}-rejected"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.deletion_protection

  hash_key = "message_id"

  stream_enabled   = var.archive
  stream_view_type = var.archive ? "NEW_IMAGE" : null

  dynamic "attribute" {
    for_each = ["message_id", "bucket", "rejected_at"]

    content {
      name = attribute.value
      type = "S"
    }
  }

  global_secondary_index {
    name               = "newest"
    hash_key           = "bucket"
    range_key          = "rejected_at"
    projection_type    = "INCLUDE"
    non_key_attributes = ["event_id", "event_type", "kind", "rules", "summary", "violation_count"]
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled = true
  }
}

# One row for each message that was a duplicate: what was sent can be held against what was stored.
resource "aws_dynamodb_table" "duplicates" {
  # checkov:skip=CKV_AWS_119:A key of one's own is to be paid, granted and kept alive; AWS's own key encrypts as well.

  name                        = "${local.name}-duplicates"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.deletion_protection

  hash_key = "message_id"

  attribute {
    name = "message_id"
    type = "S"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  server_side_encryption {
    enabled = true
  }
}
