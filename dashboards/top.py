"""`make top`: the pipeline at a glance, on the laptop or on AWS. It reads only."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from dashboards import live
from dashboards.collect.all import watch
from dashboards.data import as_data
from dashboards.state import State
from dashboards.target import Target, find
from dashboards.view.screen import render
from tools.core.aws_errors import explain
from tools.core.cli import INTERRUPTED, close_stdout, print_error
from tools.core.console import err
from tools.core.errors import OpsError

# --once waits so long for the slowest source, in seconds.
_PATIENCE = 10.0


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m dashboards",
        description="Watch a pipeline: the one whose names are exported (make env), else the local stack.",
        epilog="exit status: 0; with --once or --json, 1 if a source did not answer",
    )
    made.add_argument(
        "--interval",
        type=_interval,
        default=environment.get("INTERVAL") or "1",
        metavar="SECONDS",
        help="how often to look, 0.5 to 60 (INTERVAL=, default 1)",
    )
    made.add_argument("--once", action="store_true", help="print one frame and end")
    made.add_argument("--json", action="store_true", help="print one frame's figures as JSON and end")
    made.add_argument("--name", help="a pipeline by its name, such as rt-pipeline-prod")
    made.add_argument("--profile", help="the AWS profile to use")
    made.add_argument("--region", help="the AWS region the pipeline is in")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Returns its exit status."""
    options = parser(os.environ).parse_args(arguments)
    console = Console(highlight=False)
    try:
        target = find(options.name, options.profile, options.region)
        if options.json or options.once:
            return _once(target, console, options.interval, as_json=options.json)
        if not live.can_show(console):
            err.print("This is no terminal that a screen can be drawn on, so here is one frame (--once).")
            return _once(target, console, options.interval, as_json=False)
        return _watch(target, console, options.interval)
    except OpsError as error:
        return print_error(error)
    except (BotoCoreError, ClientError) as error:
        return print_error(explain(error, None) or OpsError(str(error)))
    except BrokenPipeError:
        return close_stdout()
    except KeyboardInterrupt:
        return INTERRUPTED


def _watch(target: Target, console: Console, interval: float) -> int:
    runner, board = watch(target, interval)
    runner.start()
    try:
        return live.run(board, console, interval)
    finally:
        runner.stop()


def _once(target: Target, console: Console, interval: float, *, as_json: bool) -> int:
    runner, board = watch(target, interval)
    runner.once(_PATIENCE, depth_again_after=1.0)
    state = board.state(time.time())
    if as_json:
        print(json.dumps(as_data(state), indent=2), flush=True)
    else:
        # Without the last column: a line of full width makes some terminals add an empty one.
        height = max(console.height - 1, 24)
        console.print(
            render(state, console.width, height, live.glyphs_for(console)),
        )
    return 1 if _has_trouble(state) else 0


def _has_trouble(state: State) -> bool:
    return any(reading.value is None or reading.trouble(state.now) for reading in state.readings)


def _interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.5 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.5 to 60")
    return seconds
