# A short-lived environment.
environment            = "dev"
maximum_concurrency    = 10
log_retention_days     = 7
deletion_protection    = false
point_in_time_recovery = false
