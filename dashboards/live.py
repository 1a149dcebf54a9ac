"""Draw frames on a terminal, one per interval, until the user quits."""

import logging
import os
import signal
import termios
import time

from rich.console import Console
from rich.live import Live

from dashboards import terminal
from dashboards.reading_store import ReadingStore
from dashboards.view.screen import render
from dashboards.view.view import View
from tools.core.program import close_stdout

# Interval until every source has answered once, so that the screen fills quickly.
_STARTUP_INTERVAL = 0.25


def can_draw(console: Console) -> bool:
    """Return whether a console is a terminal that can move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal


def run_live(store: ReadingStore, console: Console, interval: float) -> int:
    """Draw until q, Ctrl-C or a termination signal. Return the exit status."""
    # A warning of a library would be printed over the screen.
    logging.getLogger().addHandler(logging.NullHandler())
    view, state = View(has_keys=True), None
    try:
        with (
            terminal.open_keyboard() as keyboard,
            Live(console=console, screen=True, auto_refresh=False) as live,
        ):
            while True:
                console.size = _window_size(console)
                now = time.time()
                if state is None or not view.is_frozen:
                    state = store.state(now)
                live.update(render(state, console.width, console.height, view), refresh=True)
                is_starting = any(reading.value is None and not reading.error for reading in state.readings)
                # Frames start on whole intervals, so that clocks and charts move evenly.
                pause = _STARTUP_INTERVAL if is_starting else interval - now % interval
                for key in keyboard.wait(pause):
                    if key in terminal.QUIT_KEYS:
                        return 0
                    view = view.after(key)
    except terminal.TerminationSignal as received:
        return 128 + int(received.args[0])
    except (OSError, termios.error):
        # The terminal is gone, and with it the place for what is still buffered.
        close_stdout()
        return 128 + signal.SIGHUP


def _window_size(console: Console) -> tuple[int, int]:
    # rich prefers COLUMNS and LINES, which keep the values that the shell started with.
    width, height = os.get_terminal_size(console.file.fileno())
    return width or 80, height or 24
