"""Terminal output. Text from outside can neither style nor control the terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise the error, because rich would exit with status 1. `tools.core.cli` ends quietly."""
        raise BrokenPipeError


out = _Console(highlight=False, soft_wrap=True)
err = _Console(highlight=False, soft_wrap=True, stderr=True)

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def strip_control_chars(text: str) -> str:
    """Replace control and text direction characters by visible escapes."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def safe_text(text: str, style: str = "") -> Text:
    """Return text from outside for rich to print, without markup and control characters."""
    return Text(strip_control_chars(text), style=style)


def write_raw(body: bytes) -> None:
    """Write bytes to standard output: unchanged to a file or pipe, with escapes to a terminal."""
    out.file.flush()
    if sys.stdout.isatty():
        sys.stdout.write(strip_control_chars(body.decode("utf-8", "backslashreplace")))
    else:
        sys.stdout.buffer.write(body)
    sys.stdout.flush()


def plural(count: int, noun: str) -> str:
    """Return a count and its noun: ``1 event``, ``1,000 events``, ``2 batches``."""
    if count != 1:
        noun = (
            f"{noun[:-1]}ies"
            if noun[-2:] in ("py", "cy")
            else f"{noun}es"
            if noun[-2:] == "ch"
            else f"{noun}s"
        )
    return f"{count:,} {noun}"


@contextmanager
def progress_bars(total: int | None, *names: str) -> Iterator[list[Callable[[int], None]]]:
    """Show progress bars if standard error is a terminal.

    Yields one function for each name. Call it with the number of items that are done. ``total`` is None if
    it is unknown.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks = [progress.add_task(name, total=total) for name in names]
        yield [partial(_advance, progress, task) for task in tasks]


def _advance(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)
