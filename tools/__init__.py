"""What a person runs: the local stack, operations, deployment, analytics and benchmarks."""

import importlib.util
import signal
import sys
from types import TracebackType

# Locks and terminals need it. Windows' own Python lacks it.
if importlib.util.find_spec("fcntl") is None:
    sys.exit("This needs Linux or macOS. On Windows, use WSL 2 or the dev container (.devcontainer/).")

_PROGRAMS = ("-m", "dashboards/__main__.py", "producer/send_test_events.py")


def _explain(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print an error that ends a program. One of the contract's schema is its editor's, and no bug."""
    if kind.__name__ == "UnusableSchema":
        print(error, file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, traceback)


sys.excepthook = _explain
# While its modules are imported, Ctrl-C ends a program without a traceback, as SIGTERM does.
# tools.core.program handles it from then on.
if sys.argv[0].endswith(_PROGRAMS) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
