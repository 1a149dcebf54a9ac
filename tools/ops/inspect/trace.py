"""`make trace`: the story of an event, a message, an order or a customer, in time order."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from rich.cells import cell_len, chop_cells

import contract
from archiver.lines import EVENTS
from storage.attributes import EVENT_ID, text
from tools.core.archive_range import ArchiveRange
from tools.core.console import Clock, err, out, pad, plural, print_json, print_row, safe_text
from tools.core.errors import ToolError
from tools.core.indexes import BY_CUSTOMER, newest_first
from tools.core.resources import Resources
from tools.core.text import format_millis, make_command, strip_control_chars
from tools.ops.inspect.trace_archive import Search

_DETAIL = 200
# The columns of a row without what happened and its details.
_BEFORE_DETAIL = len("00:00:00.000  +1000 ms    ")
_NARROWEST = 30
_PARTS = re.compile(r"[^ /]*[ /]+|[^ /]+")


@dataclass(frozen=True)
class Step:
    """What happened at a time (RFC 3339, UTC; empty if it is not recorded)."""

    at: str
    what: str
    detail: str = ""
    event_id: str | None = None


@dataclass
class Trace:
    """A story. ``expected`` has yet to happen, ``notes`` say what was not searched, ``next`` are commands.

    ``hashes`` and ``message_ids`` identify its messages in a queue.
    """

    title: str
    steps: list[Step] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    not_recorded: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    next: list[str] = field(default_factory=list)
    hashes: set[str] = field(default_factory=set)
    message_ids: set[str] = field(default_factory=set)

    def in_order(self) -> list[tuple[Step, int | None]]:
        """Return the steps in time order, each with the milliseconds since the one before."""
        ordered = sorted(self.steps, key=lambda step: parse_time(step.at) or datetime.max.replace(tzinfo=UTC))
        pairs: list[tuple[Step, int | None]] = []
        before = None
        for step in ordered:
            now = parse_time(step.at)
            pairs.append((step, (now - before) // timedelta(milliseconds=1) if now and before else None))
            before = now or before
        return pairs


def of_order(search: Search, order_id: str) -> Trace:
    """Return the story of an order, its payments and its session, from the archive. Raises ToolError."""
    lines = search.find(order_id, lambda line: line.event.get("order_id") == order_id, [EVENTS])
    orders = [line for line in lines if line.fields.get("event_type") == contract.ORDER]
    session = next((value for line in orders if (value := text_of(line.event, "session_id"))), None)
    if session:
        lines += search.find(
            session,
            lambda line: line.event.get("session_id") == session and "order_id" not in line.event,
            [EVENTS],
        )
    if not lines:
        raise ToolError(
            f"The searched part of the archive has no order {strip_control_chars(order_id)}.",
            "The archive lags by minutes. Search more of it: SINCE=7d",
        )
    trace = Trace(f"Order {order_id}" + (f" of session {session}" if session else ""))
    for event_id in [text_of(line.fields, EVENT_ID) for line in orders[:1] or lines[:1]]:
        trace.next.append(make_command("trace", EVENT_ID=event_id or ""))
    for line in {text_of(line.fields, EVENT_ID): line for line in lines}.values():
        trace.steps.append(_event_step(line.fields, line.event))
    if not orders:
        trace.notes.append(
            "The order itself is not in the searched part of the archive: search more, SINCE=7d"
        )
    return trace


def of_customer(resources: Resources, customer: str, limit: int) -> Trace:
    """Return the newest stored events of a customer, from the tables. Raises ToolError."""
    entries = newest_first(resources.client("dynamodb"), resources.table_name, BY_CUSTOMER, [customer])
    items = list(islice(entries, limit + 1))
    if not items:
        raise ToolError(
            f"There is no stored event of customer {strip_control_chars(customer)}.",
            "List customers: make events",
        )
    trace = Trace(f"Customer {customer}")
    for item in items[:limit]:
        fields = {name: text(item, name) or (item.get(name) or {}).get("N") for name in item}
        trace.steps.append(_event_step(fields, {}))
    trace.next.append(make_command("trace", EVENT_ID=text(items[0], EVENT_ID) or ""))
    if len(items) > limit:
        trace.notes.append(f"These are the newest {plural(limit, 'event')}. Show more: LIMIT={5 * limit}")
    return trace


def show(trace: Trace, search: Search | None, *, as_json: bool) -> None:
    """Print a story for people, or as one JSON object. Commands to type next go to standard error."""
    if search and search.unread:
        trace.notes.append(
            f"{plural(search.unread, 'object')} of the archive could not be searched: damaged, or beyond the "
            "bound of a search. Narrow it with SINCE= and UNTIL=."
        )
    steps = trace.in_order()
    if as_json:
        names = ("title", "not_recorded", "notes", "next")
        listed = [{**vars(step), "ms_since_before": ms} for step, ms in steps]
        document = {name: getattr(trace, name) for name in names}
        print_json({**document, "steps": listed, "still_due": trace.expected})
        return
    out.print(safe_text(trace.title, "bold"))
    width = max(len(step.what) for step, _ in steps)
    column = _BEFORE_DETAIL + width
    if out.width - column < _NARROWEST:
        column = 4
    clock = Clock()
    for step, ms in steps:
        at = clock(step.at) if step.at else "not recorded"
        since = "" if ms is None else f"+{format_millis(ms)}"
        first, *more = _wrap(strip_control_chars(step.detail), out.width - column)
        print_row(at, f"{since:>8}", pad(step.what, width), first)
        for line in more:
            out.print(f"{'':{column}}{line}")
    for title, lines in (
        ("Still due", trace.expected),
        ("Not recorded", trace.not_recorded),
        ("Note", trace.notes),
    ):
        for text_line in lines:
            out.print(safe_text(f"{title}: {text_line}"))
    for command in trace.next:
        err.print(safe_text(f"Next: {command}"))


def _wrap(text: str, width: int) -> list[str]:
    """Break text after blanks and slashes, a longer part after hyphens, or where the width ends."""
    lines = [""]
    for part in _PARTS.findall(text):
        fits = cell_len(part.rstrip()) <= width
        for piece in [part] if fits else re.split("(?<=-)", part):
            if cell_len(lines[-1] + piece.rstrip()) <= width:
                lines[-1] += piece
            else:
                lines += chop_cells(piece, width)
    return [stripped for line in lines if (stripped := line.strip())] or [""]


def _event_step(fields: Any, event: Any) -> Step:
    amount = f"{fields.get('amount') or ''} {fields.get('currency') or ''}".strip()
    details = (amount, text_of(event, "action"), text_of(event, "status"), f"event {fields.get(EVENT_ID)}")
    at = text_of(fields, "occurred_at") or text_of(fields, "received_at") or ""
    shown = "  ".join(each for each in details if each)
    return Step(at, str(fields.get("event_type")), shown[:_DETAIL], text_of(fields, EVENT_ID))


def text_of(fields: Any, name: str) -> str | None:
    """Return a field that is a string, or None."""
    value = fields.get(name)
    return value if isinstance(value, str) else None


def parse_time(value: str) -> datetime | None:
    """Return a time, or None if the text is not one."""
    return contract.parse_rfc3339(value)


def open_search(resources: Resources, since: str, until: str | None, now: datetime) -> Search | None:
    """Return a search in a range of the archive, or None if the pipeline has none. Raises UsageError."""
    selected = ArchiveRange.read(since, until, now)
    return Search(resources, selected) if resources.archive_bucket else None
