"""Run ``python -m dashboards``, as `make top` does."""

from dashboards.top import main
from tools.core.program import start

if __name__ == "__main__":
    start(main)
