"""Show what the pipeline holds: events, rejected events, logs."""
