"""AWS's limits, at the edge: the last thing that still fits, and the first that does not."""

from __future__ import annotations

import json
import random
import string
from base64 import b64encode
from dataclasses import replace
from typing import Any

import pytest

from common.deadline import CallLimits, Deadline
from processor.alerts import Alert, Publisher
from processor.store import SHARED_ITEM_LIMIT
from storage.sizes import ITEM_LIMIT
from tests import fakes
from tests.boundary import body_of_item_size
from tests.fakes import FakeSNS, published_size, stored_size
from tests.unit.processor.conftest import SETTINGS, Harness, order, record

MEBIBYTE = 1024 * 1024
MESSAGE_ID = "00000000-0000-0000-0000-000000000000"


def noise(length: int) -> str:
    return b64encode(random.Random(length).randbytes(length)).decode()[:length]


class TestItems:
    @pytest.mark.parametrize(("beyond", "inline"), [(-1, True), (0, True), (1, False)])
    def test_an_item_of_400_kb_keeps_its_payload_and_one_byte_more_sends_it_to_s3(
        self, harness: Harness, beyond: int, inline: bool
    ) -> None:
        body = body_of_item_size(ITEM_LIMIT + beyond, "e1")
        assert harness.deliver(record(body, MESSAGE_ID)) == []
        item = harness.events["e1"]
        assert ("payload" in item) is inline
        assert len(harness.s3.objects) == (not inline)
        assert harness.body_of(item) == body
        if inline:
            # What the function counts is what DynamoDB counts, but for a few bytes to be safe.
            assert fakes.ITEM_LIMIT - 16 <= stored_size(item) <= fakes.ITEM_LIMIT

    @pytest.mark.parametrize("length", range(396_000, 420_000, 1_500))
    def test_a_rejected_event_around_400_kb_is_kept_whole(self, harness: Harness, length: int) -> None:
        # Letters that compress to three quarters, and a thousand reasons beside them.
        letters = noise(length * 4 // 3 - 100_000)
        body = json.dumps({"items": [{}] * 500, "event_type": "order", "x": letters})
        assert harness.deliver(record(body, "m1")) == []
        assert stored_size(harness.rejected["m1"]) <= fakes.ITEM_LIMIT
        assert harness.body_of(harness.rejected["m1"]) == body

    @pytest.mark.parametrize(("beyond", "calls"), [(0, ["TransactWriteItems"]), (1, ["PutItem"] * 2)])
    def test_items_of_4_kib_share_a_request_and_larger_ones_go_alone(
        self, harness: Harness, beyond: int, calls: list[str]
    ) -> None:
        bodies = [body_of_item_size(SHARED_ITEM_LIMIT + beyond, f"e{n}") for n in range(2)]
        assert (
            harness.deliver(*(record(body, f"{MESSAGE_ID[:-1]}{n}") for n, body in enumerate(bodies))) == []
        )
        assert harness.dynamodb.calls == calls

    def test_the_largest_keys_that_the_contract_allows_are_stored(self, harness: Harness) -> None:
        # 128 characters are up to 512 bytes; a partition key takes 2,048 (DynamoDB developer guide, limits).
        body = order("2000", event_id="\U0001f680" * 128, customer_id="\U0001f6f0" * 128)
        assert harness.deliver(record(body, "m1")) == []
        assert len(harness.events) == 1


class TestMessages:
    @pytest.mark.parametrize("letters", ["a", "\u00e9", "\U0001f680"], ids=["1 byte", "2 bytes", "4 bytes"])
    def test_a_message_of_a_mebibyte_comes_out_whole_in_any_alphabet(
        self, harness: Harness, letters: str
    ) -> None:
        bare = len(order(metadata="").encode())
        event = json.loads(order(metadata=letters * ((MEBIBYTE - bare) // len(letters.encode()))))
        body = json.dumps(event, ensure_ascii=False)
        assert MEBIBYTE - 100 < len(body.encode()) <= MEBIBYTE
        assert harness.deliver(record(body, "m1")) == []
        (item,) = harness.events.values()
        assert harness.body_of(item) == body

    def test_ten_messages_of_a_mebibyte_each_are_one_batch(self, harness: Harness) -> None:
        bodies = [order(metadata=noise(MEBIBYTE - 400 - n)) for n in range(10)]
        assert harness.deliver(*(record(body, f"m{n}") for n, body in enumerate(bodies))) == []
        assert [harness.body_of(item) for item in harness.events.values()] == bodies


class TestRequests:
    @pytest.mark.parametrize(
        ("events", "requests"), [(1, 1), (2, 1), (99, 1), (100, 1), (101, 2), (200, 2), (1_000, 10)]
    )
    def test_a_transaction_holds_up_to_100_events(self, harness: Harness, events: int, requests: int) -> None:
        assert harness.deliver(*(record(order(), f"m{n}") for n in range(events))) == []
        assert len(harness.events) == events
        assert len(harness.dynamodb.calls) == requests

    @pytest.mark.parametrize(("copies", "requests"), [(1, 1), (24, 1), (25, 1), (26, 2), (50, 2), (51, 3)])
    def test_a_batch_of_duplicates_holds_up_to_25(self, harness: Harness, copies: int, requests: int) -> None:
        body = order()
        assert harness.deliver(*(record(body, f"m{n}") for n in range(copies + 1))) == []
        assert len(harness.duplicates) == copies
        assert harness.dynamodb.calls.count("BatchWriteItem") == requests

    @pytest.mark.parametrize(("alerts", "requests"), [(1, 1), (9, 1), (10, 1), (11, 2), (20, 2), (21, 3)])
    def test_a_batch_of_alerts_holds_up_to_10(self, harness: Harness, alerts: int, requests: int) -> None:
        assert harness.deliver(*(record(order("2000"), f"m{n}") for n in range(alerts))) == []
        assert len(harness.sns.published) == alerts
        assert len(harness.sns.requests) == requests
        assert not any("alert_pending" in item for item in harness.events.values())

    @pytest.mark.parametrize("alerts", [9, 10])
    def test_a_full_batch_of_alerts_leaves_room_for_the_summary_in_the_next_one(
        self, harness: Harness, alerts: int
    ) -> None:
        harness.settings = replace(SETTINGS, batch_summary_alerts=True)
        assert harness.deliver(*(record(order("2000"), f"m{n}") for n in range(alerts))) == []
        assert len(harness.sns.of_type("large_order")) == alerts
        assert len(harness.sns.of_type("batch_processed")) == 1

    @pytest.mark.parametrize("events", [99, 100, 101, 250])
    def test_a_hundred_marks_are_cleared_in_a_request(self, harness: Harness, events: int) -> None:
        assert harness.deliver(*(record(order("2000"), f"m{n}") for n in range(events))) == []
        assert not any("alert_pending" in item for item in harness.events.values())
        assert len(harness.dynamodb.calls) == 2 * -(-events // 100)


class TestAlertSizes:
    @pytest.mark.parametrize(
        "sizes",
        [[60_000] * 12, [100_000] * 5, [240_000, 100, 240_000], [20_000] * 30, [1] * 25, [245_000]],
        ids=["4 in each", "2 in each", "hardly fit", "limited by count", "small", "one large"],
    )
    def test_no_request_passes_256_kib_or_10_entries(self, sizes: list[int]) -> None:
        sns = FakeSNS()
        sns.check = lambda alert: None  # these texts are only long
        publisher = Publisher(sns, "arn", Deadline(lambda: 30_000, CallLimits.of(30)))
        texts = [json.dumps({"n": n, "x": "x" * size}) for n, size in enumerate(sizes)]
        alerts = [Alert("invalid_event", "activity", text, "To people", "Short") for text in texts]
        assert publisher.publish(alerts) == [None] * len(sizes)
        assert [alert["n"] for alert in sns.published] == list(range(len(sizes)))
        assert max(sum(map(published_size, request)) for request in sns.requests) <= fakes.SNS_LIMIT

    def test_the_largest_alerts_there_can_be_take_a_tenth_of_a_request_each(self, harness: Harness) -> None:
        longest: dict[str, Any] = {
            "event_id": "\U0001f680" * 128,
            "customer_id": "\U0001f6f0" * 128,
            "order_id": "\U0001f680" * 256,
        }
        large = order("9" * 15, **longest)
        conflicting = order("8" * 15, **longest)
        longest["items"] = [{"sku": 1, "quantity": 1e300, "unit_price": "x" * 9000}] * 50
        broken = order("-" + "9" * 5000, **longest)
        harness.deliver(record(large, "m1"), record(conflicting, "m2"), record(broken, "m3"))
        assert {alert["alert_type"] for alert in harness.sns.published} == {
            "large_order", "event_id_conflict", "invalid_event",
        }  # fmt: skip
        assert max(published_size(entry) for request in harness.sns.requests for entry in request) < 25_000

    def test_the_summary_of_a_large_batch_names_a_thousand_messages_and_fits(self, harness: Harness) -> None:
        harness.settings = replace(SETTINGS, batch_summary_alerts=True)
        records = [record(f"not json {n}", f"{n:036d}") for n in range(2_000)]
        assert harness.deliver(*records) == []
        (summary,) = harness.sns.of_type("batch_processed")
        assert summary["received"] == summary["rejected"] == 2_000
        assert len(summary["message_ids"]) == 1_000


@pytest.mark.parametrize(
    ("padding", "calls"),
    [(0, ["TransactWriteItems", "TransactWriteItems"]), (40_000, ["PutItem"] * 2 + ["UpdateItem"] * 2)],
    ids=["small", "large"],
)
def test_marks_are_cleared_together_only_where_the_items_are_small(
    harness: Harness, padding: int, calls: list[str]
) -> None:
    letters = "".join(random.Random(3).choices(string.ascii_letters, k=padding))
    harness.deliver(*[record(order("2000.00", note=letters)) for _ in range(2)])
    assert harness.dynamodb.calls == calls
    assert all("alert_pending" not in item for item in harness.events.values())
