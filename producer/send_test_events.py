"""Send realistic test events to the pipeline's queue: python producer/send_test_events.py --help"""

import sys
from pathlib import Path

if __name__ == "__main__":
    # Python puts producer/ first on the path; replace it so that the script works from any directory.
    ROOT = Path(__file__).resolve().parent.parent
    sys.path[:1] = [str(ROOT), str(ROOT / "lambda_src")]

    import tools  # noqa: F401 - refuses Windows' own Python
    from producer.cli import main
    from tools.core.program import start

    start(lambda: main(sys.argv[1:]))
