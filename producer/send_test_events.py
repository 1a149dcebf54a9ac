"""Sends realistic test events to the pipeline's queue: python producer/send_test_events.py --help"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python has put producer/ first on the path; what is imported is the package, from wherever this is run.
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

    from producer.cli import main

    sys.exit(main(sys.argv[1:]))
