"""Lines of the archive, made from items of the three tables.

A line is one JSON object. Its members are the columns of `storage.columns`, then the body: an event as a JSON
object (``event``), a rejected body, which may be anything, as a string (``body``); a duplicate has none. An
event is written byte for byte, except that line breaks between its tokens become spaces and halves of
surrogate pairs become U+FFFD. Numbers are copied as text, so that no amount passes through a binary float.

`make restore` makes the item again from its line. So a line has every attribute of the item but the payload,
and a body whose text differs from its bytes is there in base64, too.

A line belongs to a partition by when SQS received the message, in UTC:
``events/type=order/dt=2026-11-22/hour=14``, ``rejected/kind=invalid_event/dt=.../hour=...``,
``duplicates/dt=.../hour=...``, and ``unreadable/dt=.../hour=...`` for items that cannot be read.
"""

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from storage import attributes, columns
from storage.columns import Column
from storage.payload import decode_payload

Item = Mapping[str, Any]
Fetch = Callable[[str], bytes]

EVENTS = "events"
REJECTED = "rejected"
DUPLICATES = "duplicates"
UNREADABLE = "unreadable"

# A type that this code does not know has its own partition: a later contract may know it (docs/adr/0044).
_TYPE = re.compile(r"\w{1,64}", re.ASCII)
KINDS = frozenset(attributes.REJECTION_KINDS)

# In the archive the body stands for these.
_PAYLOAD = {attributes.PAYLOAD}

_RECEIVED = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):\d\d:\d\d\.\d{3}Z")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_text = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class UnreadableItem(ValueError):
    """The processor did not write the item like this, or its payload is gone; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the archive, with its line break, and its partition."""

    partition: str
    text: bytes


def event_line(item: Item, fetch: Fetch) -> Line:
    """Return the line of an item of the events table; its binary values are bytes or base64 text.

    ``fetch`` reads an object of the payload bucket by its key; what it raises passes through. Raises
    UnreadableItem.
    """
    body = _body(item, fetch)
    text = _on_a_line(body)
    head = _head(item, columns.EVENTS, None if text == body else body)
    event_type = item["event_type"]["S"]
    if _TYPE.fullmatch(event_type) is None:
        raise UnreadableItem(f"its event_type is {event_type[:40]!r}")
    partition = f"{EVENTS}/type={event_type}/{_when(item)}"
    return Line(partition, b"".join((_encoded(f'{{{head},"event":'), text, b"}\n")))


def rejected_line(item: Item, fetch: Fetch) -> Line:
    """Return the line of an item of the rejected table; see `event_line`."""
    body = _body(item, fetch)
    # SQS refuses halves of surrogate pairs; readers could not parse one.
    text = body.decode("utf-8", "replace")
    head = _head(item, columns.REJECTED, None if text.encode() == body else body)
    kind = item["kind"]["S"]
    if kind not in KINDS:
        raise UnreadableItem(f"its kind is {kind[:40]!r}")
    partition = f"{REJECTED}/kind={kind}/{_when(item)}"
    return Line(partition, _encoded(f'{{{head},"body":{_text(text)}}}\n'))


def duplicate_line(item: Item, fetch: Fetch) -> Line:
    """Return the line of an item of the duplicates table. Raises UnreadableItem."""
    return Line(f"{DUPLICATES}/{_when(item)}", _encoded(f"{{{_head(item, columns.DUPLICATES, None)}}}\n"))


def unreadable_line(table: str, record: Mapping[str, Any], error: str) -> Line:
    """Return the line of a stream record that cannot be read: its raw image, and why."""
    change = record.get("dynamodb") or {}
    changed_at = change.get("ApproximateCreationDateTime")
    moment = datetime.fromtimestamp(changed_at if isinstance(changed_at, int | float) else 0, UTC)
    named = {
        "table": table,
        "event_id": record.get("eventID"),
        "error": error,
        "image": change.get("NewImage"),
    }
    text = json.dumps(named, separators=(",", ":")) + "\n"
    return Line(f"{UNREADABLE}/dt={moment:%Y-%m-%d}/hour={moment:%H}", text.encode())


def _on_a_line(body: bytes) -> bytes:
    """Return a body of valid JSON on one line that every JSON reader accepts."""
    if b"\n" in body or b"\r" in body:
        # No string in valid JSON has a bare line break, so these are between tokens.
        body = body.replace(b"\n", b" ").replace(b"\r", b" ")
    if b"\\ud" in body or b"\\uD" in body:
        # Half a pair is valid JSON, but DuckDB refuses the object that contains it.
        body = _ESCAPE.sub(lambda found: b"\\ufffd" if found["half"] else found[0], body)
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError:
            body = body.decode("utf-8", "replace").encode()
    return body


def _when(item: Item) -> str:
    received_at = item["received_at"]["S"]
    found = _RECEIVED.fullmatch(received_at)
    if found is None:
        raise UnreadableItem(f"its received_at is {received_at[:40]!r}")
    return f"dt={found[1]}/hour={found[2]}"


def _body(item: Item, fetch: Fetch) -> bytes:
    encoded: Item = {attributes.PAYLOAD_ENCODING: _content(item, attributes.PAYLOAD_ENCODING, "S")}
    if attributes.PAYLOAD in item:
        stored = _content(item, attributes.PAYLOAD, "B")
        encoded = {**encoded, attributes.PAYLOAD: b64decode(stored) if isinstance(stored, str) else stored}
    else:
        encoded = {**encoded, attributes.PAYLOAD_KEY: _content(item, attributes.PAYLOAD_KEY, "S")}
    try:
        body = decode_payload(encoded, fetch)
    except UnreadableItem:
        raise
    except ValueError as error:
        raise UnreadableItem(str(error)) from error
    # The hash also proves that the body is the one that the processor validated.
    if hashlib.sha256(body).hexdigest() != item["content_hash"]["S"]:
        raise UnreadableItem("its body is not the one that was sent: the content hash differs")
    return body


def _head(item: Item, table: Sequence[Column], body: bytes | None) -> str:
    """Return the members of a line before its body. ``body`` is what the text does not say exactly."""
    members = {column.name: _member(item, column) for column in table if column.item}
    left = {name: item[name] for name in item if members.get(name) is None and name not in _PAYLOAD}
    made = {
        "line_version": str(columns.LINE_VERSION),
        # Text, because a member of an object could be called like the body.
        "other_attributes": _text(_dynamodb_json(left)) if left else None,
        "body_base64": f'"{b64encode(body).decode()}"' if body is not None else None,
    }
    values = ((column.name, members.get(column.name) or made.get(column.name)) for column in table)
    return ",".join(f'"{name}":{value}' for name, value in values if value is not None)


def _member(item: Item, column: Column) -> str | None:
    """Return the value of a column as JSON, or None if the line has no such member."""
    if column.name not in item and not column.required:
        return None
    try:
        return _value(column, _content(item, column.name, column.type))
    except UnreadableItem:
        if column.required or column.view:
            raise
        return None  # it is among the other attributes


def _content(item: Item, name: str, kind: str) -> Any:
    try:
        return item[name][kind]
    except (KeyError, TypeError):
        what = f"its {name} is not of type {kind}" if name in item else f"it has no {name}"
        raise UnreadableItem(what) from None


def _value(column: Column, content: Any) -> str:
    if column.type in ("S", "SS"):
        return _text(content)
    if column.type == "N":
        if _NUMBER.fullmatch(content) is None:
            raise UnreadableItem(f"its {column.name} is {content[:40]!r}")
        return str(content)
    if column.type == "BOOL":
        return "true" if content else "false"
    return f"[{','.join(_element(column, element) for element in content)}]"


def _element(column: Column, element: Item) -> str:
    """Return an element of a list: a string, or an object of strings."""
    named = {column.name: element}
    if not column.members:
        return _text(_content(named, column.name, "S"))
    members = _content(named, column.name, "M")
    texts = {name: _content(members, name, "S") for name in dict.fromkeys((*column.members, *members))}
    return f"{{{','.join(f'{_text(name)}:{_text(text)}' for name, text in texts.items())}}}"


def _dynamodb_json(item: Item) -> str:
    return json.dumps(item, separators=(",", ":"), default=lambda binary: b64encode(binary).decode())


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnreadableItem(f"it is not text: {error}") from error
