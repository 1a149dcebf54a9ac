resource "aws_sqs_queue" "events" {
  name = "${local.name}-events"

  # AWS requires at least six times the function's timeout, so that throttled batches are retried before their
  # messages return to the queue. Messages also age while a batch fills.
  visibility_timeout_seconds = 6 * var.function_timeout + var.batching_window
  message_retention_seconds  = 4 * 24 * 60 * 60
  max_message_size           = 1048576
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.events_dlq.arn
    maxReceiveCount     = var.max_receive_count
  })
}

resource "aws_sqs_queue" "events_dlq" {
  name = "${local.name}-events-dlq"

  # A dead-lettered message keeps its first send time, so this queue must keep messages longer than the events
  # queue. 14 days is SQS's maximum.
  message_retention_seconds = 14 * 24 * 60 * 60
  max_message_size          = 1048576
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn
}

resource "aws_sqs_queue_redrive_allow_policy" "events_dlq" {
  queue_url = aws_sqs_queue.events_dlq.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.events.arn]
  })
}
