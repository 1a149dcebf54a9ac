"""Command line parser of the ops commands. ``commands.json`` has their options: text, type and default."""

import argparse
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from contract import EVENT_TYPES
from processor.alerts import ALERT_TYPES
from tools.core.resources import Resources
from tools.ops.share import Share

Run = Callable[[Resources, argparse.Namespace], int]

_LISTED: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
_NAMES = {"event_types": ", ".join(EVENT_TYPES), "alert_types": ", ".join(ALERT_TYPES)}


def yes_or_no(text: str) -> bool:
    """Parse ``1`` or ``0``."""
    if text not in ("0", "1"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 1 nor 0")
    return text == "1"


def positive(text: str) -> int:
    """Parse a whole number above 0, of at most nine digits."""
    if re.fullmatch("[0-9]{1,9}", text) is None or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0 and below a billion")
    return int(text)


def seconds(text: str) -> float:
    """Parse a number of seconds, of at most nine digits before the point."""
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]*)?|\.[0-9]+", text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds below a billion")
    return float(text)


_TYPES: Mapping[str, Callable[[str], object]] = {
    "flag": yes_or_no,
    "positive": positive,
    "seconds": seconds,
    "share": Share.parse,
    "text": str,
}


def build_parser(commands: Iterable[Run], environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser of these functions, whose docstrings say what they do."""
    parser = argparse.ArgumentParser(prog="python -m tools.ops", description="Work with a running pipeline.")
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for run in commands:
        name, summary = run.__name__, str(run.__doc__)
        description = f"{summary} {_LISTED['details'].get(name, '')}"
        command = subparsers.add_parser(name, help=summary.rstrip("."), description=description)
        command.set_defaults(run=run)
        for option, listed in _LISTED["options"][name].items():
            _add_option(command, environment, option, *listed)
    return parser


def _add_option(
    command: argparse.ArgumentParser,
    environment: Mapping[str, str],
    name: str,
    text: str,
    kind: str = "text",
    default: str | None = None,
) -> None:
    """Add ``--name``, with the variable ``NAME`` as its default. An empty variable is ignored."""
    variable = name.upper().replace("-", "_")
    settings: dict[str, Any] = {
        "type": _TYPES[kind],
        "default": environment.get(variable) or default,
        "help": f"{text.format_map(_NAMES)} ({variable}=)",
        "metavar": variable,
    }
    if kind == "flag":
        settings |= {"default": settings["default"] or "0", "nargs": "?", "const": "1"}
    command.add_argument(f"--{name}", **settings)
