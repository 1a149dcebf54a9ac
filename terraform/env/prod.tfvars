environment         = "prod"
maximum_concurrency = 200
log_retention_days  = 90
