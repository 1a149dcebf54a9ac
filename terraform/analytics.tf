# Athena over the archive, without a crawler or a copy. AWS bills the bytes that a query reads.

locals {
  # The partition keys in the archive's paths, for partition projection.
  archive_lines = var.athena ? {
    events   = { partition = "type", values = ["order", "payment", "activity"] }
    rejected = { partition = "kind", values = ["invalid_event", "event_id_conflict"] }
  } : {}

  # The views' columns with Athena's type names, in the order of tools/analytics/views/*.sql, for Glue.
  archive_columns = {
    events = [
      { name = "event_id", type = "varchar" },
      { name = "event_type", type = "varchar" },
      { name = "customer_id", type = "varchar" },
      { name = "occurred_at", type = "varchar" },
      { name = "received_at", type = "timestamp(3)" },
      { name = "processed_at", type = "timestamp(3)" },
      { name = "ingest_latency_ms", type = "bigint" },
      { name = "amount", type = "decimal(38,4)" },
      { name = "currency", type = "varchar" },
      { name = "large_order", type = "boolean" },
      { name = "item_count", type = "bigint" },
      { name = "payload_bytes", type = "bigint" },
      { name = "content_hash", type = "varchar" },
      { name = "schema_version", type = "varchar" },
      { name = "message_id", type = "varchar" },
      { name = "replayed", type = "boolean" },
      { name = "event", type = "varchar" },
      { name = "type", type = "varchar" },
      { name = "dt", type = "varchar" },
      { name = "hour", type = "varchar" },
    ]
    rejected = [
      { name = "message_id", type = "varchar" },
      { name = "event_id", type = "varchar" },
      { name = "event_type", type = "varchar" },
      { name = "received_at", type = "timestamp(3)" },
      { name = "rejected_at", type = "timestamp(3)" },
      { name = "reasons", type = "varchar" },
      { name = "rules", type = "array(varchar)" },
      { name = "violation_count", type = "bigint" },
      { name = "content_hash", type = "varchar" },
      { name = "payload_bytes", type = "bigint" },
      { name = "body", type = "varchar" },
      { name = "kind", type = "varchar" },
      { name = "dt", type = "varchar" },
      { name = "hour", type = "varchar" },
    ]
  }

  # Types that the Glue catalog, which uses Hive's names, names differently.
  hive_types = { "varchar" = "string", "array(varchar)" = "array<string>", "timestamp(3)" = "timestamp" }

  archive_database = replace("${local.name}_archive", "-", "_")

  # Prefix of each named query. Without a range of days it would read, and bill, the whole archive.
  archive_days = join(",\n", [
    for view in ["events", "rejected"] : join("", [
      "${view} AS (\n  SELECT * FROM ${local.archive_database}.${view}\n",
      "  WHERE dt >= cast(cast(current_date - interval '7' day AS date) AS varchar)\n)",
    ])
  ])
}

resource "aws_glue_catalog_database" "archive" {
  count = var.athena ? 1 : 0

  name        = local.archive_database
  description = "Archive of ${local.name}: the views events and rejected, and their raw lines."
}

# A line is one text column, because a JSON SerDe may change numbers with 19 digits. The views extract columns.
resource "aws_glue_catalog_table" "archive_lines" {
  for_each = local.archive_lines

  database_name = aws_glue_catalog_database.archive[0].name
  name          = "${each.key}_lines"
  description   = "Raw lines of ${each.key}/, with repeated ones. Query the view ${each.key} instead."
  table_type    = "EXTERNAL_TABLE"

  parameters = {
    "EXTERNAL"                                  = "TRUE"
    "projection.enabled"                        = "true"
    "projection.${each.value.partition}.type"   = "enum"
    "projection.${each.value.partition}.values" = join(",", each.value.values)
    "projection.dt.type"                        = "date"
    "projection.dt.format"                      = "yyyy-MM-dd"
    "projection.dt.range"                       = "NOW-${var.archive_retention_days}DAYS,NOW"
    "projection.hour.type"                      = "integer"
    "projection.hour.range"                     = "0,23"
    "projection.hour.digits"                    = "2"
    "storage.location.template" = format(
      "s3://%s/%s/%s=$${%s}/dt=$${dt}/hour=$${hour}",
      aws_s3_bucket.archive[0].id, each.key, each.value.partition, each.value.partition,
    )
  }

  dynamic "partition_keys" {
    for_each = [each.value.partition, "dt", "hour"]

    content {
      name = partition_keys.value
      type = "string"
    }
  }

  storage_descriptor {
    location      = "s3://${aws_s3_bucket.archive[0].id}/${each.key}/"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    columns {
      name = "line"
      type = "string"
    }

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"

      # The field separator U+0001 cannot occur unescaped in JSON, so a line is one field.
      parameters = { "serialization.format" = "1" }
    }
  }
}

# Glue stores a view in Athena's format: a comment with the SQL and the columns.
resource "aws_glue_catalog_table" "archive_views" {
  for_each = local.archive_lines

  database_name = aws_glue_catalog_database.archive[0].name
  name          = each.key
  description   = "One row per line of ${each.key}/, without repeated ones."
  table_type    = "VIRTUAL_VIEW"

  parameters = { presto_view = "true", comment = "Presto View" }

  view_original_text = format("/* Presto View: %s */", base64encode(jsonencode({
    catalog     = "awsdatacatalog"
    schema      = aws_glue_catalog_database.archive[0].name
    columns     = local.archive_columns[each.key]
    originalSql = file("${var.analytics_directory}/views/${each.key}.sql")
  })))
  view_expanded_text = "/* Presto View */"

  storage_descriptor {
    dynamic "columns" {
      for_each = local.archive_columns[each.key]

      content {
        name = columns.value.name
        type = lookup(local.hive_types, columns.value.type, columns.value.type)
      }
    }

    ser_de_info {
      name                  = "-"
      serialization_library = "-"
    }
  }
}

# Query results, kept for a short time.
resource "aws_s3_bucket" "athena_results" {
  # checkov:skip=CKV_AWS_18:Only roles that run queries have access; CloudTrail can record reads.
  # checkov:skip=CKV_AWS_21:A query can be repeated.
  # checkov:skip=CKV_AWS_144:A query can be repeated.
  # checkov:skip=CKV_AWS_145:AWS-managed encryption is used; a customer key costs money and needs grants and upkeep.
  # checkov:skip=CKV2_AWS_62:Athena reports the end of a query.

  count = var.athena ? 1 : 0

  bucket        = "${local.name}-athena-${local.account_id}-${var.region}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "athena_results" {
  count = var.athena ? 1 : 0

  bucket = aws_s3_bucket.athena_results[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "athena_results" {
  count = var.athena ? 1 : 0

  bucket = aws_s3_bucket.athena_results[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "athena_results" {
  count = var.athena ? 1 : 0

  bucket = aws_s3_bucket.athena_results[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "athena_results" {
  count = var.athena ? 1 : 0

  bucket = aws_s3_bucket.athena_results[0].id

  rule {
    id     = "results"
    status = "Enabled"

    filter {}

    expiration {
      days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_athena_workgroup" "archive" {
  count = var.athena ? 1 : 0

  name          = "${local.name}-archive"
  description   = "Queries of the archive. Results are kept for a week; a query reads at most ${var.athena_scan_limit_gb} GB."
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.athena_scan_limit_gb * pow(1024, 3)

    result_configuration {
      output_location = "s3://${aws_s3_bucket.athena_results[0].id}/results/"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}

resource "aws_athena_named_query" "questions" {
  for_each = var.athena ? fileset(var.analytics_directory, "queries/*.sql") : []

  name        = trimsuffix(basename(each.key), ".sql")
  description = trimspace(trimprefix(split("\n", file("${var.analytics_directory}/${each.key}"))[0], "--"))
  workgroup   = aws_athena_workgroup.archive[0].id
  database    = aws_glue_catalog_database.archive[0].name
  query       = "WITH ${local.archive_days}\n${file("${var.analytics_directory}/${each.key}")}"
}
