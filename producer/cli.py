"""The command: its arguments, what it prints, and its exit status."""

import argparse
import os
import signal
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console

from producer.errors import ProducerError, UsageError
from producer.options import Options
from producer.report import Report, as_json, closing_words, summary
from producer.run import Result, produce, resume

# 2 is argparse's own for arguments that make no sense, 128 + n a shell's for what signal n ended.
SENT, INCOMPLETE, USAGE, INTERRUPTED = 0, 1, 2, 128 + signal.SIGINT
MANIFESTS = Path(__file__).resolve().parent.parent / ".stack" / "manifests"
# A resumed run is the run that was begun: only how it is sent may change.
_MAY_CHANGE = {"resume", "queue_url", "batch_size", "rate", "endpoint_url", "json"}

COMMAND = "producer/send_test_events.py"
_EPILOG = f"""\
examples:
  eval "$(make -s env)"          point this shell at the local stack; sets QUEUE_URL
  python {COMMAND} --count 1000 --invalid-ratio 0.05 --duplicate-ratio 0.05
  python {COMMAND} --count 600 --rate 50
  python {COMMAND} --count 26000 --batch-size 10 --target-kb 200 --rate 0
  python {COMMAND} --resume .stack/manifests/RUN.jsonl

exit status: 0 all was sent; 1 something was not, see what it names; 2 the arguments
make no sense; 130 stopped with Ctrl-C, --resume sends the rest.
"""


def _ratio(text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 1, such as 0.05") from None


_OPTIONS: dict[str, dict[str, Any]] = {
    "--queue-url": {"metavar": "URL", "help": "the queue (default: $QUEUE_URL)"},
    "--count": {"type": int, "metavar": "N", "help": "messages to send, copies and invalid ones included"},
    "--batch-size": {
        "type": int,
        "metavar": "B",
        "help": "most messages in a request, 1 to 10 (default: 10)",
    },
    "--target-kb": {
        "type": float,
        "metavar": "K",
        "help": "size of every message body in units of 1,024 bytes, 1 to 1024 (default: 0, about 1 KB each)",
    },
    "--rate": {
        "type": float,
        "metavar": "R",
        "help": "events per second (default: 0, as fast as the queue takes them)",
    },
    "--seed": {
        "type": int,
        "metavar": "S",
        "help": "the same seed, ratios and size make exactly the same events again, dated 2026-01-01 "
        "(default: new events, dated now)",
    },
    "--invalid-ratio": {
        "type": _ratio,
        "metavar": "X",
        "help": "share of messages that break the contract (default: 0)",
    },
    "--large-ratio": {
        "type": _ratio,
        "metavar": "X",
        "help": "share of orders that are above 1000 (default: 0.05)",
    },
    "--duplicate-ratio": {
        "type": _ratio,
        "metavar": "X",
        "help": "share of messages that are copies of an earlier one (default: 0)",
    },
    "--manifest": {
        "type": Path,
        "metavar": "PATH",
        "help": "new file, or directory for one, that records what was sent (default: .stack/manifests/)",
    },
    "--resume": {"type": Path, "metavar": "MANIFEST", "help": "send what the run of this manifest did not"},
    "--endpoint-url": {
        "metavar": "URL",
        "help": "where SQS is (default: $AWS_ENDPOINT_URL, else the queue URL's host)",
    },
    "--json": {
        "action": "store_true",
        "default": None,
        "help": "print the result as JSON instead of a table",
    },
}


def main(arguments: Sequence[str]) -> int:
    """Run the command. Returns its exit status."""
    parser = _parser()
    given = {name: value for name, value in vars(parser.parse_args(arguments)).items() if value is not None}
    out, err = Console(), Console(stderr=True)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        result = _run(given, err)
    except ProducerError as error:
        _say(err, str(error))
        return USAGE if isinstance(error, UsageError) else INCOMPLETE
    except KeyboardInterrupt:
        _say(err, "Stopped by you before anything was sent.")
        return INTERRUPTED
    if given.get("json"):
        print(as_json(result))
    elif result.sent_total or not result.error:
        out.print(summary(result))
    for line in closing_words(result):
        _say(err, line)
    if result.interrupted:
        return INTERRUPTED
    return SENT if result.complete else INCOMPLETE


def _run(given: dict[str, Any], console: Console) -> Result:
    endpoint_url = (
        given.get("endpoint_url")
        or os.environ.get("AWS_ENDPOINT_URL_SQS")
        or os.environ.get("AWS_ENDPOINT_URL")
        or None
    )
    if "resume" in given:
        fixed = sorted(given.keys() - _MAY_CHANGE)
        if fixed:
            raise UsageError(
                f"--{fixed[0].replace('_', '-')} cannot be given with --resume: the manifest says what the "
                "run is. Leave it out, or begin a new run without --resume."
            )
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
            'There is no queue to send to.\nFor the local stack type: eval "$(make -s env)"\n'
            "For another queue give its URL: --queue-url URL"
        )
    if "count" not in given:
        raise UsageError("How many events? Give for example: --count 1000")
    wanted = {name: value for name, value in given.items() if name != "json"}
    if "manifest" not in given:
        MANIFESTS.mkdir(parents=True, exist_ok=True)
    options = Options(
        **{"manifest": MANIFESTS, **wanted, "queue_url": queue_url, "endpoint_url": endpoint_url}
    )
    with Report(console) as report:
        return produce(options, on_progress=report.update)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description="Send realistic order, payment and activity events to the pipeline's queue.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for option, settings in _OPTIONS.items():
        parser.add_argument(option, **settings)
    return parser


def _as_ctrl_c(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
