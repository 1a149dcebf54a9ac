# Athena over the archive, without a crawler or a copy. Queries are billed by the bytes that they read.

locals {
  # The parts of the archive's paths before day and hour, with the values that partition projection needs.
  archive_lines = {
    for view, partitions in {
      events     = { type = local.event_types }
      rejected   = { kind = ["invalid_event", "event_id_conflict"] }
      duplicates = {}
    } : view => partitions if var.athena
  }

  archive_paths = {
    for view, partitions in local.archive_lines :
    view => join("/", concat([view], [for name in concat(keys(partitions), ["dt", "hour"]) : "${name}=$${${name}}"]))
  }

  archive_projection = {
    for view, partitions in local.archive_lines : view => merge(
      {
        "EXTERNAL"               = "TRUE"
        "projection.enabled"     = "true"
        "projection.dt.type"     = "date"
        "projection.dt.format"   = "yyyy-MM-dd"
        "projection.dt.range"    = "NOW-${var.archive_retention_days}DAYS,NOW"
        "projection.hour.type"   = "integer"
        "projection.hour.range"  = "0,23"
        "projection.hour.digits" = "2"
      },
      { for name in keys(partitions) : "projection.${name}.type" => "enum" },
      { for name, values in partitions : "projection.${name}.values" => join(",", values) },
    )
  }

  # The columns that the views add to those of columns.json, see tools/analytics/views.py.
  derived_columns = {
    events     = [{ name = "event", type = "varchar" }]
    rejected   = [{ name = "rules", type = "array(varchar)" }, { name = "body", type = "varchar" }]
    duplicates = []
  }

  # The columns of the views with Athena's types. Glue requires a list beside the view's SQL.
  archive_columns = {
    for view, columns in jsondecode(file("${var.checkout}/lambda_src/storage/columns.json")) : view => concat(
      [for column in columns : { name = column.name, type = column.sql } if can(column.sql) && !try(column.partition, false)],
      local.derived_columns[view],
      [for name in concat(keys(local.archive_lines[view]), ["dt", "hour"]) : { name = name, type = "varchar" }],
    ) if var.athena
  }

  # The Glue catalog uses Hive's names of types. These differ from Athena's.
  hive_types = { "varchar" = "string", "array(varchar)" = "array<string>", "timestamp(3)" = "timestamp" }

  archive_database = replace("${local.name}_archive", "-", "_")

  # Precedes each named query, which would otherwise read, and bill, the whole archive.
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
  description = "The archive of ${local.name}: the views events, rejected and duplicates, and the tables of raw lines."
}

# A line is one column of text, because a JSON SerDe would round numbers with many digits. The views extract the
# columns from it.
resource "aws_glue_catalog_table" "archive_lines" {
  for_each = local.archive_lines

  database_name = aws_glue_catalog_database.archive[0].name
  name          = "${each.key}_lines"
  description   = "Raw lines of ${each.key}/, which may contain copies. Query the view ${each.key} instead."
  table_type    = "EXTERNAL_TABLE"

  parameters = merge(local.archive_projection[each.key], {
    "storage.location.template" = "s3://${aws_s3_bucket.archive[0].id}/${local.archive_paths[each.key]}"
  })

  dynamic "partition_keys" {
    for_each = concat(keys(each.value), ["dt", "hour"])

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

      # The field separator is U+0001, which JSON text never contains, so a line is one field.
      parameters = { "serialization.format" = "1" }
    }
  }
}

# Athena stores a view in Glue as a comment that holds its SQL and its columns.
resource "aws_glue_catalog_table" "archive_views" {
  for_each = local.archive_lines

  database_name = aws_glue_catalog_database.archive[0].name
  name          = each.key
  description   = "One row for each message of ${each.key}/, without copies."
  table_type    = "VIRTUAL_VIEW"

  parameters = { presto_view = "true", comment = "Presto View" }

  view_original_text = format("/* Presto View: %s */", base64encode(jsonencode({
    catalog     = "awsdatacatalog"
    schema      = aws_glue_catalog_database.archive[0].name
    columns     = local.archive_columns[each.key]
    originalSql = file("${var.checkout}/tools/analytics/views/${each.key}.sql")
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

# Query results, which expire after a week.
resource "aws_s3_bucket" "athena_results" {
  # checkov:skip=CKV_AWS_18:Only analysts read it; CloudTrail can record their access.
  # checkov:skip=CKV_AWS_21:A query can be run again at any time, so a lost result costs little.
  # checkov:skip=CKV_AWS_144:A query can be run again at any time, so a lost result costs little.
  # checkov:skip=CKV_AWS_145:Results expire after a week and are encrypted with an AWS-managed key.
  # checkov:skip=CKV2_AWS_62:Athena emits its own event when a query is done.

  count = var.athena ? 1 : 0

  bucket        = "${local.name}-athena-${local.account_id}-${var.region}"
  force_destroy = true
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
  description   = "Queries of the archive: results expire after a week, a query reads at most ${var.athena_scan_limit_gb} GB."
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.athena_scan_limit_gb * pow(1024, 3)

    result_configuration {
      output_location = "s3://${aws_s3_bucket.athena_results[0].id}/results/"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

resource "aws_athena_named_query" "questions" {
  for_each = var.athena ? fileset("${var.checkout}/tools/analytics", "queries/*.sql") : []

  name        = trimsuffix(basename(each.key), ".sql")
  description = trimspace(trimprefix(split("\n", file("${var.checkout}/tools/analytics/${each.key}"))[0], "--"))
  workgroup   = aws_athena_workgroup.archive[0].id
  database    = aws_glue_catalog_database.archive[0].name
  query       = "WITH ${local.archive_days}\n${file("${var.checkout}/tools/analytics/${each.key}")}"
}
