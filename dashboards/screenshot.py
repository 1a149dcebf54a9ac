"""`make docs PICTURE=1`: watch a short load, and draw the screen at its height as docs/top.svg."""

from __future__ import annotations

import html
import io
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from dashboards.collect.all import watch
from dashboards.state import State
from dashboards.target import Target, find
from dashboards.view.charset import UNICODE
from dashboards.view.screen import render
from tools.core.console import err, safe_text
from tools.core.errors import OpsError
from tools.core.paths import DEFAULT_STATE_DIR, ROOT
from tools.core.state import StackState

PICTURE = ROOT / "docs" / "top.svg"
SIZE = 120, 40
# A steady stream, then a burst as fast as the queue takes it: how many events, and how many a second.
_STREAM = 1800, 90
_BURST = 3500, 0
_STREAM_SECONDS = 15
# The picture is taken when so much of the burst's height is left, or after so many seconds.
_LEFT = 0.6
_PATIENCE = 60
_SPICE = ("--invalid-ratio", "0.02", "--duplicate-ratio", "0.04", "--large-ratio", "0.1")
# Text of rich's SVG with spaces at an end: viewers differ over whether they take room.
_SPACED = re.compile(r'(<text [^>]*?)x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*>)([^<]*)</text>')
_SPACE = "&#160;"


def export(state: State, path: Path, size: tuple[int, int] = SIZE) -> None:
    """Draw a frame as SVG."""
    width, height = size
    console = Console(file=io.StringIO(), record=True, width=width, height=height, force_terminal=True)
    console.print(render(state, width, height, UNICODE))
    path.write_text(_SPACED.sub(_without_spaces, console.export_svg(title="make top")), encoding="utf-8")


def _without_spaces(text: re.Match[str]) -> str:
    before, x, y, length, after, content = text.groups()
    cells = len(html.unescape(content))
    stripped = content
    while stripped.startswith(_SPACE):
        stripped = stripped.removeprefix(_SPACE)
    start = float(x) + float(length) * (cells - len(html.unescape(stripped))) / cells
    while stripped.endswith(_SPACE):
        stripped = stripped.removesuffix(_SPACE)
    if not stripped:
        return ""
    long = float(length) * len(html.unescape(stripped)) / cells
    return f'{before}x="{start:g}" y="{y}" textLength="{long:g}"{after}{stripped}</text>'


def main() -> int:
    """Load the stack that runs, watch it, and write the picture. Returns the exit status."""
    state_dir = Path(os.environ.get("STACK_DIR") or DEFAULT_STATE_DIR)
    try:
        # Never a pipeline that happens to be exported: this one is sent thousands of events.
        target = find(None, None, None, {"STACK_DIR": str(state_dir)})
    except OpsError as error:
        err.print(safe_text(str(error), "bold red"))
        err.print(safe_text(error.hint))
        return error.status
    export(under_load(target, StackState.load(state_dir)), PICTURE)
    err.print(f"Wrote {PICTURE.relative_to(ROOT)}.", style="dim")
    return 0


def under_load(target: Target, stack: StackState) -> State:
    """What is known of a pipeline while it works a burst off."""
    environment = os.environ | stack.environment()
    runner, board = watch(target, 1.0)
    runner.start()
    senders = []
    try:
        senders.append(_sender(environment, *_STREAM))
        time.sleep(_STREAM_SECONDS)
        senders.append(_sender(environment, *_BURST))
        peak = 0
        deadline = time.monotonic() + _PATIENCE
        while True:
            time.sleep(0.5)
            state = board.state(time.time())
            queued = state.depth.value.total if state.depth.value else 0
            peak = max(peak, queued)
            if queued < _LEFT * peak or time.monotonic() > deadline:
                return state
    finally:
        runner.stop()
        for sender in senders:
            sender.terminate()
            sender.wait()


def _sender(environment: Mapping[str, str], count: int, rate: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "producer" / "send_test_events.py")),
            *("--count", str(count), "--rate", str(rate), *_SPICE),
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
