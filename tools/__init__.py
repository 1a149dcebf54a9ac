"""What a person runs: the local stack, operations, deployment, analytics and benchmarks."""

import importlib.util
import signal
import sys

# Locks and terminals need it. Windows' own Python lacks it.
if importlib.util.find_spec("fcntl") is None:
    sys.exit("This needs Linux or macOS. On Windows, use WSL 2 or the dev container (.devcontainer/).")

_PROGRAMS = ("-m", "dashboards/__main__.py", "producer/send_test_events.py")
# While its modules are imported, Ctrl-C ends a program without a traceback, as SIGTERM does.
# tools.core.program handles it from then on.
if sys.argv[0].endswith(_PROGRAMS) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
