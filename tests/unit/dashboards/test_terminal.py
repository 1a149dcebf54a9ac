"""The program on a pseudo-terminal, watching a pipeline that does not answer."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.unit.dashboards.test_top import endpoint, exported
from tools.core.paths import ROOT

__all__ = ["endpoint", "exported"]

PATH = os.pathsep.join([str(ROOT), str(ROOT / "lambda_src")])


class Terminal:
    """A terminal of some size with the program on it."""

    def __init__(self, environment: dict[str, str], width: int, height: int) -> None:
        self.master, self.slave = pty.openpty()
        self._size(width, height)
        self.settings = self._settings()
        self.seen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dashboards", "--interval", "0.5"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": PATH, "TERM": "xterm-256color"} | environment,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def read_until(self, *words: str, within: float = 30) -> str:
        """What the terminal got since the last call, once all of the words are in it."""
        deadline = time.monotonic() + within
        self.seen = ""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while not all(word in self.seen for word in words):
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self.master], [], [], max(0.0, left))
            assert ready, f"not within {within:g} s: {words} in {self.seen[-3000:]!r}"
            self.seen += decoder.decode(os.read(self.master, 65536))
        return self.seen

    def resize(self, width: int, height: int) -> None:
        self._size(width, height)
        os.kill(self.process.pid, signal.SIGWINCH)

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def ended(self) -> int:
        """The exit status, once the program has ended and the terminal has all of its output."""
        self.read_until("\x1b[?1049l")
        return self.process.wait(20)

    def as_it_was(self) -> bool:
        return self.settings == self._settings()

    def _size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def _settings(self) -> list[Any]:
        return termios.tcgetattr(self.slave)


@contextmanager
def terminal(environment: dict[str, str], width: int = 80, height: int = 24) -> Iterator[Terminal]:
    opened = Terminal(environment, width, height)
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()
        os.close(opened.master)
        os.close(opened.slave)


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "Ctrl-C"])
def test_q_and_ctrl_c_leave_the_terminal_as_it_was(exported: dict[str, str], key: bytes) -> None:
    with terminal(exported) as screen:
        screen.read_until("\x1b[?1049h", "SQS does not answer")
        assert not screen.as_it_was()
        screen.press(b"x")
        screen.press(key)
        assert screen.ended() == 0
        assert screen.as_it_was()
        assert "\x1b[?25h" in screen.seen
        assert "Traceback" not in screen.seen


def test_a_signal_to_end_leaves_the_terminal_as_it_was(exported: dict[str, str]) -> None:
    with terminal(exported) as screen:
        screen.read_until("SQS does not answer")
        screen.process.terminate()
        assert screen.ended() == 128 + signal.SIGTERM
        assert screen.as_it_was()


def test_it_follows_the_windows_size(exported: dict[str, str]) -> None:
    with terminal(exported) as screen:
        screen.read_until("SQS does not answer")
        for width, height, shown in ((120, 40, "─" * 100), (10, 3, "p-test"), (200, 50, "─" * 150)):
            screen.resize(width, height)
            screen.read_until(shown)
        screen.press(b"q")
        assert screen.ended() == 0


def test_no_color_is_respected(exported: dict[str, str]) -> None:
    with terminal({**exported, "NO_COLOR": "1"}) as screen:
        shown = screen.read_until("SQS does not answer")
        screen.press(b"q")
        assert screen.ended() == 0
    assert "\x1b[33m" not in shown
    assert "\x1b[1;33m" not in shown


def test_a_dumb_terminal_gets_one_plain_frame(exported: dict[str, str]) -> None:
    with terminal({**exported, "TERM": "dumb"}) as screen:
        shown = screen.read_until("SQS does not answer", "Alarms")
        assert screen.process.wait(20) == 1
        assert "\x1b" not in shown + screen.seen
