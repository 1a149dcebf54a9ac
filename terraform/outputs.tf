output "queue_url" {
  description = "URL of the queue that producers send events to."
  value       = aws_sqs_queue.events.id
}

output "dlq_url" {
  description = "URL of the dead-letter queue for messages that failed max_receive_count times."
  value       = aws_sqs_queue.events_dlq.id
}

output "table_name" {
  description = "Name of the table of stored events."
  value       = aws_dynamodb_table.events.name
}

output "rejected_table_name" {
  description = "Name of the table of rejected events and the reasons."
  value       = aws_dynamodb_table.rejected.name
}

output "duplicates_table_name" {
  description = "Name of the table of counted duplicates."
  value       = aws_dynamodb_table.duplicates.name
}

output "alerts_topic_arn" {
  description = "ARN of the topic of business alerts."
  value       = aws_sns_topic.alerts.arn
}

output "ops_topic_arn" {
  description = "ARN of the topic of alarms."
  value       = aws_sns_topic.ops.arn
}

output "function_name" {
  description = "Name of the Lambda function."
  value       = aws_lambda_function.processor.function_name
}

output "payload_bucket" {
  description = "Name of the bucket of payloads that are too large for a DynamoDB item."
  value       = aws_s3_bucket.payloads.id
}

output "archiver_function_name" {
  description = "Name of the Lambda function that writes the archive; empty without an archive."
  value       = join("", aws_lambda_function.archiver[*].function_name)
}

output "archive_bucket" {
  description = "Name of the bucket of archived events; empty without an archive."
  value       = join("", aws_s3_bucket.archive[*].id)
}

output "archive_failures_queue_url" {
  description = "URL of the queue of batches that could not be archived; empty without an archive."
  value       = join("", aws_sqs_queue.archive_failures[*].id)
}

output "kms_key_statements" {
  description = "Statements that the owner of kms_key_arn adds to the key's policy; empty without a key."
  value       = join("", data.aws_iam_policy_document.key[*].json)
}

output "athena_workgroup" {
  description = "Name of the Athena workgroup for queries of the archive; empty without Athena."
  value       = join("", aws_athena_workgroup.archive[*].id)
}
