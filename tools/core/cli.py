"""Run a command on a pipeline, and print errors that the user can fix."""

import sys
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.aws_errors import explain
from tools.core.errors import ToolError
from tools.core.program import close_stdout, print_error
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
        return print_error(ToolError("Stopped.", status=INTERRUPTED))
