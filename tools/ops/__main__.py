"""``python -m tools.ops <command>``: every option is also read from the environment, as make passes it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import FrameType

from tools.core.cli import run
from tools.core.resources import Resources
from tools.ops import commands

Command = Callable[[Resources, argparse.Namespace], int]
Option = Callable[..., None]


def _yes_or_no(text: str) -> bool:
    if text not in ("0", "1"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither 1 nor 0")
    return text == "1"


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """The command line, with what the environment already says as its defaults."""
    root = argparse.ArgumentParser(prog="python -m tools.ops", description="Work with a running pipeline.")
    subcommands = root.add_subparsers(required=True, metavar="command")

    def command(name: str, run: Command, text: str, more: str = "") -> Option:
        added = subcommands.add_parser(name, help=text, description=f"{text}. {more}")
        added.set_defaults(run=run)
        return partial(_add_option, added, environment)

    option = command("demo", commands.demo, "Send mixed events and account for every one of them")
    option("count", "how many", _positive, "1000")
    option("wait", "seconds to wait for the queue to drain", _seconds, "180")

    option = command("get", commands.get, "Show one event as it was sent, and what the pipeline added")
    option("event-id", "the event")

    option = command("events", commands.events, "List stored events, newest first")
    option("customer", "only this customer's")
    option("type", "only those of this type: order, payment or activity")
    option("large", "only large orders", _yes_or_no, "0")
    option("since", "only those received so recently: 90s, 15m, 1h, 2d")
    option("limit", "at most so many", _positive, "20")
    option("json", "print JSON, one object a line", _yes_or_no, "0")

    option = command("logs", commands.logs, "Show the function's logs")
    option("event-id", "only lines that name this event")
    option("level", "only lines of this level or a graver one")
    option("since", "how far back: 90s, 15m, 1h, 2d; 15m unless told, 1d for an event")
    option("limit", "at most so many lines, the newest", _positive, "200")
    option("follow", "go on until Ctrl-C", _yes_or_no, "0")

    option = command("rejected", commands.rejected, "List rejected events, newest first")
    option("id", "show this one (message id or event_id) with its body")
    option("reason", "only those whose kind or reasons contain this")
    option("limit", "at most so many", _positive, "20")

    option = command(
        "replay",
        commands.replay,
        "Send rejected events back to the queue",
        "What succeeds leaves the rejected table, what fails again stays.",
    )
    option("id", "only this one (message id or event_id)")
    option("reason", "only those whose kind or reasons contain this")
    option("dry-run", "only say what would be sent", _yes_or_no, "0")
    option("wait", "seconds to wait for the outcome", _seconds, "120")

    option = command(
        "redrive",
        commands.redrive,
        "Move dead-lettered messages back to the queue",
        "By SQS's message move task where there is one, else by receive, send and delete.",
    )
    option("rate", "at most so many messages a second", _positive)

    option = command(
        "rearchive",
        commands.rearchive,
        "Write a span of the tables to the archive again",
        "Adds lines and deletes none; queries take one line of each event.",
    )
    option("since", "from this time on: 2026-11-22T14:00 (UTC), or an age: 15m, 2h, 1d")
    option("until", "up to this time, or this age; up to now unless told")
    option("dry-run", "only say what would be written", _yes_or_no, "0")

    option = command(
        "verify",
        commands.verify,
        "Prove the conservation law",
        "Reads the three tables and the archive whole. Bodies are unpacked and hashed too while all of them "
        "together have at most 64 MiB; --deep does it whatever their size, --deep 0 never.",
    )
    option("manifest", "a producer's run: a path, latest or none; the latest one unless told")
    option("deep", "whether to unpack and hash every body", _yes_or_no)
    option("wait", "seconds to wait for the queue to drain", _seconds, "60")
    option("json", "print JSON", _yes_or_no, "0")
    return root


def _add_option(
    command: argparse.ArgumentParser,
    environment: Mapping[str, str],
    name: str,
    text: str,
    kind: Callable[[str], object] = str,
    default: str | None = None,
) -> None:
    """Add ``--name``, which is also ``NAME`` in the environment; an empty variable counts as none."""
    variable = name.upper().replace("-", "_")
    value = environment.get(variable) or default
    text = f"{text} ({variable}=)"
    if kind is _yes_or_no:
        command.add_argument(f"--{name}", type=kind, default=value, help=text, nargs="?", const="1")
    else:
        command.add_argument(f"--{name}", type=kind, default=value, help=text, metavar=variable)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status; prints errors that a person can act on."""
    options = parser(os.environ).parse_args(arguments)
    return run(Resources.find, lambda resources: options.run(resources, options))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # Ends as Ctrl-C does: what a demo or a redrive has begun is tidied up.
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
