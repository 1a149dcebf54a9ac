"""What a person runs: the local stack, operations, deployment, analytics and benchmarks."""

import importlib.util
import sys

# Locks and terminals need it. Windows' own Python lacks it.
if importlib.util.find_spec("fcntl") is None:
    sys.exit("This needs Linux or macOS. On Windows, use WSL 2 or the dev container (.devcontainer/).")
