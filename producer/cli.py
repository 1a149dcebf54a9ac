"""The command line: arguments, output and exit status."""

import argparse
import json
import os
import signal
from collections.abc import Callable, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from rich.console import Console

from contract import EVENT_TYPES
from producer.arguments import parse_start
from producer.delivery import Result
from producer.errors import ProducerError, UsageError
from producer.generate.profiles import PROFILES
from producer.options import Options
from producer.own_events import check_file, is_repeatable
from producer.report import Report, as_json, check_as_json, check_lines, closing_lines, summary_table
from producer.run import produce, resume
from tools.core.program import interrupt_on

# 2 is argparse's status for invalid arguments; 128 + n is a shell's status for a command ended by signal n.
SENT, INCOMPLETE, USAGE, INTERRUPTED = 0, 1, 2, 128 + signal.SIGINT
# The state directory of the local stack, where `make verify` looks for the newest manifest.
STATE_DIR = Path(os.environ.get("STACK_DIR") or Path(__file__).resolve().parent.parent / ".stack")
MANIFESTS = STATE_DIR / "manifests"
# A resumed run sends the same messages: only how it sends them may change.
_RESUME_OPTIONS = {"resume", "queue_url", "batch_size", "rate", "endpoint_url", "json"}
# The other options describe generated events, which --from replaces.
_FROM_OPTIONS = (_RESUME_OPTIONS - {"resume"}) | {"from_file", "validate_only", "refused", "manifest"}

COMMAND = "producer/send_test_events.py"
_EXAMPLES = Path(__file__).with_name("examples.txt").read_text("utf-8")


def _ratio(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1, such as 0.05") from None


def _start(text: str) -> datetime:
    try:
        return parse_start(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day or a time, such as 2026-11-27") from None


# Each option's value in the help, empty for a flag, and its explanation.
_OPTIONS: dict[str, tuple[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
_TYPES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("--count", "--sessions", "--batch-size", "--seed"), int),
    **dict.fromkeys(("--target-kb", "--rate"), float),
    **dict.fromkeys(("--invalid-ratio", "--large-ratio", "--duplicate-ratio"), _ratio),
    **dict.fromkeys(("--from", "--manifest", "--resume"), Path),
    "--start": _start,
}


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit status."""
    parsed = vars(_parser().parse_args(arguments))
    given = {name: value for name, value in parsed.items() if value is not None}
    out, err = Console(), Console(stderr=True)
    interrupt_on(signal.SIGTERM, signal.SIGHUP)
    try:
        if given.pop("validate_only", False):
            return _validate(given, out, err)
        result = _run(given, err)
    except ProducerError as error:
        _print_line(err, str(error))
        return USAGE if isinstance(error, UsageError) else INCOMPLETE
    except KeyboardInterrupt:
        _print_line(err, "You stopped the run before anything was sent.")
        return INTERRUPTED
    if given.get("json"):
        print(as_json(result))
    elif result.sent_total or not result.error:
        out.print(summary_table(result))
    for line in closing_lines(result):
        _print_line(err, line)
    if result.interrupted:
        return INTERRUPTED
    return SENT if result.complete else INCOMPLETE


def _run(given: dict[str, Any], console: Console) -> Result:
    endpoint_url = (
        given.get("endpoint_url")
        or os.environ.get("AWS_ENDPOINT_URL")
        or os.environ.get("AWS_ENDPOINT_URL_SQS")
        or None
    )
    if "resume" in given:
        _refuse_others(given, _RESUME_OPTIONS, "--resume", "the manifest describes the run")
        with Report(console) as report:
            return resume(
                given["resume"],
                queue_url=given.get("queue_url"),
                batch_size=given.get("batch_size"),
                rate=given.get("rate"),
                endpoint_url=endpoint_url,
                on_progress=report.update,
            )
    queue_url = given.get("queue_url") or os.environ.get("QUEUE_URL")
    if not queue_url:
        raise UsageError(
            'No queue is given.\nFor the local stack, type: eval "$(make -s env)"\n'
            "For another queue, give its URL: --queue-url URL"
        )
    if "from_file" in given:
        _refuse_others(given, _FROM_OPTIONS, "--from", "it is about generated events")
    elif "refused" in given:
        raise UsageError("--refused is about the lines of a file. Name the file: --from FILE")
    elif ("count" in given) == ("sessions" in given):
        raise UsageError(
            "Give the number of messages or of visits, for example: --count 1000, or: --sessions 200"
        )
    if "manifest" not in given:
        MANIFESTS.mkdir(parents=True, exist_ok=True)
    fields = {name: value for name, value in given.items() if name != "json"}
    options = Options(
        **{"manifest": MANIFESTS, **fields, "queue_url": queue_url, "endpoint_url": endpoint_url}
    )
    with Report(console) as report:
        check = None
        if options.from_file and is_repeatable(options.from_file):
            check = check_file(options.from_file, report.update_check)
            report.print_lines(check_lines(check))
        return produce(options, on_progress=report.update, check=check)


def _validate(given: dict[str, Any], out: Console, err: Console) -> int:
    """Say what the contract refuses, without a queue. Returns the exit status."""
    if "from_file" not in given:
        raise UsageError("--validate-only needs a file of events. Name it: --from FILE")
    _refuse_others(given, {"from_file", "json"}, "--validate-only", "nothing is sent")
    with Report(err) as report:
        check = check_file(given["from_file"], report.update_check)
    if given.get("json"):
        print(check_as_json(check))
    else:
        for line in check_lines(check):
            _print_line(out, line)
    return SENT if check.ok else INCOMPLETE


def _refuse_others(given: dict[str, Any], allowed: set[str], option: str, reason: str) -> None:
    others = sorted(given.keys() - allowed)
    if others:
        raise UsageError(
            f"--{others[0].replace('_', '-')} cannot be given with {option}, because {reason}.\n"
            f"Remove one of the two options."
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description=f"Send realistic events to the pipeline's queue. Event types: {', '.join(EVENT_TYPES)}.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for option, (value, explanation) in _OPTIONS.items():
        name = "from_file" if option == "--from" else option.strip("-").replace("-", "_")
        settings: dict[str, Any] = {"dest": name, "default": None}
        settings["help"] = explanation.replace("{profiles}", ", ".join(PROFILES))
        if value:
            parser.add_argument(option, metavar=value, type=_TYPES.get(option, str), **settings)
        else:
            parser.add_argument(option, action="store_true", **settings)
    return parser


def _print_line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
