"""Writing to the terminal: what comes from outside can neither colour nor command it."""

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
        """Leave it to `tools.core.cli`: whoever read our output has seen enough, which is no error."""
        raise BrokenPipeError


out = _Console(highlight=False, soft_wrap=True)
err = _Console(highlight=False, soft_wrap=True, stderr=True)

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def strip_control_chars(text: str) -> str:
    """Text that a terminal shows and does not obey: control and direction characters become escapes."""
    return _CONTROLS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def safe_text(text: str, style: str = "") -> Text:
    """Text from outside, as rich may print it: no markup, no control characters."""
    return Text(strip_control_chars(text), style=style)


def write_raw(body: bytes) -> None:
    """Write bytes to standard output unchanged, or made harmless where a person's terminal is."""
    out.file.flush()
    if sys.stdout.isatty():
        sys.stdout.write(strip_control_chars(body.decode("utf-8", "backslashreplace")))
    else:
        sys.stdout.buffer.write(body)
    sys.stdout.flush()


def plural(count: int, noun: str) -> str:
    """A count and its noun: ``1 event``, ``1,000 events``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


@contextmanager
def progress_bars(total: int | None, *names: str) -> Iterator[list[Callable[[int], None]]]:
    """Progress bars on standard error while a terminal is there.

    Yields for each name what to tell how far it is; ``total`` is None where that is not known.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks = [progress.add_task(name, total=total) for name in names]
        yield [partial(_advance, progress, task) for task in tasks]


def _advance(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)
