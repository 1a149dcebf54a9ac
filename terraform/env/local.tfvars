# An emulator on this machine. It uses plain HTTP and loses its content when it stops.
environment         = "local"
function_timeout    = 10
maximum_concurrency = 5
log_retention_days  = 1
deletion_protection = false
refuse_plain_http   = false

# Stored events are archived within seconds.
archive_batching_window = 1
