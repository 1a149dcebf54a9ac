"""The program on a terminal: a frame at each tick, until q."""

from __future__ import annotations

import logging
import os
import time

from rich.console import Console
from rich.live import Live

from dashboards import terminal
from dashboards.reading_store import ReadingStore
from dashboards.view.charset import ASCII, UNICODE, Glyphs
from dashboards.view.screen import render

# Frames until every source has answered once come sooner, so that the screen fills at once.
_FILLING_SECONDS = 0.25


def glyphs_for(console: Console) -> Glyphs:
    """The characters that a console can show."""
    return ASCII if console.options.ascii_only else UNICODE


def can_show(console: Console) -> bool:
    """Whether a screen can be drawn: a terminal that can move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal


def run(board: ReadingStore, console: Console, interval: float) -> int:
    """Draw until q, Ctrl-C or a signal to end. Returns the exit status."""
    # A library's warning would be written across the picture.
    logging.getLogger().addHandler(logging.NullHandler())
    glyphs = glyphs_for(console)
    try:
        with terminal.keyboard() as keys, Live(console=console, screen=True, auto_refresh=False) as live:
            while True:
                console.size = _size(console)
                now = time.time()
                state = board.state(now)
                live.update(render(state, console.width, console.height, glyphs), refresh=True)
                filling = any(reading.value is None and not reading.problem for reading in state.readings)
                # On whole intervals, so that clocks and charts move evenly.
                pause = _FILLING_SECONDS if filling else interval - now % interval
                if keys.wait(pause):
                    return 0
    except terminal.Ended as ended:
        return 128 + int(ended.args[0])


def _size(console: Console) -> tuple[int, int]:
    """The window's size now, not what COLUMNS and LINES said when the shell started."""
    width, height = os.get_terminal_size(console.file.fileno())
    return width or 80, height or 24
