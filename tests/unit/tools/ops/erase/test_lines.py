"""Lines of the archive are sorted by whose they are, and those of others keep every byte."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from typing import Any

import pytest

from archiver.lines import duplicate_line, event_line, rejected_line, unreadable_line
from tests.unit.archiver import factories
from tests.unit.archiver.factories import order
from tests.unit.tools.fakes import pipeline
from tools.ops.erase.archive import read_content
from tools.ops.erase.lines import judge
from tools.ops.erase.matching import Customer, Relation
from tools.ops.erase.search import Search

OWN, MENTION, ABSENT = Relation.OWN, Relation.MENTION, Relation.ABSENT
CUSTOMER = "cus-1"


def missing(key: str) -> bytes:
    raise AssertionError(key)


def search(*recorded: str, event_ids: set[str] | None = None) -> Search:
    return Search(pipeline(), Customer(CUSTOMER), frozenset(recorded), event_ids=event_ids or set())


def event(**changes: Any) -> bytes:
    return event_line(factories.stored(order(**changes)), missing).text.rstrip(b"\n")


def rejection(body: str) -> bytes:
    return rejected_line(factories.rejected(body), missing).text.rstrip(b"\n")


@pytest.mark.parametrize(
    ("line", "prefix", "expected"),
    [
        (event(), "events", OWN),
        (event(customer_id="cus-10"), "events", ABSENT),
        (event(customer_id="cus-10", by="cus-1"), "events", MENTION),
        (event(customer_id="cus-10", event_id="cus-1"), "events", MENTION),
        (rejection('{"customer_id": "cus-1"}'), "rejected", OWN),
        (rejection('{"customer_id": "\\u0063us-1"}'), "rejected", OWN),
        (rejection('{"customer_id": "cus-2", "by": "cus-1"}'), "rejected", MENTION),
        (rejection("about cus-1"), "rejected", OWN),
        (rejection("about cus-10"), "rejected", ABSENT),
        (b'{"event_id":"e","customer_id":"cus-1", cut', "events", OWN),
        (b'{"event_id":"e","customer_id":"cus-10", cut', "events", ABSENT),
    ],
)
def test_whose_a_line_is(line: bytes, prefix: str, expected: Relation) -> None:
    assert judge(prefix, line, search(), missing).relation is expected


def test_a_body_whose_text_is_not_exact_is_read_from_its_bytes() -> None:
    members = json.loads(rejection("x"))
    members |= {"body": "?", "body_base64": b64encode(b"\xff cus-1 \xff").decode()}
    assert judge("rejected", json.dumps(members).encode(), search(), missing).relation is OWN


def test_an_event_that_this_python_cannot_parse_is_its_customers() -> None:
    line = event(customer_id="cus-10").replace(b'"event":', b'"event":{"a":' + b"[" * 100_000)
    assert judge("events", line + b'"cus-1"', search(), missing).relation is MENTION


def test_a_duplicate_is_found_by_its_event_or_by_an_earlier_record() -> None:
    item = factories.duplicate(order(event_id="evt-1"))
    line = duplicate_line(item, missing).text
    assert judge("duplicates", line, search(), missing).relation is ABSENT
    assert judge("duplicates", line, search(event_ids={"evt-1"}), missing).relation is OWN
    assert judge("duplicates", line, search(item["message_id"]["S"]), missing).relation is OWN


@pytest.mark.parametrize("make", [factories.stored, factories.rejected])
def test_an_unreadable_record_is_judged_by_its_compressed_body(make: Any) -> None:
    for customer, expected in ((CUSTOMER, OWN), ("cus-10", ABSENT)):
        image = make(order(customer_id=customer, note="x" * 500))
        line = unreadable_line("t", {"dynamodb": {"NewImage": image}}, "why").text
        assert judge("unreadable", line, search(), missing).relation is expected


@pytest.mark.parametrize("line", [b"", b"{}", b"[]", b'{"image": 1}', b'{"body": 1}', b"\xff", b"null"])
@pytest.mark.parametrize("prefix", ["events", "rejected", "duplicates", "unreadable"])
def test_no_line_stops_the_command(prefix: str, line: bytes) -> None:
    assert judge(prefix, line, search(), missing).relation is ABSENT


def test_the_other_lines_of_an_object_are_kept_byte_for_byte() -> None:
    others = [event(customer_id="cus-10"), b'{"damaged": ', b"", event(customer_id="cus-2", by="cus-1")]
    lines = [others[0], event(), *others[1:], event()]
    data = gzip.compress(b"\n".join(lines) + b"\n")
    content = read_content(search(), "events", data, missing, keep_rest=True)
    assert content.rest == others
    assert (len(content.own), len(content.mentions)) == (2, 1)


def test_a_line_with_anything_for_an_id_is_judged_and_added() -> None:
    members = json.loads(event()) | {"message_id": ["m"], "event_id": {"a": 1}, "content_hash": None}
    found = search()
    content = read_content(found, "events", gzip.compress(json.dumps(members).encode()), missing)
    assert found.add(content.own) == 1
    assert (found.message_ids, found.event_ids) == (set(), set())
