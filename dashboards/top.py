"""Run `make top`: show a pipeline, on the local stack or on AWS. It only reads."""

import argparse
import json
import os
import time
from collections.abc import Mapping, Sequence

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from dashboards import live
from dashboards.collect.sources import create_runner
from dashboards.json_output import to_json_data
from dashboards.state import State
from dashboards.target import Target, find_target
from dashboards.view.screen import render
from tools.core.aws_errors import STALE_EXPORTS, explain
from tools.core.cli import INTERRUPTED
from tools.core.console import err
from tools.core.errors import ToolError, is_on
from tools.core.program import print_error

# With --once or --json, the time that the slowest source gets, in seconds.
_ONCE_TIMEOUT = 10.0


def build_parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m dashboards",
        description="Watch a pipeline: the one whose names are exported (make env), else the local stack.",
        epilog="exit status: 0; with --once or --json, 1 if a source did not answer",
    )
    parser.add_argument(
        "--interval",
        type=_parse_interval,
        default=environment.get("INTERVAL") or "1",
        metavar="SECONDS",
        help="refresh every SECONDS, 0.5 to 60 (INTERVAL=, default 1)",
    )
    parser.add_argument("--once", action="store_true", help="print one frame and exit")
    parser.add_argument(
        "--json",
        action="store_true",
        default=is_on(environment, "JSON"),
        help="print the values of one frame as JSON and exit (JSON=1)",
    )
    parser.add_argument("--name", help="watch the pipeline of this name, such as rt-pipeline-prod")
    parser.add_argument("--profile", help="use this AWS profile")
    parser.add_argument("--region", help="look for the pipeline in this AWS region")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program. Return its exit status."""
    options = build_parser(os.environ).parse_args(arguments)
    console = Console(highlight=False)
    try:
        target = find_target(options.name, options.profile, options.region)
        if options.json or options.once:
            return _print_once(target, console, options.interval, as_json=options.json)
        if not live.can_draw(console):
            err.print("The output is not a terminal that can show a screen. Printing one frame (--once).")
            return _print_once(target, console, options.interval, as_json=False)
        return _watch(target, console, options.interval)
    except ToolError as error:
        return print_error(error)
    except (BotoCoreError, ClientError) as error:
        return print_error(explain(error, None) or ToolError(str(error)))
    except KeyboardInterrupt:
        return INTERRUPTED


def _watch(target: Target, console: Console, interval: float) -> int:
    runner, store = create_runner(target, interval)
    runner.start()
    try:
        return live.run_live(store, console, interval)
    finally:
        runner.stop()


def _print_once(target: Target, console: Console, interval: float, *, as_json: bool) -> int:
    runner, store = create_runner(target, interval)
    runner.run_once(_ONCE_TIMEOUT, second_depth_after=1.0)
    state = store.state(time.time())
    if as_json:
        print(json.dumps(to_json_data(state), indent=2), flush=True)
    else:
        # One line less than the window has, so that the shell's prompt does not scroll the first line away.
        height = max(console.height - 1, 24)
        console.print(render(state, console.width, height))
        console.print()
    if not _has_warning(state):
        return 0
    if target.endpoint:
        err.print(f"See what runs: make status. {STALE_EXPORTS}")
    return 1


def _has_warning(state: State) -> bool:
    return any(reading.value is None or reading.warning(state.now) for reading in state.readings)


def _parse_interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.5 <= seconds <= 60:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0.5 to 60")
    return seconds
