"""Run a program, which ends with an exit status and at most a line of error. Uses the standard library."""

import errno
import locale
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from tools.core.errors import ToolError
from tools.core.text import indent_lines, strip_control_chars


def start(main: Callable[[], int]) -> NoReturn:
    """Run a program's main function, and exit with its status.

    A failed output is an error of one line. A pipe that closed early (``| head``) is none.
    """
    if not sys.flags.utf8_mode and locale.getencoding().lower() != "utf-8":
        # Text of any language must go in and out in every locale. Arguments are decoded before Python starts.
        os.environ["PYTHONUTF8"] = "1"
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # noqa: S606
    # Descriptor 0 first: the next file that is opened would become standard input.
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open()  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115
    if sys.stdout is None:
        sys.exit(print_error(ToolError("The output is closed: there is nowhere to print to.")))
    for stream in (sys.stdout, sys.stderr):
        # A lone surrogate is no text in any encoding.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    # `tools` set it while modules were imported.
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status = _run(main)
    # Python would print the traceback of a signal that comes while it exits.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    sys.exit(status)


def _run(main: Callable[[], int]) -> Any:
    try:
        try:
            status: Any = main()
        except SystemExit as ended:
            status = ended.code
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return 128 + signal.SIGINT  # a second one, while the command reported the first
    except BrokenPipeError:
        return close_stdout()
    except ToolError as error:
        return print_error(error)
    except OSError as error:
        close_stdout()
        return print_error(explain_os_error(error))


def interrupt_on(*signals: signal.Signals) -> None:
    """Make these signals act like Ctrl-C, unless they are ignored, as nohup does."""
    for number in signals:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def explain_os_error(error: OSError) -> ToolError:
    """Return the error of a file, or of the output, as what failed and what to do."""
    subject = error.filename or "The input or the output"
    hint = "Free some space there. make doctor says how much is left." if error.errno == errno.ENOSPC else ""
    return ToolError(f"{subject} cannot be used: {error.strerror or error}.", hint)


def print_error(error: ToolError) -> int:
    """Print an error and its hint. Return the exit status."""
    text = indent_lines(str(error))
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        text = f"\033[1;31m{text}\033[0m"
    hint = strip_control_chars(error.hint, keep="\n")
    # Where even this cannot be written, the exit status is all that is left.
    with suppress(OSError):
        print(text, *([hint] if hint else []), sep="\n", file=sys.stderr, flush=True)
    return error.status


def close_stdout() -> int:
    """Point standard output at /dev/null, because Python would report the failed output again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
