"""Formats the progress and the result of a run for people and scripts."""

import json
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from contract import ORDER
from producer.delivery import Result
from producer.generate.messages import INVALID
from producer.own_events import Check
from producer.send.run_stats import Progress
from tools.core.console import safe_text
from tools.core.text import format_bytes, quote

# Without a terminal (a log file, CI) progress is one line at this interval.
_LINE_INTERVAL_SECONDS = 10.0


class Report:
    """Shows the progress of a run: a bar on a terminal, otherwise a line every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = console.is_terminal and not console.is_dumb_terminal
        self._bar = Bar(
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            expand=True,
            disable=not self._live,
        )
        self._task: TaskID | None = None
        self._check: TaskID | None = None
        self._next_line = _LINE_INTERVAL_SECONDS

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def update(self, progress: Progress) -> None:
        """Show the progress of the run."""
        note = progress_note(progress)
        if self._live:
            if self._task is None:
                self._task = self._bar.add_task("", total=progress.total, note=note)
            self._bar.update(self._task, completed=progress.sent + progress.failed, note=note)
        elif progress.seconds >= self._next_line:
            self._next_line = progress.seconds + _LINE_INTERVAL_SECONDS
            of_total = "" if progress.total is None else f" of {progress.total:,}"
            self._console.print(f"{progress.sent:,}{of_total} sent, {note}", highlight=False)

    def update_check(self, done: int, total: int) -> None:
        """Show how many bytes of a file were checked."""
        if self._live:
            if self._check is None:
                self._check = self._bar.add_task("", total=total, note="bytes checked")
            self._bar.update(self._check, completed=done)

    def print_lines(self, lines: Iterable[str]) -> None:
        """Print lines of text from outside above the bar."""
        if self._check is not None:
            self._bar.remove_task(self._check)
        for line in lines:
            self._console.print(safe_text(line), soft_wrap=True)


def progress_note(progress: Progress) -> str:
    """Return the rate, bytes, retries and failures of a run on one short line."""
    rate = progress.sent / progress.seconds if progress.seconds else 0.0
    note = f"{rate:,.0f}/s  {format_bytes(progress.bytes)}"
    if progress.retries:
        note += f"  {progress.retries:,} retried"
    if progress.failed:
        note += f"  {progress.failed:,} failed"
    return note


def check_lines(check: Check) -> Iterator[str]:
    """Yield what the contract and SQS refuse of a file, the most frequent reason first."""
    yield f"{check.lines:,} lines, {format_bytes(check.size)}: {check.lines - _bad(check):,} valid events"
    if check.refused:
        yield f"{check.refused:,} refused by the contract"
    if check.unsendable:
        yield f"{check.unsendable:,} that SQS cannot carry, which are never sent"
    for reason, count in check.reasons.most_common():
        yield f"  {count:,}  {reason}, first in line {check.first_lines[reason]:,}"
    if check.lines and check.lines == _bad(check):
        yield "Each line of the file must be an event, a JSON object as UTF-8 text."


def check_as_json(check: Check) -> str:
    """Return what `check_lines` says as one JSON object for scripts."""
    fields = {
        "lines": check.lines,
        "bytes": check.size,
        "valid": check.lines - _bad(check),
        "refused": check.refused,
        "unsendable": check.unsendable,
        "reasons": [
            {"reason": reason, "lines": count, "first_line": check.first_lines[reason]}
            for reason, count in check.reasons.most_common()
        ],
    }
    return json.dumps(fields, indent=2)


def _bad(check: Check) -> int:
    return check.refused + check.unsendable


def summary_table(result: Result) -> Table:
    """Return a table of the messages that were sent."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("sent")
    table.add_column("", justify="right")
    for kind, count in result.sent.items():
        table.add_row(_plural(kind), f"{count:,}")
        if kind == ORDER:
            table.add_row("  large orders", f"{result.large_orders:,}")
    table.add_section()
    table.add_row("all", f"{result.sent_total:,}", style="bold")
    table.add_row("bytes", format_bytes(result.bytes))
    table.add_row("seconds", f"{result.seconds:.2f}")
    table.add_row("events/s", f"{result.events_per_second:,.0f}")
    if result.sent_before:
        table.add_row("sent before", f"{result.sent_before:,}")
    if result.retries:
        table.add_row("retried", f"{result.retries:,}", style="bold")
    if result.failed:
        table.add_row("failed", f"{len(result.failed):,}", style="red")
    if result.unsent:
        table.add_row("not sent", f"{result.unsent:,}", style="bold")
    if result.skipped:
        table.add_row("skipped", f"{result.skipped:,}", style="bold")
    return table


def closing_lines(result: Result) -> Iterator[str]:
    """Yield the lines below the table: failed messages, why the run stopped, and what to type next."""
    if result.interrupted:
        yield "You stopped the run."
    if result.error:
        yield result.error
    if result.failed:
        yield f"Could not be sent ({len(result.failed):,}):"
        for failure in result.failed:
            yield f"  {failure.display_id}  {failure.reason}"
    if result.cut_off:
        yield "To send the rest, give a new run the lines that follow."
    elif result.manifest and not result.manifest.exists():
        yield f"{result.manifest} was removed meanwhile: this run can be neither resumed nor verified."
    elif result.manifest and not result.complete:
        path = quote(str(result.manifest))
        yield f"To send the rest, run the command again with this option only: --resume {path}"
    elif result.manifest:
        yield f"Manifest: {result.manifest}"


def as_json(result: Result) -> str:
    """Return the result as one JSON object for scripts."""
    fields: dict[str, Any] = vars(result) | {
        "manifest": str(result.manifest) if result.manifest else None,
        "complete": result.complete,
        "sent": {"total": result.sent_total, **result.sent},
        "failed": [{"id": failure.display_id, "reason": failure.reason} for failure in result.failed],
        "seconds": round(result.seconds, 3),
        "events_per_second": round(result.events_per_second, 1),
    }
    return json.dumps(fields, indent=2)


def _plural(kind: str) -> str:
    if kind == INVALID:
        return kind
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"
