"""The errors that the command prints without a traceback."""


class ProducerError(Exception):
    """A run cannot go on. The message says what failed, why, and what to type next."""


class UsageError(ProducerError):
    """The arguments are invalid."""
