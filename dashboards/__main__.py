"""Run ``python -m dashboards``, as `make top` does."""

import sys

from dashboards.top import main

if __name__ == "__main__":
    sys.exit(main())
