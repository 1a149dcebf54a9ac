# Production, but for its size.
environment         = "staging"
maximum_concurrency = 20
