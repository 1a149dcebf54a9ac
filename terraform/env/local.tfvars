# An emulator on this machine. It speaks plain HTTP, and what it holds goes when it stops.
environment         = "local"
function_timeout    = 10
maximum_concurrency = 5
log_retention_days  = 1
deletion_protection = false
refuse_plain_http   = false

# What was stored is archived within seconds, in batches that do not keep the emulator from feeding the processor.
archive_batching_window = 1
archive_batch_size      = 500
