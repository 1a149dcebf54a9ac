"""Run ``python -m dashboards``, as `make top` does."""

import tools  # noqa: F401 - refuses Windows' own Python
from dashboards.top import main
from tools.core.program import start

if __name__ == "__main__":
    start(main)
