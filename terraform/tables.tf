locals {
  event_summary = [
    "customer_id", "event_type", "occurred_at", "processed_at", "ingest_latency_ms", "amount", "currency", "large_order",
    "item_count", "content_hash", "message_id",
  ]
}

resource "aws_dynamodb_table" "events" {
  # checkov:skip=CKV_AWS_119:The key that AWS owns costs nothing; any other costs money and needs grants and upkeep.

  name                        = "${local.name}-events"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.deletion_protection

  hash_key = "event_id"

  # The archiver reads inserted items from the stream (archiver.tf).
  stream_enabled   = var.archive
  stream_view_type = var.archive ? "NEW_IMAGE" : null

  dynamic "attribute" {
    for_each = ["event_id", "customer_id", "type_bucket", "large_bucket", "received_at"]

    content {
      name = attribute.value
      type = "S"
    }
  }

  # For listing newest first: by customer, by type, and large orders. Only large orders have a large_bucket.
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

      # A summary without the payload, so that an entry costs one write unit.
      non_key_attributes = setsubtract(local.event_summary, [global_secondary_index.value])
    }
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  dynamic "on_demand_throughput" {
    for_each = var.table_ceiling[*]

    content {
      max_read_request_units  = on_demand_throughput.value.reads
      max_write_request_units = on_demand_throughput.value.writes
    }
  }
}

# Events that violate the contract, and event ids that arrived again with different content.
resource "aws_dynamodb_table" "rejected" {
  # checkov:skip=CKV_AWS_119:The key that AWS owns costs nothing; any other costs money and needs grants and upkeep.

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

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  dynamic "on_demand_throughput" {
    for_each = var.table_ceiling[*]

    content {
      max_read_request_units  = on_demand_throughput.value.reads
      max_write_request_units = on_demand_throughput.value.writes
    }
  }
}

# One row per duplicate message, so that make verify can compare sent and stored events.
resource "aws_dynamodb_table" "duplicates" {
  # checkov:skip=CKV_AWS_119:The key that AWS owns costs nothing; any other costs money and needs grants and upkeep.

  name                        = "${local.name}-duplicates"
  billing_mode                = "PAY_PER_REQUEST"
  deletion_protection_enabled = var.deletion_protection

  hash_key = "message_id"

  stream_enabled   = var.archive
  stream_view_type = var.archive ? "NEW_IMAGE" : null

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

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn[*]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }

  dynamic "on_demand_throughput" {
    for_each = var.table_ceiling[*]

    content {
      max_read_request_units  = on_demand_throughput.value.reads
      max_write_request_units = on_demand_throughput.value.writes
    }
  }
}
