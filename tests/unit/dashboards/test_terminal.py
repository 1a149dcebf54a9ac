"""Run the program on a pseudo-terminal with a pipeline that does not answer."""

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
from pathlib import Path
from typing import IO, Any

import pytest

from tests.unit.dashboards.test_top import endpoint, exported
from tools.core.paths import ROOT

__all__ = ["endpoint", "exported"]

PATH = os.pathsep.join([str(ROOT), str(ROOT / "lambda_src")])


class PseudoTerminal:
    """A terminal of some size that runs the program."""

    def __init__(
        self, environment: dict[str, str], width: int, height: int, errors: IO[str] | None = None
    ) -> None:
        self.master, self.slave = pty.openpty()
        self._set_size(width, height)
        self.settings = self._read_settings()
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dashboards", "--interval", "0.5"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": PATH, "TERM": "xterm-256color"} | environment,
            stdin=self.slave,
            stdout=self.slave,
            stderr=errors or self.slave,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )

    def read_until(self, *words: str, within: float = 30) -> str:
        """Return the output since the last call, once it contains all of the words."""
        deadline = time.monotonic() + within
        self.output = ""
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        while not all(word in self.output for word in words):
            remaining = deadline - time.monotonic()
            ready, _, _ = select.select([self.master], [], [], max(0.0, remaining))
            assert ready, f"not within {within:g} s: {words} in {self.output[-3000:]!r}"
            self.output += decoder.decode(os.read(self.master, 65536))
        return self.output

    def resize(self, width: int, height: int) -> None:
        self._set_size(width, height)
        os.kill(self.process.pid, signal.SIGWINCH)

    def press(self, key: bytes) -> None:
        os.write(self.master, key)

    def wait_for_exit(self) -> int:
        """Return the exit status once the terminal has all output of the program."""
        self.read_until("\x1b[?1049l")
        return self.process.wait(20)

    def is_restored(self) -> bool:
        return self.settings == self._read_settings()

    # On macOS the slave is revoked once the program that leads its session has ended.
    def _set_size(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def _read_settings(self) -> list[Any]:
        return termios.tcgetattr(self.master)


@contextmanager
def terminal(
    environment: dict[str, str], width: int = 80, height: int = 24, errors: IO[str] | None = None
) -> Iterator[PseudoTerminal]:
    opened = PseudoTerminal(environment, width, height, errors)
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.wait()
        os.close(opened.master)
        os.close(opened.slave)


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "Ctrl-C"])
def test_q_and_ctrl_c_restore_the_terminal(exported: dict[str, str], key: bytes) -> None:
    with terminal(exported) as screen:
        screen.read_until("\x1b[?1049h", "SQS does not answer")
        assert not screen.is_restored()
        screen.press(b"x")
        screen.press(key)
        assert screen.wait_for_exit() == 0
        assert screen.is_restored()
        assert "\x1b[?25h" in screen.output
        assert "Traceback" not in screen.output


def test_a_termination_signal_restores_the_terminal(exported: dict[str, str]) -> None:
    with terminal(exported) as screen:
        screen.read_until("SQS does not answer")
        screen.process.terminate()
        assert screen.wait_for_exit() == 128 + signal.SIGTERM
        assert screen.is_restored()


def test_the_screen_follows_the_size_of_the_window(exported: dict[str, str]) -> None:
    with terminal(exported) as screen:
        screen.read_until("SQS does not answer")
        for width, height, expected in ((120, 40, "─" * 100), (10, 3, "queued"), (200, 50, "─" * 150)):
            screen.resize(width, height)
            screen.read_until(expected)
        screen.press(b"q")
        assert screen.wait_for_exit() == 0


def test_no_color_is_respected(exported: dict[str, str]) -> None:
    with terminal({**exported, "NO_COLOR": "1"}) as screen:
        output = screen.read_until("SQS does not answer")
        screen.press(b"q")
        assert screen.wait_for_exit() == 0
    assert "\x1b[33m" not in output
    assert "\x1b[1;33m" not in output


def test_a_dumb_terminal_gets_one_plain_frame(exported: dict[str, str]) -> None:
    with terminal({**exported, "TERM": "dumb"}) as screen:
        output = screen.read_until("SQS does not answer", "Alarms")
        assert screen.process.wait(20) == 1
        assert "\x1b" not in output + screen.output


def test_keys_show_the_help_enlarge_a_panel_and_freeze_the_screen(exported: dict[str, str]) -> None:
    with terminal(exported) as screen:
        screen.read_until("SQS does not answer", "? help  q quits")
        screen.press(b"?")
        screen.read_until("this help", "freezes the screen")
        screen.press(b"?")
        screen.read_until("2 Throughput")
        # An arrow key is Esc, a bracket and a letter, and none of them.
        screen.press(b"\x1b[A6")
        screen.read_until("6 Alarms", "\u2500" * 60)
        screen.press(b" ")
        screen.read_until("frozen: space continues")
        screen.press(b"q")
        assert screen.wait_for_exit() == 0


def test_a_terminal_that_is_closed_ends_it_with_the_status_of_sighup(exported: dict[str, str]) -> None:
    with terminal(exported) as screen:
        screen.read_until("SQS does not answer")
        os.kill(screen.process.pid, signal.SIGHUP)
        assert screen.wait_for_exit() == 128 + signal.SIGHUP
        assert "Traceback" not in screen.output


def test_a_terminal_that_is_gone_for_good_leaves_no_traceback(
    exported: dict[str, str], tmp_path: Path
) -> None:
    with (tmp_path / "errors").open("w+") as errors, terminal(exported, errors=errors) as screen:
        screen.read_until("SQS does not answer")
        os.close(screen.slave)
        os.close(screen.master)
        assert screen.process.wait(20) == 128 + signal.SIGHUP
        # The context closes both once more.
        screen.master, screen.slave = pty.openpty()
        assert (tmp_path / "errors").read_text() == ""
