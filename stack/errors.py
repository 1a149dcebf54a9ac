"""The one exception that a person is meant to read."""


class StackError(Exception):
    """Something a person can act on: what happened, what it means, what to type next.

    ``python -m stack`` prints it without a traceback and exits with 1.
    """
