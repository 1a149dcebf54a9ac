"""Decide whose a line of the archive is, of this version of its format and of earlier ones."""

import json
import re
from base64 import b64decode
from collections.abc import Callable
from typing import Any, NamedTuple

from archiver.lines import DUPLICATES, EVENTS, REJECTED, UNREADABLE
from storage.attributes import CONTENT_HASH, EVENT_ID, MESSAGE_ID, PAYLOAD, PAYLOAD_ENCODING, text
from tools.ops.erase.matching import Relation
from tools.ops.erase.search import Search, Trace
from tools.ops.payloads import PayloadError, read_body

Fetch = Callable[[str], bytes]

# A payload of this size may be a claim check; see `storage.payload`.
_LARGE = 100_000
_HASH = re.compile(rb'"content_hash":"([0-9a-f]{64})"')


class Judgement(NamedTuple):
    """Whose a line is, and what identifies its message. ``name`` is for the list of mentions."""

    relation: Relation
    trace: Trace = Trace()
    name: str = ""


_ABSENT = Judgement(Relation.ABSENT)


def judge(prefix: str, line: bytes, search: Search, fetch: Fetch) -> Judgement:
    """Return whose a line is. ``fetch`` reads an object of the payload bucket."""
    if prefix in (EVENTS, REJECTED) and not (search.customer.may_be_in(line) or b'"body_base64":' in line):
        return _ABSENT
    try:
        return _JUDGES[prefix](line, search, fetch)
    except Exception:  # noqa: BLE001 - a line that is not the archiver's is text
        is_in = search.customer.in_text(line.decode("utf-8", "replace"))
        return Judgement(Relation.OWN) if is_in else _ABSENT


def hash_of_large(line: bytes) -> str:
    """Return the content hash of a body that may be a claim check, else an empty text."""
    found = _HASH.search(line) if len(line) > _LARGE else None
    return found[1].decode() if found else ""


def _event(line: bytes, search: Search, _fetch: Fetch) -> Judgement:
    # The event itself may be too deep or too long for this Python's parser.
    head, _, event = line.partition(b'"event":')
    members = json.loads(head.rstrip(b", ") + b"}")
    body = event.rstrip().removesuffix(b"}")
    others = search.customer.relation(_json({**members, "customer_id": None}))
    relation = search.relation(members["customer_id"], body, others, members[MESSAGE_ID])
    return _verdict(
        relation, members[MESSAGE_ID], members[CONTENT_HASH], members[EVENT_ID], members[EVENT_ID]
    )


def _rejected(line: bytes, search: Search, _fetch: Fetch) -> Judgement:
    members = json.loads(line)
    body = members.pop("body").encode("utf-8", "surrogatepass")
    if "body_base64" in members:
        body = b64decode(members.pop("body_base64"))
    head = search.customer.relation(_json(members))
    relation = search.relation(None, body, head, members[MESSAGE_ID])
    return _verdict(relation, members[MESSAGE_ID], members[CONTENT_HASH], "", members[MESSAGE_ID])


def _duplicate(line: bytes, search: Search, _fetch: Fetch) -> Judgement:
    members = json.loads(line)
    key = members[MESSAGE_ID]
    if members[EVENT_ID] in search.event_ids or search.is_known(key):
        return _verdict(Relation.OWN, key, members[CONTENT_HASH], "", key)
    is_in = search.customer.relation(line) is not Relation.ABSENT
    return _verdict(Relation.MENTION if is_in else Relation.ABSENT, key, "", "", key)


def _unreadable(line: bytes, search: Search, fetch: Fetch) -> Judgement:
    image = json.loads(line)["image"]
    owner, key, event_id = (text(image, name) for name in ("customer_id", MESSAGE_ID, EVENT_ID))
    body = None
    try:
        payload = {PAYLOAD: {"B": b64decode(image[PAYLOAD]["B"])}} if PAYLOAD in image else {}
        body = read_body({**image, **payload}, fetch)
    except (PayloadError, KeyError, TypeError, ValueError):
        if PAYLOAD_ENCODING not in image and owner is None and event_id in search.event_ids:
            return _verdict(Relation.OWN, key, text(image, CONTENT_HASH), "", "")  # a duplicate
    relation = search.relation(owner, body, search.customer.relation(line), key or "")
    own_event = event_id if owner is not None else ""
    return _verdict(relation, key, text(image, CONTENT_HASH), own_event, event_id or key)


def _verdict(
    relation: Relation, key: object, content_hash: object, event_id: object, name: object
) -> Judgement:
    return Judgement(relation, Trace(*map(_text, (key, content_hash, event_id))), _text(name) or "?")


def _text(member: object) -> str:
    # A line that was written by hand may have anything under a name.
    return member if isinstance(member, str) else ""


def _json(members: dict[str, Any]) -> bytes:
    return json.dumps(members).encode()


_JUDGES: dict[str, Callable[[bytes, Search, Fetch], Judgement]] = {
    EVENTS: _event,
    REJECTED: _rejected,
    DUPLICATES: _duplicate,
    UNREADABLE: _unreadable,
}
PREFIXES = (EVENTS, REJECTED, UNREADABLE, DUPLICATES)
