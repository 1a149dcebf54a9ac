"""Lines of the archive, made from items of the events table and the rejected table.

A line is one JSON object. Its members are the columns of `storage.columns`, then the body: an event as a JSON
object (``event``), a rejected body, which may be anything, as a string (``body``). An event is
written byte for byte, except that line breaks between its tokens become spaces and halves of surrogate pairs
become U+FFFD. Numbers are copied as text, so that no amount passes through a binary float.

A line belongs to a partition by when SQS received the message, in UTC:
``events/type=order/dt=2026-11-22/hour=14``, ``rejected/kind=invalid_event/dt=.../hour=...``, and
``unreadable/dt=.../hour=...`` for items that cannot be read.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping
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
UNREADABLE = "unreadable"

# A type that this code does not know has its own partition: a later contract may know it (docs/adr/0046).
_TYPE = re.compile(r"\w{1,64}", re.ASCII)
KINDS = frozenset(attributes.REJECTION_KINDS)

_REASON = tuple(Column(name, "S", "varchar", required=True) for name in ("path", "rule", "reason"))

_RECEIVED = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):\d\d:\d\d\.\d{3}Z")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_text = json.JSONEncoder(ensure_ascii=False).encode


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
    head = _members(item, columns.EVENTS)
    event_type = item["event_type"]["S"]
    if _TYPE.fullmatch(event_type) is None:
        raise UnreadableItem(f"its event_type is {event_type[:40]!r}")
    partition = f"{EVENTS}/type={event_type}/{_when(item)}"
    body = _on_a_line(_body(item, fetch))
    return Line(partition, b"".join((_encoded(f'{{{head},"event":'), body, b"}\n")))


def rejected_line(item: Item, fetch: Fetch) -> Line:
    """Return the line of an item of the rejected table; see `event_line`."""
    head = _members(item, columns.REJECTED)
    kind = item["kind"]["S"]
    if kind not in KINDS:
        raise UnreadableItem(f"its kind is {kind[:40]!r}")
    partition = f"{REJECTED}/kind={kind}/{_when(item)}"
    # SQS refuses halves of surrogate pairs; readers could not parse one.
    body = _text(_body(item, fetch).decode("utf-8", "replace"))
    return Line(partition, _encoded(f'{{{head},"body":{body}}}\n'))


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


def _members(item: Item, fields: Iterable[Column]) -> str:
    return ",".join(
        f'"{column.name}":{_value(column.name, column.type, _content(item, column.name, column.type))}'
        for column in fields
        if column.required or column.name in item
    )


def _content(item: Item, name: str, kind: str) -> Any:
    try:
        return item[name][kind]
    except (KeyError, TypeError):
        what = f"its {name} is not of type {kind}" if name in item else f"it has no {name}"
        raise UnreadableItem(what) from None


def _value(name: str, kind: str, content: Any) -> str:
    if kind == "S":
        return _text(content)
    if kind == "N":
        if _NUMBER.fullmatch(content) is None:
            raise UnreadableItem(f"its {name} is {content[:40]!r}")
        return str(content)
    if kind == "BOOL":
        return "true" if content else "false"
    reasons = (_members(_content({name: reason}, name, "M"), _REASON) for reason in content)
    return f"[{','.join(f'{{{reason}}}' for reason in reasons)}]"


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise UnreadableItem(f"it is not text: {error}") from error
