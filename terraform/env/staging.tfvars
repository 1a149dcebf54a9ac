# Like production, but smaller.
environment         = "staging"
maximum_concurrency = 20
