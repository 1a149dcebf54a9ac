"""The keyboard and the window's size, and the terminal given back as it was."""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Ctrl-C comes as a byte, not as a signal: make, which runs us, would be interrupted too and say so. Ctrl-Z
# does nothing: a stopped program would leave its picture on the shell's screen.
QUIT = frozenset({b"q", b"Q", b"\x03", b"\x04"})
_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


class Ended(BaseException):
    """A signal asked the program to end."""


class Keyboard:
    """Waits for keys and for the window to change its size."""

    def __init__(self, descriptor: int | None, resized: int) -> None:
        """``descriptor`` is the terminal's, None where there is none; ``resized`` a pipe to read from."""
        self._watched = [resized] if descriptor is None else [descriptor, resized]
        self._descriptor = descriptor
        self._resized = resized

    def wait(self, seconds: float) -> bool:
        """Wait so long, or until the window changes. Returns whether it is time to end."""
        deadline = time.monotonic() + seconds
        while True:
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select(self._watched, [], [], left)
            if not ready:
                return False
            if self._resized in ready:
                os.read(self._resized, 1024)
                return False
            if self._descriptor is not None:
                keys = os.read(self._descriptor, 1024)
                # No bytes: the terminal is gone.
                if not keys or any(bytes([key]) in QUIT for key in keys):
                    return True


@contextmanager
def keyboard() -> Iterator[Keyboard]:
    """The keyboard, key by key and unseen. Signals that end a program raise `Ended` in the meantime."""
    descriptor = sys.stdin.fileno() if sys.stdin.isatty() else None
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def resized(_number: int, _frame: FrameType | None) -> None:
        os.write(writer, b"\0")

    def end(number: int, _frame: FrameType | None) -> None:
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    before[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, resized)
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
            # Drops what was typed meanwhile, which was meant for us and not for the shell.
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, settings)
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reader)
        os.close(writer)
