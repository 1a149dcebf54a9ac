# Naming and place

variable "name_prefix" {
  description = "First part of every name: 2 to 24 lower-case letters, digits and hyphens."
  type        = string
  default     = "rt-pipeline"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,22}[a-z0-9]$", var.name_prefix))
    error_message = "name_prefix is 2 to 24 of a-z, 0-9 and -, begins with a letter and does not end with -."
  }

  # The bucket's name adds "-payloads-", a 12-digit account, "-" and a region of up to 14; S3 allows 63 in all.
  validation {
    condition     = length("${var.name_prefix}-${var.environment}") <= 26
    error_message = "name_prefix and environment, joined by a hyphen, are at most 26 characters."
  }
}

variable "environment" {
  description = "Second part of every name: 2 to 12 lower-case letters and digits, such as dev or prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,11}$", var.environment))
    error_message = "environment is 2 to 12 lower-case letters and digits and begins with a letter."
  }
}

variable "region" {
  description = "AWS region of all resources, such as eu-central-1."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2,4}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region is the code of an AWS region, such as us-east-1."
  }
}

variable "tags" {
  description = "Tags of all resources, beside Project, Environment and ManagedBy."
  type        = map(string)
  default     = {}

  validation {
    condition = length(var.tags) <= 47 && alltrue([
      for key, value in var.tags : can(regex("^[A-Za-z0-9 +=._:/@-]{1,128}$", key))
      && can(regex("^[\\p{L}\\p{Z}\\p{N}+=._:/@-]{0,256}$", value))
      && !startswith(lower(key), "aws:") && !contains(["project", "environment", "managedby"], lower(key))
      # IAM ignores the case of keys.
    ]) && length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags)
    error_message = "tags has up to 47 different keys, none of Project, Environment, ManagedBy and aws:, and values of letters, digits, spaces and +=._:/@-."
  }
}

variable "allowed_account_ids" {
  description = "AWS accounts that this environment may be deployed to, 12 digits each. Empty allows any account."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.allowed_account_ids : can(regex("^[0-9]{12}$", account))])
    error_message = "allowed_account_ids holds account ids of 12 digits, in quotes."
  }
}

# Function

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of all roles. make deploy-aws always sets it. null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary is the ARN of a managed policy."
  }
}

variable "runtime" {
  description = "Python of both functions: python3.11 to python3.14. Before 3.14 payloads are compressed with zlib."
  type        = string
  default     = "python3.14"

  validation {
    condition     = contains(["python3.11", "python3.12", "python3.13", "python3.14"], var.runtime)
    error_message = "runtime is python3.11, python3.12, python3.13 or python3.14."
  }
}

variable "log_level" {
  description = "Lowest level that the functions log: INFO, WARNING or ERROR. Above INFO a batch's line has no event ids."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level is INFO, WARNING or ERROR."
  }
}

variable "lambda_zip" {
  description = "Path of the function's zip, absolute or relative to Terraform's directory."
  type        = string
  default     = "../build/lambda.zip"

  validation {
    condition     = endswith(var.lambda_zip, ".zip")
    error_message = "lambda_zip is the path of a .zip file."
  }
}

variable "function_timeout" {
  description = "Maximum duration of an invocation in seconds, 1 to 900."
  type        = number
  default     = 30

  validation {
    condition     = var.function_timeout >= 1 && var.function_timeout <= 900
    error_message = "function_timeout is 1 to 900 seconds."
  }
}

variable "function_memory" {
  description = "Memory of the function in MB, 128 to 10240. CPU scales with it: 1769 MB is one vCPU."
  type        = number
  default     = 512

  validation {
    condition     = var.function_memory >= 128 && var.function_memory <= 10240
    error_message = "function_memory is 128 to 10240 MB."
  }
}

variable "log_retention_days" {
  description = "Log retention in days: a period that CloudWatch Logs offers, 1 to 3653."
  type        = number
  default     = 30

  validation {
    condition = contains([
      1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
    ], var.log_retention_days)
    error_message = "log_retention_days is a period that CloudWatch Logs offers, such as 1, 7, 30, 90 or 365."
  }
}

# Queue and event source mapping

variable "batch_size" {
  description = "Maximum number of messages in an invocation, 1 to 10000. Above 10 it needs a batching_window."
  type        = number
  default     = 10

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10000
    error_message = "batch_size is 1 to 10000 messages."
  }
}

variable "batching_window" {
  description = "Maximum time that Lambda waits to fill a batch, in seconds, 0 to 300."
  type        = number
  default     = 0

  validation {
    condition     = var.batching_window >= 0 && var.batching_window <= 300
    error_message = "batching_window is 0 to 300 seconds."
  }

  validation {
    condition     = var.batch_size <= 10 || var.batching_window >= 1
    error_message = "A batch_size above 10 needs a batching_window of at least 1 second."
  }
}

variable "maximum_concurrency" {
  description = "Maximum number of concurrent invocations by the queue, 2 to 1000. 0: no limit."
  type        = number
  default     = 50

  validation {
    condition     = var.maximum_concurrency == 0 || (var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000)
    error_message = "maximum_concurrency is 2 to 1000 invocations, or 0."
  }
}

variable "provisioned_pollers" {
  description = "Pollers that Lambda keeps ready for the queue, billed by the hour: min 2 to 200, max 2 to 2000. null: none."
  type        = object({ min = number, max = number })
  default     = null

  validation {
    condition = var.provisioned_pollers == null ? true : (
      var.provisioned_pollers.min >= 2 && var.provisioned_pollers.min <= 200
      && var.provisioned_pollers.max >= var.provisioned_pollers.min && var.provisioned_pollers.max <= 2000
    )
    error_message = "provisioned_pollers has min, 2 to 200, and max, min to 2000."
  }

  validation {
    condition     = var.provisioned_pollers == null || var.maximum_concurrency == 0
    error_message = "Lambda accepts one of them: with provisioned_pollers, set maximum_concurrency = 0."
  }
}

variable "max_receive_count" {
  description = "Number of deliveries before a message goes to the dead-letter queue, 1 to 1000."
  type        = number
  default     = 5

  validation {
    condition     = var.max_receive_count >= 1 && var.max_receive_count <= 1000 && floor(var.max_receive_count) == var.max_receive_count
    error_message = "max_receive_count is 1 to 1000 deliveries."
  }
}

# Storage and retention

variable "point_in_time_recovery" {
  description = "Whether the tables can be restored to any second of the last 35 days."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the tables, and buckets that are not empty."
  type        = bool
  default     = true
}

variable "table_ceiling" {
  description = "Maximum read and write units a second of each table, 1 or more. Above it DynamoDB throttles. null: none."
  type        = object({ reads = number, writes = number })
  default     = null

  validation {
    condition     = var.table_ceiling == null ? true : min(var.table_ceiling.reads, var.table_ceiling.writes) >= 1
    error_message = "table_ceiling has reads and writes, 1 or more units a second."
  }
}

variable "kms_key_arn" {
  description = "ARN of your KMS key for queues, tables, buckets, topics and logs. Its owner adds the output kms_key_statements. null: AWS's keys."
  type        = string
  default     = null

  validation {
    condition = var.kms_key_arn == null || can(regex(
      "^arn:aws[a-z-]*:kms:${var.region}:[0-9]{12}:key/[A-Za-z0-9-]+$", var.kms_key_arn
    ))
    error_message = "kms_key_arn is the ARN of a key (not an alias) in this region."
  }
}

variable "rejected_retention_days" {
  description = "Retention of rejected events, for inspection and replay, in days, 1 to 3650."
  type        = number
  default     = 90

  validation {
    condition     = var.rejected_retention_days >= 1 && var.rejected_retention_days <= 3650 && floor(var.rejected_retention_days) == var.rejected_retention_days
    error_message = "rejected_retention_days is 1 to 3650 days."
  }
}

variable "duplicates_retention_days" {
  description = "Retention of rows that count duplicates, in days, 1 to 3650."
  type        = number
  default     = 30

  validation {
    condition     = var.duplicates_retention_days >= 1 && var.duplicates_retention_days <= 3650 && floor(var.duplicates_retention_days) == var.duplicates_retention_days
    error_message = "duplicates_retention_days is 1 to 3650 days."
  }
}

# Archive of stored and rejected events

variable "archive" {
  description = "Whether stored and rejected events are also archived in a bucket, for queries."
  type        = bool
  default     = true
}

variable "archiver_zip" {
  description = "Path of the archiver's zip, absolute or relative to Terraform's directory."
  type        = string
  default     = "../build/archiver.zip"

  validation {
    condition     = endswith(var.archiver_zip, ".zip")
    error_message = "archiver_zip is the path of a .zip file."
  }
}

variable "archive_batch_size" {
  description = "Maximum number of stream records in an invocation of the archiver, 1 to 10000. A batch has at most 6 MB."
  type        = number
  # About 4,000 items of 1 KB events fill 6 MB, so that objects become as large as possible.
  default = 5000

  validation {
    condition     = var.archive_batch_size >= 1 && var.archive_batch_size <= 10000
    error_message = "archive_batch_size is 1 to 10000 records."
  }
}

variable "archive_batching_window" {
  description = "Maximum time that Lambda waits to fill a batch of stream records, in seconds, 1 to 300."
  type        = number
  default     = 60

  validation {
    condition     = var.archive_batching_window >= 1 && var.archive_batching_window <= 300
    error_message = "archive_batching_window is 1 to 300 seconds."
  }
}

variable "archive_retention_days" {
  description = "Retention of archived events in days, 180 to 36500."
  type        = number
  default     = 1095

  # After 90 days objects move to a class that bills at least 90 more days.
  validation {
    condition     = var.archive_retention_days >= 180 && var.archive_retention_days <= 36500
    error_message = "archive_retention_days is 180 to 36500 days."
  }
}

variable "archive_age_minutes" {
  description = "Alarm threshold for the age of an event that is not yet archived, in minutes, 5 to 1080."
  type        = number
  # A stream keeps records for 24 hours.
  default = 15

  validation {
    condition     = var.archive_age_minutes >= 5 && var.archive_age_minutes <= 1080
    error_message = "archive_age_minutes is 5 to 1080 minutes."
  }
}

variable "athena" {
  description = "Whether to create Athena tables, views, a workgroup and named queries over the archive. Not on emulators."
  type        = bool
  default     = false

  validation {
    condition     = var.archive || !var.athena
    error_message = "athena needs archive = true."
  }
}

variable "athena_scan_limit_gb" {
  description = "Maximum that an Athena query may read before it is stopped (and billed), in GB, 1 to 7000."
  type        = number
  default     = 100

  validation {
    condition     = var.athena_scan_limit_gb >= 1 && var.athena_scan_limit_gb <= 7000
    error_message = "athena_scan_limit_gb is 1 to 7000 GB."
  }
}

# Alerts

variable "large_order_threshold" {
  description = "Amount above which an order is large, in the order's currency: 0 or more, at most 4 decimals."
  # A string that the function reads as a decimal, because a binary float cannot hold every amount.
  type    = string
  default = "1000"

  validation {
    condition     = can(regex("^(0|[1-9][0-9]{0,14})([.][0-9]{1,4})?$", var.large_order_threshold))
    error_message = "large_order_threshold is 0 or more, with at most 15 digits before the point and 4 after."
  }
}

variable "batch_summary_alerts" {
  description = "Whether every invocation also publishes a batch_processed summary."
  type        = bool
  default     = true
}

variable "alert_emails" {
  description = "E-mail addresses for business alerts. Each recipient must confirm the subscription."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "alert_emails holds e-mail addresses."
  }
}

variable "alert_subscriptions" {
  description = "Receivers by name: protocol, endpoint, topic (alerts or ops) and a filter of alerts. See docs/alerts.md."
  type = map(object({
    protocol    = string
    endpoint    = string
    topic       = optional(string, "alerts")
    alert_types = optional(set(string))
    event_types = optional(set(string))
    minimum     = optional(object({ amount = number, currency = string }))
  }))
  default = {}

  validation {
    condition     = alltrue([for name in keys(var.alert_subscriptions) : can(regex("^[a-z0-9][a-z0-9_-]*$", name))])
    error_message = "A name in alert_subscriptions has lower-case letters, digits, - and _."
  }

  validation {
    condition = alltrue([for each in values(var.alert_subscriptions) : can(regex({
      email  = "^[^@\\s]+@[^@\\s]+$"
      sms    = "^[+][1-9][0-9]{6,14}$"
      https  = "^https://[^/\\s]+\\S*$"
      sqs    = "^arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$"
      lambda = "^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:function:[A-Za-z0-9_:-]+$"
    }[each.protocol], each.endpoint))])
    error_message = "protocol is email, sms (+49151...), https (https://...), sqs or lambda (an ARN), endpoint fits it."
  }

  validation {
    condition = alltrue([
      for each in values(var.alert_subscriptions) : each.topic == "alerts" || (each.topic == "ops"
      && each.alert_types == null && each.event_types == null && each.minimum == null)
    ])
    error_message = "topic is alerts or ops. Alarms on ops have no attributes to filter by."
  }

  validation {
    condition = alltrue(flatten([
      for each in values(var.alert_subscriptions) : [
        for types in [each.alert_types, each.event_types] : types == null ? true : (
          length(types) > 0 && alltrue([for type in types : can(regex("^[A-Za-z0-9_.:/-]{1,64}$", type))])
        )
      ]
    ]))
    error_message = "alert_types and event_types name at least one type."
  }

  validation {
    condition = alltrue([
      for each in values(var.alert_subscriptions) : each.minimum == null ? true : (
        each.minimum.amount > 0 && each.minimum.amount <= 1000000000
        && can(regex("^[A-Z]{3}$", each.minimum.currency))
      )
    ])
    error_message = "minimum has an amount of up to 1000000000, which SNS compares, and a currency such as EUR."
  }
}

variable "ops_emails" {
  description = "E-mail addresses for alarms. Each recipient must confirm the subscription."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for address in var.ops_emails : can(regex("^[^@\\s]+@[^@\\s]+$", address))])
    error_message = "ops_emails holds e-mail addresses."
  }
}

# Alarm thresholds that depend on how the pipeline is used

variable "oldest_message_seconds" {
  description = "Alarm threshold for the age of the oldest event in the queue, in seconds, 60 to 345600 (four days)."
  type        = number
  # SQS ignores messages that were received three times, which takes 540 s with a timeout of 30 s. A message that
  # fails repeatedly does not raise this alarm, but reaches the dead-letter queue.
  default = 600

  validation {
    condition     = var.oldest_message_seconds >= 60 && var.oldest_message_seconds <= 345600
    error_message = "oldest_message_seconds is 60 to 345600 seconds."
  }
}

variable "queue_latency_seconds" {
  description = "Objective for the time from the queue to storage that 95% of the events keep, in seconds, 1 to 3600."
  type        = number
  default     = 30

  validation {
    condition     = var.queue_latency_seconds >= 1 && var.queue_latency_seconds <= 3600
    error_message = "queue_latency_seconds is 1 to 3600 seconds."
  }
}

variable "backlog_messages" {
  description = "Number of waiting messages below which a growing backlog raises no alarm, 0 or more."
  type        = number
  default     = 1000

  validation {
    condition     = var.backlog_messages >= 0
    error_message = "backlog_messages is 0 or more messages."
  }
}

variable "backlog_minutes" {
  description = "Time that the backlog may grow before the alarm, in minutes: 5, 10 and so on to 60."
  type        = number
  default     = 15

  validation {
    condition     = contains(range(5, 65, 5), var.backlog_minutes)
    error_message = "backlog_minutes is 5, 10, 15 and so on up to 60 minutes."
  }
}

variable "rejection_rate_percent" {
  description = "Alarm threshold for the share of rejected events, in percent, 0 to 100."
  type        = number
  default     = 5

  validation {
    condition     = var.rejection_rate_percent >= 0 && var.rejection_rate_percent <= 100
    error_message = "rejection_rate_percent is 0 to 100 percent."
  }
}

variable "large_orders_per_hour" {
  description = "Minimum and maximum number of large orders in a usual hour. null: CloudWatch learns them in two weeks."
  type        = object({ fewest = number, most = number })
  default     = null

  validation {
    condition = (var.large_orders_per_hour == null ? true :
      var.large_orders_per_hour.fewest >= 0 && var.large_orders_per_hour.fewest <= var.large_orders_per_hour.most
    )
    error_message = "large_orders_per_hour has fewest, 0 or more, and most, no less than fewest."
  }
}

variable "checkout" {
  description = "Path of the checkout, absolute or relative to where Terraform runs: contract, queries and dashboard are read."
  type        = string
  default     = ".."

  validation {
    condition     = var.checkout != ""
    error_message = "checkout is the path of a directory."
  }
}

# Transport

variable "refuse_plain_http" {
  description = "Whether queues, topics and buckets refuse requests without TLS. Set false only for emulators."
  type        = bool
  default     = true
}
