"""The one exception that a person is meant to read."""


class StackError(Exception):
    """Something a person can act on: what happened, what it means, what to type next.

    ``python -m tools.local`` prints it without a traceback and exits with 1.
    """


class OpsError(Exception):
    """Something that the person at the keyboard has to know; ``hint`` says what to type next."""

    def __init__(self, what: str, hint: str = "", *, status: int = 1) -> None:
        super().__init__(what)
        self.hint = hint
        self.status = status


class UsageError(OpsError):
    """The command was given something it cannot use; exit status 2, as argparse's own."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint, status=2)
