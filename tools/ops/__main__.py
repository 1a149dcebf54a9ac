"""``python -m tools.ops <command>``: every option can also be an environment variable, as make passes it."""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from tools.core.cli import run
from tools.core.program import interrupt_on, start
from tools.core.resources import Resources
from tools.ops.commands import Run, build_parser

# The commands by module. A command imports its own module alone, in half of the time.
_MODULES = {
    "demo.demo": "demo",
    "inspect.commands": "get events logs rejected trace alerts",
    "recover.commands": "replay redrive rearchive restore",
    "verify.commands": "verify",
    "erase.erase": "erase",
}


def _commands(named: str | None = None) -> list[Run]:
    """Return the functions of all commands, or of the named one."""
    places = [(module, name) for module, names in _MODULES.items() for name in names.split()]
    return [
        getattr(import_module(f"tools.ops.{module}"), name)
        for module, name in places
        if named in (None, name)
    ]


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the command line parser. The environment's variables are its defaults."""
    return build_parser(_commands(), environment)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, print its errors and return its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    options = build_parser(_commands(next(iter(given), None)) or _commands(), os.environ).parse_args(given)
    return run(Resources.find, lambda resources: options.run(resources, options))


if __name__ == "__main__":
    # Each ends a command as Ctrl-C does, so that it cleans up.
    interrupt_on(signal.SIGTERM, signal.SIGHUP)
    # A fifth of verify's time went into looking for reference cycles, which rows do not have.
    gc.freeze()
    gc.set_threshold(20_000)
    start(main)
