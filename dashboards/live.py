"""Draw frames on a terminal, one per interval, until the user quits."""

from __future__ import annotations

import logging
import os
import time

from rich.console import Console
from rich.live import Live

from dashboards import terminal
from dashboards.reading_store import ReadingStore
from dashboards.view.charset import ASCII, UNICODE, Charset
from dashboards.view.screen import render

# Interval until every source has answered once, so that the screen fills quickly.
_STARTUP_INTERVAL = 0.25


def charset_for(console: Console) -> Charset:
    """Return the characters that a console can show."""
    return ASCII if console.options.ascii_only else UNICODE


def can_draw(console: Console) -> bool:
    """Return whether a console is a terminal that can move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal


def run_live(store: ReadingStore, console: Console, interval: float) -> int:
    """Draw until q, Ctrl-C or a termination signal. Return the exit status."""
    # A warning of a library would be printed over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    charset = charset_for(console)
    try:
        with (
            terminal.open_keyboard() as keyboard,
            Live(console=console, screen=True, auto_refresh=False) as live,
        ):
            while True:
                console.size = _window_size(console)
                now = time.time()
                state = store.state(now)
                live.update(render(state, console.width, console.height, charset), refresh=True)
                is_starting = any(reading.value is None and not reading.error for reading in state.readings)
                # Frames start on whole intervals, so that clocks and charts move evenly.
                pause = _STARTUP_INTERVAL if is_starting else interval - now % interval
                if keyboard.wait_for_quit(pause):
                    return 0
    except terminal.TerminationSignal as received:
        return 128 + int(received.args[0])


def _window_size(console: Console) -> tuple[int, int]:
    # rich prefers COLUMNS and LINES, which keep the values that the shell started with.
    width, height = os.get_terminal_size(console.file.fileno())
    return width or 80, height or 24
