"""What a person runs: the local stack, operations, deployment, analytics and benchmarks."""
