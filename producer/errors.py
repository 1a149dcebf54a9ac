"""The exceptions that a person is meant to read."""


class ProducerError(Exception):
    """What happened, what it means, what to type next. The command prints it without a traceback."""


class UsageError(ProducerError):
    """What was asked for makes no sense."""
