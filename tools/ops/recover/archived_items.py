"""Make items again from lines of the archive, which `archiver.lines` wrote."""

import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from archiver.lines import DUPLICATES, EVENTS, REJECTED
from storage import attributes, keys
from storage.columns import COLUMNS, LINE_VERSION, Column
from storage.sizes import Item, item_size
from tools.core.tables import is_key

# What lines before version 2 do not have, as the summary of a restore names it.
OTHER_BYTES = "the exact bytes of the body"
EXPIRY = "the time at which it expires"
ORIGIN = "an origin that the sender claimed"

# The member of a line that is the body.
_BODIES = {EVENTS: b',"event":', REJECTED: b',"body":', DUPLICATES: None}
# Numbers stay text, so that no digit is lost and no length is too much for this Python.
_head = json.JSONDecoder(parse_int=str, parse_float=str).decode


class DamagedLine(ValueError):
    """The archiver did not write this line; the message says why."""


@dataclass(frozen=True)
class ArchivedItem:
    """An item without its payload, and the body. A duplicate has no body.

    ``kind`` is the line's place in the archive. ``payload`` has the attributes that described the payload.
    ``lacks`` says what a line of an earlier version does not have.
    """

    kind: str
    item: Item
    body: bytes | None
    payload: Item
    lacks: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return the value of the item's key."""
        name = attributes.EVENT_ID if self.kind == EVENTS else attributes.MESSAGE_ID
        return attributes.required(self.item, name)

    @property
    def event_name(self) -> str:
        """Return the event_id, also that of a rejected body, else the content hash or the key."""
        name = attributes.text(self.item, attributes.EVENT_ID) or self.event.get(attributes.EVENT_ID)
        return str(name or attributes.text(self.item, attributes.CONTENT_HASH) or self.key)

    @cached_property
    def event(self) -> Mapping[str, Any]:
        """Return the members of the body, or none if it is not a JSON object."""
        try:
            document = json.loads(self.body or b"")
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


def read_line(kind: str, line: bytes, retention_days: int) -> ArchivedItem:
    """Return the item of a line of ``events/``, ``rejected/`` or ``duplicates/``.

    A rejected event of a line that has no time of expiry gets one, after ``retention_days``. Raises
    DamagedLine.
    """
    try:
        return _read(kind, line, retention_days)
    except DamagedLine:
        raise
    except Exception as error:  # a line may hold anything
        raise DamagedLine(f"{type(error).__name__}: {error}"[:200]) from error


def read_unreadable(line: bytes, tables: Mapping[str, str]) -> ArchivedItem:
    """Return the item of a line of ``unreadable/``, as it was. ``tables`` are the kinds by a table's name.

    Raises DamagedLine.
    """
    try:
        named = json.loads(line)
        item = _with_bytes(named["image"])
        item.pop(attributes.ALERT_PENDING, None)
        found = ArchivedItem(tables[named["table"]], item, None, {})
        _check(found)
    except Exception as error:  # a line may hold anything
        why = f"it is no item of this pipeline: {type(error).__name__}: {error}"
        raise DamagedLine(why[:200]) from error
    return found


def _read(kind: str, line: bytes, retention_days: int) -> ArchivedItem:
    mark = _BODIES[kind]
    head, found, rest = line.partition(mark) if mark else (line, b"", b"")
    if mark and not (found and rest.endswith(b"}")):
        raise DamagedLine("it has no body")
    members = _head((head + b"}" if mark else head).decode())
    if not isinstance(members, dict):
        raise DamagedLine("it is not an object")
    item: Item = dict(_attributes(members, COLUMNS[kind]))
    if "other_attributes" in members:
        item |= _with_bytes(json.loads(members["other_attributes"]))
    item.pop(attributes.ALERT_PENDING, None)
    names = (attributes.PAYLOAD_KEY, attributes.PAYLOAD_ENCODING)
    payload = {name: item.pop(name) for name in names if name in item}
    body = _body(kind, members, rest) if mark else None
    lacks: list[str] = []
    if body is not None:
        item.pop(attributes.PAYLOAD_BYTES, None)
        if hashlib.sha256(body).hexdigest() != attributes.required(item, attributes.CONTENT_HASH):
            if "line_version" in members:
                raise DamagedLine("its body is not the one that was sent: the content hash differs")
            lacks.append(OTHER_BYTES)
    if "line_version" not in members:
        lacks += _complete(kind, item, retention_days)
    elif int(members["line_version"]) < LINE_VERSION:
        raise DamagedLine(f"its line_version is {members['line_version']}")
    archived = ArchivedItem(kind, item, body, payload, tuple(lacks))
    _check(archived)
    return archived


def _check(archived: ArchivedItem) -> None:
    """Raise an error if DynamoDB's client could not send the item or ask for its key."""
    item_size(archived.item)
    if not is_key(archived.key):
        raise DamagedLine("its key is longer than DynamoDB accepts")


def _body(kind: str, members: Mapping[str, Any], rest: bytes) -> bytes:
    if "body_base64" in members:
        return b64decode(members["body_base64"], validate=True)
    if kind == EVENTS:
        return rest[:-1]
    text = json.loads(rest[:-1])
    if not isinstance(text, str):
        raise DamagedLine("its body is not a string")
    return text.encode()


def _attributes(
    members: Mapping[str, Any], table: tuple[Column, ...]
) -> Iterator[tuple[str, dict[str, Any]]]:
    for column in table:
        if column.item and (column.required or column.name in members):
            yield column.name, {column.type: _value(column, members.get(column.name))}


def _value(column: Column, value: Any) -> Any:
    if not _TYPES[column.type](value):
        raise DamagedLine(f"its {column.name} is not of type {column.type}")
    return [_element(each) for each in value] if column.type == "L" else value


def _element(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {"M": {name: _element(member) for name, member in value.items()}}
    if not isinstance(value, str):
        raise DamagedLine("an element of a list is no text")
    return {"S": value}


def _is_number(value: Any) -> bool:
    # Python reads a number as text here, and DynamoDB refuses text that is no number.
    return isinstance(value, str)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(each, str) for each in value)


_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "S": lambda value: isinstance(value, str),
    "N": _is_number,
    "BOOL": lambda value: isinstance(value, bool),
    "L": lambda value: isinstance(value, list),
    "SS": _is_texts,
    "NS": _is_texts,
    "NULL": lambda value: value is True,
}


def _with_bytes(value: Any) -> Any:
    """Return a value in DynamoDB's JSON with bytes where it has base64."""
    if not isinstance(value, dict):
        raise TypeError("it is no object of DynamoDB's JSON")
    return {name: _decoded(content) for name, content in value.items()}


def _decoded(value: Any) -> dict[str, Any]:
    ((kind, content),) = value.items()
    if kind == "B":
        return {kind: b64decode(content, validate=True)}
    if kind == "BS":
        return {kind: [b64decode(each, validate=True) for each in content]}
    if kind == "M":
        return {kind: _with_bytes(content)}
    if not _TYPES[kind](content):
        raise TypeError(f"a value is not of type {kind}")
    return {kind: [_decoded(each) for each in content] if kind == "L" else content}


def _complete(kind: str, item: Item, retention_days: int) -> list[str]:
    """Add what a line before version 2 does not have and other attributes tell. Returns what it lacks."""
    content_hash = attributes.required(item, attributes.CONTENT_HASH)
    if kind == EVENTS:
        event_type = attributes.required(item, "event_type")
        item[attributes.TYPE_SHARD] = {"S": keys.shard_key(event_type, content_hash)}
        if attributes.flag(item, "large_order"):
            item[attributes.LARGE_ORDER_SHARD] = {"S": keys.shard_key(keys.LARGE_ORDERS, content_hash)}
        return [ORIGIN]
    reasons = [element["M"] for element in item["reasons"]["L"]]
    item[attributes.REJECTED_SHARD] = {"S": keys.shard_key(keys.REJECTED, content_hash)}
    if reasons:
        item[attributes.RULES] = {"SS": sorted({reason["rule"]["S"] for reason in reasons})}
    summary = [f"{reason['path']['S']} {reason['reason']['S']}"[:100] for reason in reasons[:5]]
    item[attributes.SUMMARY] = {"L": [{"S": text} for text in summary]}
    rejected_at = datetime.fromisoformat(attributes.required(item, "rejected_at"))
    expires_at = rejected_at + timedelta(days=retention_days)
    item[attributes.EXPIRES_AT] = {"N": str(int(expires_at.timestamp()))}
    return [EXPIRY, ORIGIN]
