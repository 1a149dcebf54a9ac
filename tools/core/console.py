"""Terminal output. Text from outside can neither style nor control the terminal."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from functools import partial
from itertools import islice
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from tools.core.text import strip_control_chars


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise the error, because rich would exit with status 1. `tools.core.program` ends quietly."""
        raise BrokenPipeError

    def render_str(self, text: str, **options: Any) -> Text:
        """Return a string to print: as it is, but for characters that would control the terminal."""
        return super().render_str(strip_control_chars(text, keep="\n"), **options)


# How a line of trouble stands out. Text is bold, red or plain: yellow, green and cyan cannot be read on
# white, and dim text can hardly be read on Solarized.
TROUBLE = "bold"
_LISTED = 20
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,18}Z")

out = _Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = _Console(highlight=False, soft_wrap=True, markup=False, emoji=False, stderr=True)


def safe_text(text: str, style: str = "") -> Text:
    """Return text from outside for rich to print, on one line and without markup."""
    return Text(strip_control_chars(text), style=style)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return text from outside, filled with blanks to a width in columns: wide characters take two."""
    text = strip_control_chars(text)
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def print_row(*fields: str | Text, indent: int = 4, gap: str = "  ") -> None:
    """Print the fields of a row that are not empty, and break the line only between them."""
    line = Text()
    for number, field in enumerate(field for field in fields if field):
        text = safe_text(field) if isinstance(field, str) else field
        # Blanks fill up a column, which has no neighbour at the end of a line.
        if number and line.cell_len + len(gap) + cell_len(text.plain.rstrip()) > out.width:
            line.rstrip()
            out.print(line)
            line = Text(" " * indent)
        elif number:
            line.append(gap)
        line.append_text(text)
    line.rstrip()
    out.print(line)


class Clock:
    """Gives rows their time of day. The first row of each day gets a line above it that names the day."""

    def __init__(self) -> None:
        self._day = ""

    def __call__(self, at: str) -> Text:
        """Return the time of day of a time (RFC 3339, UTC). Other text is returned as it is."""
        if _TIME.fullmatch(at) is None:
            return safe_text(at or "-", "bold")
        if at[:10] != self._day:
            self._day = at[:10]
            out.print(f"{self._day} UTC")
        return safe_text(at[11:23].rstrip("Z"), "bold")


def write_raw(body: bytes) -> None:
    """Write bytes to standard output: unchanged to a file or pipe, with escapes to a terminal."""
    out.file.flush()
    if sys.stdout.isatty():
        sys.stdout.write(strip_control_chars(body.decode("utf-8", "backslashreplace"), keep="\n\t"))
    else:
        sys.stdout.buffer.write(body)
    sys.stdout.flush()


def print_json(document: object) -> None:
    """Print a line of JSON. It is ASCII, so that no text from outside reaches the terminal as it is.

    A dataclass becomes an object, and a set a sorted list.
    """
    print(json.dumps(document, default=_plain))


def _plain(value: Any) -> Any:
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else sorted(value)


def print_listed(
    texts: Iterable[str], count: int, more: str = "more", style: str = "", console: Console = out
) -> None:
    """Print the first 20 of some texts from outside, and how many of ``count`` are left: ``and 5 more``."""
    for text in islice(texts, _LISTED):
        console.print(safe_text(f"  {text}", style))
    if count > _LISTED:
        console.print(f"  and {count - _LISTED:,} {more}", style=style)


def plural(count: int, noun: str) -> str:
    """Return a count and its noun: ``1 event``, ``1,000 events``, ``2 batches``."""
    if count == 1:
        return f"{count:,} {noun}"
    if noun.endswith(("py", "cy")):
        noun = f"{noun[:-1]}ie"
    elif noun.endswith("ch"):
        noun = f"{noun}e"
    return f"{count:,} {noun}s"


@contextmanager
def progress_bars(total: int | None, *names: str) -> Iterator[list[Callable[[int], None]]]:
    """Show progress bars if standard error is a terminal.

    Yields one function for each name. Call it with the number of items that are done. ``total`` is None if
    it is unknown.
    """
    with progress_steps(dict.fromkeys(names, total)) as show:
        for name in names:
            show(name, 0)
        yield [partial(show, name) for name in names]


@contextmanager
def progress_steps(totals: Mapping[str, int | None]) -> Iterator[Callable[[str, int], None]]:
    """Show a progress bar for each step of a command, when the step begins; see `progress_bars`.

    Yields a function. Call it with the name of the step and the number of items that are done. ``totals``
    has the known totals, which may be estimates.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        tasks: dict[str, TaskID] = {}

        def show(step: str, done: int) -> None:
            total = max(totals[step] or 0, done) if totals.get(step) else None
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=total)
            progress.update(tasks[step], completed=done, total=total)

        yield show
