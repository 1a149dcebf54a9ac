"""``python -m tools.ops <command>``: every option can also be an environment variable, as make passes it."""

import argparse
import os
import signal
from collections.abc import Mapping, Sequence
from types import FrameType

from tools.core.cli import run
from tools.core.program import start
from tools.core.resources import Resources
from tools.ops.commands import Commands
from tools.ops.demo import commands as demo
from tools.ops.erase import erase
from tools.ops.inspect import commands as inspect
from tools.ops.recover import commands as recover
from tools.ops.verify import commands as verify


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the command line parser. The environment's variables are its defaults."""
    commands = Commands(environment)
    for package in (demo, inspect, recover, verify, erase):
        package.register(commands)
    return commands.parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, print its errors and return its exit status."""
    options = parser(os.environ).parse_args(arguments)
    return run(Resources.find, lambda resources: options.run(resources, options))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # SIGTERM ends a command as Ctrl-C does, so that it cleans up.
    signal.signal(signal.SIGTERM, _interrupt)
    start(main)
