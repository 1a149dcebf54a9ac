"""Read the keyboard, notice a new window size, and restore the terminal's settings at the end."""

import os
import re
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

# Ctrl-C arrives as a byte and not as a signal, because a signal would also interrupt make. Ctrl-Z is ignored
# because a suspended program would leave its screen in the shell.
QUIT_KEYS = frozenset("qQ\x03\x04")
# Arrow keys and the like: Esc and more. A lone Esc is a key.
_SEQUENCE = re.compile(r"\x1b[\[O][0-9;]*[ -/]*[@-~]?")
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class TerminationSignal(BaseException):
    """A signal asked the program to end."""


class Keyboard:
    """Waits for keys and for a new window size."""

    def __init__(self, descriptor: int | None, resize_pipe: int) -> None:
        """Read from the terminal ``descriptor`` (None if there is none) and from ``resize_pipe``."""
        self._watched = [resize_pipe] if descriptor is None else [descriptor, resize_pipe]
        self._descriptor = descriptor
        self._resize_pipe = resize_pipe

    def wait(self, seconds: float) -> str:
        """Wait until the time is over, the window's size changes or keys are pressed. Return the keys."""
        ready, _, _ = select.select(self._watched, [], [], max(0.0, seconds))
        if self._resize_pipe in ready:
            os.read(self._resize_pipe, 1024)
        if self._descriptor is not None and self._descriptor in ready:
            keys = os.read(self._descriptor, 1024).decode("ascii", "ignore")
            # An empty read means that the terminal was closed.
            return _SEQUENCE.sub("", keys) if keys else "q"
        return ""


@contextmanager
def open_keyboard() -> Iterator[Keyboard]:
    """Read keys one by one and without echo. Signals to end raise `TerminationSignal` meanwhile."""
    descriptor = sys.stdin.fileno() if sys.stdin.isatty() else None
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def notify_resize(_number: int, _frame: FrameType | None) -> None:
        os.write(writer, b"\0")

    def terminate(number: int, _frame: FrameType | None) -> None:
        raise TerminationSignal(number)

    previous_handlers = {number: signal.signal(number, terminate) for number in _SIGNALS}
    previous_handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, notify_resize)
    settings = termios.tcgetattr(descriptor) if descriptor is not None else None
    try:
        if descriptor is not None and settings is not None:
            tty.setcbreak(descriptor)
            without_signals = termios.tcgetattr(descriptor)
            without_signals[3] &= ~termios.ISIG
            termios.tcsetattr(descriptor, termios.TCSANOW, without_signals)
        yield Keyboard(descriptor, reader)
    finally:
        if descriptor is not None and settings is not None:
            # Discards keys typed meanwhile, which the shell would otherwise run. A closed terminal has none.
            with suppress(termios.error):
                termios.tcsetattr(descriptor, termios.TCSAFLUSH, settings)
        for number, handler in previous_handlers.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
