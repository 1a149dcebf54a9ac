"""`make get`: show an event exactly as it was sent, and the attributes that the pipeline added."""

import json

from storage.attributes import EVENT_ID, PAYLOAD
from storage.columns import EVENT_FIELDS
from tools.core import queues, tables
from tools.core.console import write_raw
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.core.text import make_command, strip_control_chars
from tools.ops import rejections
from tools.ops.payloads import PayloadError, fetcher, read_body

# The payload, and the columns that repeat fields of the event.
_NOT_ADDED = {EVENT_ID, PAYLOAD, *(column.name for column in EVENT_FIELDS)}


def show(resources: Resources, event_id: str) -> None:
    """Print a stored event as JSON: ``event``, byte for byte, and ``enrichment``. Raises ToolError."""
    item = tables.get_item(resources.client("dynamodb"), resources.table_name, EVENT_ID, event_id)
    if item is None:
        raise _not_stored(resources, event_id)
    try:
        body = read_body(item, fetcher(resources))
    except PayloadError as error:
        raise ToolError(
            f"Event {strip_control_chars(event_id)} is stored, but {strip_control_chars(str(error))}.",
            "Check all payloads: make verify ALL=1",
        ) from None
    write_raw(document(body, item))


def document(body: bytes, item: Item) -> bytes:
    """Return the JSON document of an event. The body is inserted unparsed, so that numbers stay exact."""
    added = {name: value for name, value in item.items() if name not in _NOT_ADDED}
    lines = ",\n".join(
        f"    {json.dumps(name)}: {tables.to_json(value)}" for name, value in sorted(added.items())
    )
    enrichment = lines.encode("utf-8", "backslashreplace")
    return b'{\n  "event": ' + body + b',\n  "enrichment": {\n' + enrichment + b"\n  }\n}\n"


def _not_stored(resources: Resources, event_id: str) -> ToolError:
    shown = strip_control_chars(event_id)
    matches = rejections.find(resources, any_id=event_id)
    if matches:
        newest = matches[0]
        when = f"rejected at {newest.rejected_at} ({newest.kind})"
        return ToolError(
            f"Event {shown} is not stored: it was {strip_control_chars(f'{when}: {newest.summary}')}",
            f"Show it: {make_command('rejected', ID=newest.message_id)}",
        )
    queued = queues.depth(resources.client("sqs"), resources.queue_url).total
    dead = queues.depth(resources.client("sqs"), resources.dlq_url).total
    elsewhere = (
        f" {queued:,} messages wait in the queue, {dead:,} in the dead-letter queue." if queued + dead else ""
    )
    return ToolError(
        f"There is no event {shown}, neither stored nor rejected.{elsewhere}",
        f"See whether the function has received it: {make_command('logs', EVENT_ID=event_id)}",
    )
