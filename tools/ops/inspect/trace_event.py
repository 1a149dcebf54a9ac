"""The story of one event, from the tables, the archive and the dead-letter queue."""

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

from archiver.lines import EVENTS, REJECTED
from processor.alerts import LARGE_ORDER
from storage import attributes
from storage.attributes import EVENT_ID, MESSAGE_ID, flag, number, text
from tools.core import queues, tables
from tools.core.console import plural
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.core.text import make_command, strip_control_chars
from tools.ops import rejections
from tools.ops.inspect.trace import Step, Trace, parse_time, text_of
from tools.ops.inspect.trace_archive import Archived, Search

# More messages of the dead-letter queue are not read, and more rows of an event not shown.
_MAX_DEAD_LETTERS, _MAX_ROWS = 1_000, 20
_DETAIL = 200
NOT_RECORDED = (
    "when the producer sent it: SQS's receipt is the first time",
    "when SNS accepted an alert, and deliveries that failed: make logs has them for a while",
)


def of_event(resources: Resources, event_id: str, search: Search | None, now: datetime) -> Trace:
    """Return the story of an event. Raises ToolError if no table, archive or dead letter knows it."""
    trace = Trace(f"Event {event_id}")
    dynamodb = resources.client("dynamodb")
    item = tables.get_item(dynamodb, resources.table_name, EVENT_ID, event_id)
    if item:
        _add_stored(trace, resources, item)
    listed = [row for row in rejections.find(resources, any_id=event_id) if row.event_id == event_id]
    for row in listed[:_MAX_ROWS]:
        rejected = rejections.get_item(resources, row.message_id)
        if rejected is not None:
            _add_rejected(trace, rejected)
    duplicates = _duplicates_of(resources, event_id)
    for duplicate in islice(duplicates, _MAX_ROWS):
        _add_duplicate(trace, duplicate)
    for rows, name in ((listed, "rejection"), (duplicates, "duplicate")):
        if len(rows) > _MAX_ROWS:
            trace.notes.append(f"{plural(len(rows) - _MAX_ROWS, f'more {name}')} of this event.")
    if search:
        received = parse_time(text(item, "received_at") or "") if item else None
        found = search.including(received).find(event_id, lambda line: line.fields.get(EVENT_ID) == event_id)
        _add_archived(trace, found, {row.message_id for row in listed})
        if item and not any(line.table == EVENTS for line in found):
            _add_missing(trace, resources, item, now)
    _add_queued(trace, resources)
    if not trace.steps:
        raise ToolError(
            f"No table and no searched part of the archive has event {strip_control_chars(event_id)}.",
            f"See whether the function has received it: {make_command('logs', EVENT_ID=event_id)}",
        )
    if item:
        trace.next.append(make_command("get", EVENT_ID=event_id))
    trace.not_recorded += NOT_RECORDED
    return trace


def of_message(resources: Resources, message_id: str, search: Search | None, now: datetime) -> Trace:
    """Return the story of the event that a message carried. Raises ToolError."""
    dynamodb = resources.client("dynamodb")
    rejected = rejections.get_item(resources, message_id)
    duplicate = tables.get_item(dynamodb, resources.duplicates_table_name, MESSAGE_ID, message_id)
    event_id = next((text(row, EVENT_ID) for row in (rejected, duplicate) if row), None)
    lines: list[Archived] = []
    if event_id is None and search:
        lines = search.find(message_id, lambda line: line.fields.get(MESSAGE_ID) == message_id)
        event_id = next((text_of(line.fields, EVENT_ID) for line in lines), None)
    if event_id:
        trace = of_event(resources, event_id, search, now)
        trace.title = f"Message {message_id} carried event {event_id}"
        return trace
    trace = Trace(f"Message {message_id}", message_ids={message_id})
    if rejected:
        _add_rejected(trace, rejected)
    _add_archived(trace, lines, {message_id} if rejected else set())
    _add_queued(trace, resources)
    if not trace.steps:
        raise ToolError(
            f"Neither the tables nor the searched part of the archive have message "
            f"{strip_control_chars(message_id)}.",
            "The archive lags by minutes. Search more of it: SINCE=7d",
        )
    return trace


def _add_stored(trace: Trace, resources: Resources, item: Item) -> None:
    event_id = text(item, EVENT_ID)
    received, processed = text(item, "received_at") or "", text(item, "processed_at") or ""
    kind = text(item, "event_type") or "event"
    amount = f", {_amount(item)}" if _amount(item) else ""
    trace.title += f": {kind} of customer {text(item, 'customer_id') or '-'}{amount}"
    trace.steps.append(
        Step(text(item, "occurred_at") or "", "occurred", "by the clock of the producer", event_id)
    )
    copy = ", a copy that make replay or make redrive sent" if flag(item, "replayed") else ""
    trace.steps.append(Step(received, "received", f"message {text(item, MESSAGE_ID)}{copy}", event_id))
    trace.steps.append(Step(processed, "stored", _payload(resources, item), event_id))
    pending = text(item, attributes.ALERT_PENDING)
    if pending:
        trace.expected.append(f"the alert {pending}, when SQS delivers the message again")
    elif flag(item, "large_order"):
        trace.steps.append(Step("", "alerted", f"{LARGE_ORDER}: SNS accepted it", event_id))
    _remember(trace, item)


def _add_rejected(trace: Trace, item: Item) -> None:
    row = rejections.Rejection.from_item(item)
    trace.steps.append(Step(text(item, "received_at") or "", "received", f"message {row.message_id}"))
    detail = f"{row.kind}: {row.summary}"[:_DETAIL]
    trace.steps.append(Step(row.rejected_at, "rejected", detail, row.event_id))
    if text(item, attributes.ALERT_PENDING):
        trace.expected.append(f"the alert {row.kind} of message {row.message_id}")
    else:
        trace.steps.append(Step("", "alerted", f"{row.kind} of message {row.message_id}: SNS accepted it"))
    trace.next.append(make_command("rejected", ID=row.message_id))
    trace.next.append(make_command("replay", ID=row.message_id, DRY_RUN="1"))
    _remember(trace, item)


def _add_duplicate(trace: Trace, item: Item) -> None:
    at = text(item, attributes.RECORDED_AT) or ""
    trace.steps.append(Step(at, "duplicate", f"the same content again, message {text(item, MESSAGE_ID)}"))
    _remember(trace, item)


def _add_archived(trace: Trace, lines: Iterable[Archived], still_rejected: set[str]) -> None:
    """Add the copies of the archive. A rejection without a row in the table was replayed or has expired."""
    for line in islice(lines, _MAX_ROWS):
        message_id = text_of(line.fields, MESSAGE_ID) or "-"
        if line.table == REJECTED and message_id not in still_rejected:
            detail = _reasons(line.fields.get("reasons"))
            at = text_of(line.fields, "rejected_at") or ""
            trace.steps.append(Step(at, "rejected", f"{message_id}, replayed or expired since: {detail}"))
        archived = Step(_archived_at(line), "archived", line.key)
        if archived not in trace.steps:
            trace.steps.append(archived)


def _archived_at(line: Archived) -> str:
    """Return when an object was written. S3 cuts that to seconds, and no row is archived before it exists."""
    written = f"{line.written_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    for name in ("processed_at", "rejected_at", attributes.RECORDED_AT):
        row_at = text_of(line.fields, name) or ""
        if row_at.startswith(written) and parse_time(row_at):
            return row_at
    return f"{written}.000Z"


def _reasons(listed: object) -> str:
    """Return the reasons of an archived rejection as text, whatever they are."""
    reasons = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return ", ".join(f"{each.get('path')} {each.get('reason')}" for each in reasons)[:_DETAIL]


def _add_missing(trace: Trace, resources: Resources, item: Item, now: datetime) -> None:
    processed = parse_time(text(item, "processed_at") or "")
    if processed and (now - processed).total_seconds() < resources.archiving_seconds:
        trace.expected.append("the archive; it lags by up to 15 minutes")
    else:
        trace.expected.append("the archive, although it should have the event. Compare all: make verify")


def _add_queued(trace: Trace, resources: Resources) -> None:
    sqs = resources.client("sqs")
    dead = queues.depth(sqs, resources.dlq_url).total
    if dead > _MAX_DEAD_LETTERS:
        trace.notes.append(f"{dead:,} messages are dead-lettered, too many to look for this one.")
    elif dead:
        for message in queues.read_dead_letters(resources):
            if message.message_id in trace.message_ids or message.content_hash in trace.hashes:
                trace.steps.append(Step("", "dead-lettered", f"message {message.message_id}"))
                trace.next.append("make redrive")
    if waiting := queues.depth(sqs, resources.queue_url).total:
        trace.notes.append(
            f"{plural(waiting, 'message')} wait in the queue; this event may be among them again."
        )


def _duplicates_of(resources: Resources, event_id: str) -> list[Item]:
    """Return the duplicates of an event. The table has no index of events, so it is scanned with a filter."""
    names = (MESSAGE_ID, EVENT_ID, attributes.CONTENT_HASH, attributes.RECORDED_AT, "received_at")
    where = {
        "FilterExpression": "#event = :event",
        "ExpressionAttributeNames": {"#event": EVENT_ID},
        "ExpressionAttributeValues": {":event": {"S": event_id}},
    }
    pages = tables.scan(resources, resources.duplicates_table_name, names, lambda items: items, where)
    return [item for page in pages for item in page if text(item, EVENT_ID) == event_id]


def _remember(trace: Trace, item: Item) -> None:
    trace.hashes.add(text(item, attributes.CONTENT_HASH) or "")
    trace.message_ids.add(text(item, MESSAGE_ID) or "")


def _payload(resources: Resources, item: Item) -> str:
    size, encoding = number(item, attributes.PAYLOAD_BYTES), text(item, attributes.PAYLOAD_ENCODING) or "-"
    if key := text(item, attributes.PAYLOAD_KEY):
        return f"{size:,} bytes as {encoding} in s3://{resources.payload_bucket}/{key}"
    stored = (item.get(attributes.PAYLOAD) or {}).get("B", b"")
    return f"{size:,} bytes in the item, as {len(stored):,} of {encoding}"


def _amount(item: Item) -> str:
    value = (item.get("amount") or {}).get("N")
    return f"{value} {text(item, 'currency') or ''}".strip() if value else ""
