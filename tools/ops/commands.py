"""Command line parser of the ops commands, and the types of their options."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial

from tools.core.resources import Resources

Run = Callable[[Resources, argparse.Namespace], int]
AddOption = Callable[..., None]


def yes_or_no(text: str) -> bool:
    """Parse ``1`` or ``0``."""
    if text not in ("0", "1"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 1 nor 0")
    return text == "1"


def positive(text: str) -> int:
    """Parse a whole number above 0."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def seconds(text: str) -> float:
    """Parse a number of seconds."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return value


class Commands:
    """The parser, to which each package adds its commands."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.parser = argparse.ArgumentParser(
            prog="python -m tools.ops", description="Work with a running pipeline."
        )
        self._environment = environment
        self._subparsers = self.parser.add_subparsers(required=True, metavar="command")

    def add(self, run: Run, details: str = "") -> AddOption:
        """Add a function as a command. Its docstring says what the command does.

        Returns a function that adds its options, see `_add_option`.
        """
        summary = str(run.__doc__)
        description = f"{summary} {details}"
        command = self._subparsers.add_parser(run.__name__, help=summary.rstrip("."), description=description)
        command.set_defaults(run=run)
        return partial(self._add_option, command)

    def _add_option(
        self,
        command: argparse.ArgumentParser,
        name: str,
        text: str,
        kind: Callable[[str], object] = str,
        default: str | None = None,
    ) -> None:
        """Add ``--name``, with the variable ``NAME`` as its default. An empty variable is ignored."""
        variable = name.upper().replace("-", "_")
        value = self._environment.get(variable) or default
        text = f"{text} ({variable}=)"
        if kind is yes_or_no:
            command.add_argument(
                f"--{name}", type=kind, default=value or "0", help=text, nargs="?", const="1"
            )
        else:
            command.add_argument(f"--{name}", type=kind, default=value, help=text, metavar=variable)
