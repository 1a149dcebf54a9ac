"""Running a command on a pipeline: whatever goes wrong, a person reads what to do about it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.aws_errors import explain
from tools.core.console import err, safe_text
from tools.core.errors import OpsError
from tools.core.resources import Resources

# As a shell says it of a program that Ctrl-C ended.
INTERRUPTED = 130


def run(find: Callable[[], Resources], command: Callable[[Resources], int]) -> int:
    """Find the pipeline and run a command on it. Returns the exit status; bugs alone are raised."""
    resources: Resources | None = None
    try:
        resources = find()
        status = command(resources)
        sys.stdout.flush()
        return status
    except OpsError as error:
        return print_error(error)
    except BrokenPipeError:
        return close_stdout()
    except (BotoCoreError, ClientError, OSError) as error:
        explained = explain(error, resources.endpoint if resources else None)
        if explained is None:
            raise
        return print_error(explained)
    except KeyboardInterrupt:
        err.print("Stopped.")
        return INTERRUPTED


def print_error(error: OpsError) -> int:
    """Say what happened and what to type next. Returns the exit status."""
    err.print(safe_text(str(error), "bold red"))
    if error.hint:
        err.print(safe_text(error.hint))
    return error.status


def close_stdout() -> int:
    """Whoever read our output has seen enough; Python would complain once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
