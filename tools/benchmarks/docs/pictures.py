"""``make docs PICTURE=1``: draw the pictures in docs/ from a scenario on a stack made for it.

A day of shoppers for the report; an order with a duplicate and a conflict, a rejected event that is replayed,
and an event of 1 MiB for the traces; a flash sale for `make top`.
"""

from __future__ import annotations

import html
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.text import Text

from dashboards.collect.sources import create_runner
from dashboards.state import State
from dashboards.target import find_target
from dashboards.view.screen import render
from producer.send.batching import MAX_BYTES
from tools.core.console import err
from tools.core.errors import ToolError
from tools.core.paths import ROOT, VENVS
from tools.core.program import print_error, start
from tools.core.state import StackState
from tools.core.text import make_command
from tools.local.processes import free_port

DOCS = ROOT / "docs"
PRODUCER = str(ROOT / "producer" / "send_test_events.py")
TOP_SIZE = 120, 40
_TRACE_WIDTH = 120
_REPORT_SIZE = 1000, 1550
_TIMEOUT = 90
# A sale of 40 s, with a peak of five times the average rate. The frame is drawn while this part of it waits.
_SALE = ("--profile", "flash-sale", "--count", "6000", "--rate", "150")
_RATIOS = ("--invalid-ratio", "0.02", "--duplicate-ratio", "0.04", "--large-ratio", "0.1")
_REMAINING = 0.6
# A text of rich's SVG. Viewers differ in the width of spaces at its ends, so these are removed.
_SVG_TEXT = re.compile(
    r'(<text [^>]*?)x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*>)'
    "((?:&#160;)*)([^<]*?)((?:&#160;)*)</text>"
)


def export_svg(
    content: RenderableType, path: Path, title: str, width: int, height: int | None = None
) -> None:
    """Draw what a terminal would show as SVG."""
    console = Console(file=io.StringIO(), record=True, width=width, height=height, force_terminal=True)
    console.print(content)
    path.write_text(_SVG_TEXT.sub(_strip_spaces, console.export_svg(title=title)), encoding="utf-8")
    err.print(f"Wrote docs/{path.name}.")


def _strip_spaces(match: re.Match[str]) -> str:
    before, x, y, length, after, begin, content, end = match.groups()
    shown, leading = len(html.unescape(content)), begin.count("&")
    if not shown:
        return ""
    cell = float(length) / (leading + shown + end.count("&"))
    x = f"{float(x) + leading * cell:g}"
    return f'{before}x="{x}" y="{y}" textLength="{shown * cell:g}"{after}{content}</text>'


class Scenario:
    """A running stack, and the commands that a person would type on it."""

    def __init__(self, state_dir: Path) -> None:
        self.stack = StackState.load(state_dir)
        self.state_dir = state_dir
        self.environment = os.environ | self.stack.environment() | {"STACK_DIR": str(state_dir)}

    def run(self, *command: str, python: str = sys.executable, **variables: str) -> str:
        """Run a command, with make's variables, and return its output. Raises ToolError."""
        done = subprocess.run(
            [python, "-m", *command],
            env=self.environment | variables,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ToolError(f"{' '.join(command)} failed: {done.stdout}")
        return done.stdout

    def send(self, **event: Any) -> str:
        """Send an event, and return its message id."""
        body = json.dumps(event)
        sent = self.stack.client("sqs").send_message(
            QueueUrl=self.stack.outputs["queue_url"], MessageBody=body
        )
        return str(sent["MessageId"])

    def trace(self, name: str, complete: Callable[[dict[str, Any]], bool], event_id: str) -> None:
        """Wait until a story is complete, and draw it."""
        until(lambda: complete(self.story(event_id)), f"the story of {event_id} is complete")
        shown = self.run("tools.ops", "trace", EVENT_ID=event_id, FORCE_COLOR="1", COLUMNS=str(_TRACE_WIDTH))
        title = make_command("trace", EVENT_ID=event_id)
        export_svg(Text.from_ansi(shown), DOCS / f"trace-{name}.svg", title, _TRACE_WIDTH)

    def story(self, event_id: str) -> dict[str, Any]:
        """Return what make trace knows of an event, empty if that is nothing."""
        try:
            story: dict[str, Any] = json.loads(self.run("tools.ops", "trace", EVENT_ID=event_id, JSON="1"))
        except (ToolError, ValueError):
            return {}
        return story


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition. Raises ToolError."""
    deadline = time.monotonic() + _TIMEOUT
    while not condition():
        if time.monotonic() > deadline:
            raise ToolError(f"It was not seen within {_TIMEOUT} s that {what}.")
        time.sleep(0.5)


def order(event_id: str, amount: float, **more: Any) -> dict[str, Any]:
    """Return an order of one article, which occurred now."""
    return {
        "event_id": event_id,
        "event_type": "order",
        "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "customer_id": "customer-7",
        "order_id": event_id.removeprefix("event-"),
        "currency": "EUR",
        "amount": amount,
        "items": [{"sku": "sku-1", "quantity": 1, "unit_price": amount}],
        **more,
    }


def draw_report(scenario: Scenario) -> None:
    """Draw the report after a day of shoppers."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        err.print("docs/report.png is not drawn: it needs Chromium, such as apt-get install chromium.")
        return
    day = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    shoppers = ("--sessions", "1500", "--profile", "day", "--start", day, "--invalid-ratio", "0.03")
    subprocess.run(
        [sys.executable, PRODUCER, *shoppers],
        env=scenario.environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    scenario.run("tools.ops", "verify", WAIT="90")
    page = scenario.state_dir / "report.html"
    analytics = str(VENVS / "analytics" / "bin" / "python")
    scenario.run("tools.analytics", "report", python=analytics, SINCE="1h", OUT=str(page))
    width, height = _REPORT_SIZE
    picture = DOCS / "report.png"
    subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--window-size={width},{height}", f"--screenshot={picture}", page.as_uri()),
        ],
        check=True,
        capture_output=True,
        timeout=_TIMEOUT,
    )
    err.print(f"Wrote docs/{picture.name}.")


def draw_traces(scenario: Scenario) -> None:
    """Draw the stories of three events."""
    early = datetime.now(UTC) + timedelta(minutes=5, seconds=5)
    rejected = scenario.send(**order("event-o-2", 80, occurred_at=early.isoformat(timespec="milliseconds")))
    large = order("event-o-1", 1250.5)
    scenario.send(**large)
    until(lambda: bool(scenario.story("event-o-1")), "event-o-1 is stored")
    scenario.send(**large)
    scenario.send(**order("event-o-1", 1205.5))
    mebibyte = order("event-o-3", 99.9, metadata="")
    filler = os.urandom(MAX_BYTES // 2).hex()
    mebibyte["metadata"] = filler[: MAX_BYTES - len(json.dumps(mebibyte))]
    scenario.send(**mebibyte)
    until(lambda: datetime.now(UTC) > early - timedelta(minutes=5), "the early event may be replayed")
    until(lambda: rejected in scenario.run("tools.ops", "rejected"), "event-o-2 is rejected")
    scenario.run("tools.ops", "replay", ID=rejected, AUTO_APPROVE="1")
    scenario.trace("large-order", _archived_with(3), "event-o-1")
    scenario.trace("replayed", _archived_with(1), "event-o-2")
    scenario.trace("1-mib", _archived_with(1), "event-o-3")


def _archived_with(count: int) -> Callable[[dict[str, Any]], bool]:
    return lambda story: (
        not story.get("still_due")
        and sum("archived" in step["what"] for step in story.get("steps", ())) >= count
    )


def draw_top(scenario: Scenario) -> None:
    """Draw the screen of make top while the function works off the peak of a flash sale."""
    target = find_target(None, None, None, {"STACK_DIR": str(scenario.state_dir)})
    runner, store = create_runner(target, 1.0)
    runner.start()
    command = (sys.executable, PRODUCER, *_SALE, *_RATIOS)
    producer = subprocess.Popen(command, env=scenario.environment, stdout=subprocess.DEVNULL)
    peak = 0
    state: list[State] = []

    def is_past_the_peak() -> bool:
        nonlocal peak
        state[:] = [store.state(time.time())]
        depth = state[0].depth.value
        queued = depth.total if depth else 0
        peak = max(peak, queued)
        return producer.poll() is not None or (peak > 200 and queued < _REMAINING * peak)

    try:
        until(is_past_the_peak, "the peak of the sale is past")
    finally:
        runner.stop()
        producer.terminate()
        producer.wait()
    width, height = TOP_SIZE
    export_svg(render(state[0], width, height), DOCS / "top.svg", "make top", width, height)


@contextmanager
def running_stack() -> Iterator[Scenario]:
    """Start a stack beside that of the checkout, and remove it."""
    with tempfile.TemporaryDirectory() as directory:
        local = [sys.executable, "-m", "tools.local"]
        place = ["--state-dir", directory, "--port", str(free_port()), "--emulator", "ministack"]
        try:
            subprocess.run([*local, "up", "--brief", *place], cwd=ROOT, check=True)
            yield Scenario(Path(directory))
        finally:
            subprocess.run([*local, "down", *place], cwd=ROOT, check=False)


def main() -> int:
    """Draw all pictures. Return the exit status."""
    try:
        with running_stack() as scenario:
            draw_report(scenario)
            draw_traces(scenario)
            draw_top(scenario)
    except ToolError as error:
        return print_error(error)
    except subprocess.SubprocessError as error:
        return print_error(ToolError(f"The pictures are not complete: {error}"))
    return 0


if __name__ == "__main__":
    start(main)
