"""Run a command on a pipeline, and print errors that the user can fix."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.aws_errors import explain
from tools.core.console import err, safe_text
from tools.core.errors import ToolError
from tools.core.resources import Resources

# The exit status that a shell reports for a program that Ctrl-C ended.
INTERRUPTED = 130


def run(find: Callable[[], Resources], command: Callable[[Resources], int]) -> int:
    """Find the pipeline, run a command on it and return the exit status. Only bugs are raised."""
    resources: Resources | None = None
    try:
        resources = find()
        status = command(resources)
        sys.stdout.flush()
        return status
    except ToolError as error:
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


def print_error(error: ToolError) -> int:
    """Print an error and its hint. Return the exit status."""
    err.print(safe_text(str(error), "bold red"))
    if error.hint:
        err.print(safe_text(error.hint))
    return error.status


def close_stdout() -> int:
    """Point standard output at /dev/null, because Python would report the closed pipe again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
