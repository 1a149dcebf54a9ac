"""Lines of the archive, made of the items of the events table and the rejected table.

A line is one JSON object. Its members stand in the order of the tables here, and the body comes last: an
event as the JSON object that it is (``event``), a rejected body, which may be anything, as a string
(``body``). An event is there byte for byte, but for line breaks between its tokens, which become spaces, and
for halves of surrogate pairs, which become U+FFFD. A number stands as the item has it, so that no binary
float touches money.

A line belongs to a partition, by when SQS took the message, in UTC:
``events/type=order/dt=2026-11-22/hour=14``, ``rejected/kind=invalid_event/dt=.../hour=...``, and
``unreadable/dt=.../hour=...`` for what no line can be made of.
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

import contract
from contract.payload import unpack

Item = Mapping[str, Any]
Fetch = Callable[[str], bytes]

EVENTS = "events"
REJECTED = "rejected"
UNREADABLE = "unreadable"

TYPES = frozenset(contract.SCHEMA["properties"]["event_type"]["enum"])
KINDS = frozenset({"invalid_event", "event_id_conflict"})

# Attribute, its type in DynamoDB's JSON, and whether every item has it.
_EVENT = (
    ("event_id", "S", True),
    ("event_type", "S", True),
    ("customer_id", "S", True),
    ("occurred_at", "S", True),
    ("received_at", "S", True),
    ("processed_at", "S", True),
    ("ingest_latency_ms", "N", True),
    ("amount", "N", False),
    ("currency", "S", False),
    ("large_order", "BOOL", False),
    ("item_count", "N", False),
    ("payload_bytes", "N", True),
    ("content_hash", "S", True),
    ("schema_version", "S", True),
    ("message_id", "S", True),
    ("replayed", "BOOL", False),
)
_REJECTED = (
    ("message_id", "S", True),
    ("kind", "S", True),
    ("event_id", "S", False),
    ("event_type", "S", False),
    ("received_at", "S", True),
    ("rejected_at", "S", True),
    ("reasons", "L", True),
    ("violation_count", "N", True),
    ("content_hash", "S", True),
    ("payload_bytes", "N", True),
)
_REASON = (("path", "S", True), ("rule", "S", True), ("reason", "S", True))

_RECEIVED = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d):\d\d:\d\d\.\d{3}Z")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)
_text = json.JSONEncoder(ensure_ascii=False).encode


class UnreadableItem(ValueError):
    """An item is none that the processor writes, or its payload is lost; the message says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the archive: ``head``, ``body`` and ``tail``, one after the other.

    ``deflated`` is the body as a zlib stream where the item holds one and the body goes in unchanged.
    """

    partition: str
    head: bytes
    body: bytes = b""
    tail: bytes = b"}\n"
    deflated: bytes | None = None

    @property
    def text(self) -> bytes:
        """The line whole, with its line break."""
        return b"".join((self.head, self.body, self.tail))


def event_line(item: Item, fetch: Fetch) -> Line:
    """The line of an item of the events table, in DynamoDB's JSON; binary as bytes or as base64 text.

    ``fetch`` reads an object of the payload bucket by its key; what it raises passes through. Raises
    UnreadableItem.
    """
    head = _members(item, _EVENT)
    event_type = item["event_type"]["S"]
    if event_type not in TYPES:
        raise UnreadableItem(f"its event_type is {event_type[:40]!r}")
    partition = f"{EVENTS}/type={event_type}/{_when(item)}"
    data, body = _payload(item, fetch)
    deflated = data if item["payload_encoding"]["S"] == "zlib" else None
    on_a_line = _on_a_line(body)
    if on_a_line is not body:
        deflated = None
    return Line(partition, _encoded(f'{{{head},"event":'), on_a_line, b"}\n", deflated)


def rejected_line(item: Item, fetch: Fetch) -> Line:
    """The line of an item of the rejected table; otherwise as `event_line`."""
    head = _members(item, _REJECTED)
    kind = item["kind"]["S"]
    if kind not in KINDS:
        raise UnreadableItem(f"its kind is {kind[:40]!r}")
    partition = f"{REJECTED}/kind={kind}/{_when(item)}"
    _, body = _payload(item, fetch)
    # SQS carries no half of a surrogate pair; should one come all the same, no reader stumbles over it.
    return Line(partition, _encoded(f'{{{head},"body":{_text(body.decode("utf-8", "replace"))}'))


def unreadable_line(table: str, record: Mapping[str, Any], error: str) -> Line:
    """The line of a stream record that is no other line: the raw image, and why."""
    change = record.get("dynamodb") or {}
    changed_at = change.get("ApproximateCreationDateTime")
    moment = datetime.fromtimestamp(changed_at if isinstance(changed_at, int | float) else 0, UTC)
    named = {
        "table": table,
        "event_id": record.get("eventID"),
        "error": error,
        "image": change.get("NewImage"),
    }
    text = json.dumps(named, separators=(",", ":"))
    return Line(f"{UNREADABLE}/dt={moment:%Y-%m-%d}/hour={moment:%H}", text[:-1].encode())


def _on_a_line(body: bytes) -> bytes:
    """A body of valid JSON as a line that every reader takes; the very same object where it is one."""
    if b"\n" in body or b"\r" in body:
        # No string in valid JSON holds a bare line break: these stand between tokens.
        body = body.replace(b"\n", b" ").replace(b"\r", b" ")
    if b"\\ud" in body or b"\\uD" in body:
        # Half a pair is JSON by its grammar, and DuckDB refuses the whole object that it is in.
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


def _payload(item: Item, fetch: Fetch) -> tuple[bytes, bytes]:
    """The payload as it is stored, and the body that it stands for."""
    encoding = _content(item, "payload_encoding", "S")
    if "payload" in item:
        stored = _content(item, "payload", "B")
        data = b64decode(stored) if isinstance(stored, str) else bytes(stored)
    else:
        data = fetch(_content(item, "payload_key", "S"))
    try:
        body = unpack({"payload": data, "payload_encoding": encoding}, fetch)
    except ValueError as error:
        raise UnreadableItem(str(error)) from error
    # It also says that the body is what the processor has read: an event, and valid JSON.
    if hashlib.sha256(body).hexdigest() != item["content_hash"]["S"]:
        raise UnreadableItem("its body is not the one that was sent: the content hash differs")
    return data, body


def _members(item: Item, fields: Iterable[tuple[str, str, bool]]) -> str:
    return ",".join(
        f'"{name}":{_value(name, kind, _content(item, name, kind))}'
        for name, kind, needed in fields
        if needed or name in item
    )


def _content(item: Item, name: str, kind: str) -> Any:
    try:
        return item[name][kind]
    except (KeyError, TypeError):
        what = f"its {name} is no {kind}" if name in item else f"it has no {name}"
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
        raise UnreadableItem(f"it is no text: {error}") from error
