"""``python -m tools.ops <command>``: every option can also be an environment variable, as make passes it."""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence

from tools.core.cli import run
from tools.core.program import interrupt_on, start
from tools.core.resources import Resources
from tools.ops.commands import build_parser
from tools.ops.demo.demo import demo
from tools.ops.erase.erase import erase
from tools.ops.inspect.commands import alerts, events, get, logs, rejected, trace
from tools.ops.recover.commands import rearchive, redrive, replay, restore
from tools.ops.verify.commands import verify

COMMANDS = (
    *(demo, get, events, logs, rejected, trace, alerts),
    *(replay, redrive, rearchive, restore, verify, erase),
)


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the command line parser. The environment's variables are its defaults."""
    return build_parser(COMMANDS, environment)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, print its errors and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    # A parser of one command takes a tenth of the time of a parser of all.
    named = [command for command in COMMANDS if [command.__name__] == list(given[:1])]
    options = build_parser(named or COMMANDS, os.environ).parse_args(given)
    return run(Resources.find, lambda resources: options.run(resources, options))


if __name__ == "__main__":
    # Each ends a command as Ctrl-C does, so that it cleans up.
    interrupt_on(signal.SIGTERM, signal.SIGHUP)
    # A fifth of verify's time went into looking for reference cycles, and rows are none.
    gc.freeze()
    gc.set_threshold(20_000)
    start(main)
