"""Draw docs/top.svg: send a load to the local stack and export the screen at its peak."""

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

from dashboards.collect.collectors import create_runner
from dashboards.state import State
from dashboards.target import Target, find_target
from dashboards.view.charset import UNICODE
from dashboards.view.screen import render
from tools.core.console import err
from tools.core.errors import ToolError
from tools.core.paths import DEFAULT_STATE_DIR, ROOT
from tools.core.program import print_error
from tools.core.state import StackState

SCREENSHOT = ROOT / "docs" / "top.svg"
SIZE = 120, 40
# Events and events per second: a steady stream, then a burst without a rate limit.
_STREAM = 1800, 90
_BURST = 3500, 0
_STREAM_SECONDS = 15
# The frame is exported when this fraction of the burst's peak is left, or after the timeout in seconds.
_REMAINING_FRACTION = 0.6
_TIMEOUT = 60
_RATIOS = ("--invalid-ratio", "0.02", "--duplicate-ratio", "0.04", "--large-ratio", "0.1")
# A text of rich's SVG. Viewers differ in the width of spaces at its ends, so these are removed.
_SVG_TEXT = re.compile(r'(<text [^>]*?)x="([\d.]+)" y="([\d.]+)" textLength="([\d.]+)"([^>]*>)([^<]*)</text>')
_SPACE = "&#160;"


def export_svg(state: State, path: Path, size: tuple[int, int] = SIZE) -> None:
    """Draw a frame as SVG."""
    width, height = size
    console = Console(file=io.StringIO(), record=True, width=width, height=height, force_terminal=True)
    console.print(render(state, width, height, UNICODE))
    path.write_text(_SVG_TEXT.sub(_strip_spaces, console.export_svg(title="make top")), encoding="utf-8")


def _strip_spaces(match: re.Match[str]) -> str:
    before, x, y, length, after, content = match.groups()
    cells = len(html.unescape(content))
    stripped = content
    while stripped.startswith(_SPACE):
        stripped = stripped.removeprefix(_SPACE)
    start = float(x) + float(length) * (cells - len(html.unescape(stripped))) / cells
    while stripped.endswith(_SPACE):
        stripped = stripped.removesuffix(_SPACE)
    if not stripped:
        return ""
    stripped_length = float(length) * len(html.unescape(stripped)) / cells
    return f'{before}x="{start:g}" y="{y}" textLength="{stripped_length:g}"{after}{stripped}</text>'


def main() -> int:
    """Send a load to the running stack and write the screenshot. Return the exit status."""
    state_dir = Path(os.environ.get("STACK_DIR") or DEFAULT_STATE_DIR)
    try:
        # Exported names are ignored: thousands of events must only go to the local stack.
        target = find_target(None, None, None, {"STACK_DIR": str(state_dir)})
    except ToolError as error:
        return print_error(error)
    export_svg(watch_under_load(target, StackState.load(state_dir)), SCREENSHOT)
    err.print(f"Wrote {SCREENSHOT.relative_to(ROOT)}.", style="dim")
    return 0


def watch_under_load(target: Target, stack: StackState) -> State:
    """Send a stream and a burst. Return the state while the function processes the burst."""
    environment = os.environ | stack.environment()
    runner, store = create_runner(target, 1.0)
    runner.start()
    producers = []
    try:
        producers.append(_start_producer(environment, *_STREAM))
        time.sleep(_STREAM_SECONDS)
        producers.append(_start_producer(environment, *_BURST))
        peak = 0
        deadline = time.monotonic() + _TIMEOUT
        while True:
            time.sleep(0.5)
            state = store.state(time.time())
            queued = state.depth.value.total if state.depth.value else 0
            peak = max(peak, queued)
            if queued < _REMAINING_FRACTION * peak or time.monotonic() > deadline:
                return state
    finally:
        runner.stop()
        for producer in producers:
            producer.terminate()
            producer.wait()


def _start_producer(environment: Mapping[str, str], count: int, rate: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            *(sys.executable, str(ROOT / "producer" / "send_test_events.py")),
            *("--count", str(count), "--rate", str(rate), *_RATIOS),
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
