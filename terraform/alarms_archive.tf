# The archive. Archiving is asynchronous and never blocks processing; delayed items stay in the tables.

locals {
  archiver_dimension = { FunctionName = join("", aws_lambda_function.archiver[*].function_name) }

  alarms_of_archive = {
    archiver_errors = {
      description = "The archiver failed; Lambda retries its batches."
      dimensions  = local.archiver_dimension
      metric      = { namespace = "AWS/Lambda", name = "Errors", stat = "Sum" }
      # Lambda retries a failed batch within a minute.
      periods    = 5
      datapoints = 3
    }

    archiver_behind = {
      description = "Stored events wait too long for the archive."
      dimensions  = local.archiver_dimension
      # In milliseconds, reported with each batch: no data means no batch.
      metric     = { namespace = "AWS/Lambda", name = "IteratorAge", stat = "Maximum" }
      above      = 60000 * var.archive_age_minutes
      periods    = 5
      datapoints = 3
    }

    # The archiver's own metrics are silent when its stream mappings are disabled or gone.
    archiver_stopped = {
      description = "Events are stored and none is archived."
      metrics = {
        stored = { namespace = local.own_namespace, name = "Stored", stat = "Sum" }
        archived = {
          namespace = local.own_namespace, name = "ArchivedEvents", stat = "Sum", dimensions = local.archiver_dimension
        }
      }
      result = {
        id         = "unarchived"
        label      = "stored while nothing was archived"
        expression = "IF(FILL(archived, 0) == 0, stored, 0)"
      }
      # Fifteen minutes. The batching window delays events by five minutes at most.
      period  = 300
      periods = 3
    }

    archive_failures = {
      description = "Lambda gave up on batches; the archive has a gap."
      dimensions  = { QueueName = join("", aws_sqs_queue.archive_failures[*].name) }
      metric      = { namespace = "AWS/SQS", name = "ApproximateNumberOfMessagesVisible", stat = "Maximum" }
      # SQS reports no metrics for a queue that was unused for six hours, even if messages wait in it.
      silence = "ignore"
    }

    unreadable_records = {
      description = "The archiver cannot read stored items."
      dimensions  = local.archiver_dimension
      metric      = { namespace = local.own_namespace, name = "Unreadable", stat = "Sum" }
      period      = 300
    }
  }
}
