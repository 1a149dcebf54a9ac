"""What becomes of a message: stored once, counted, rejected, or handed back; and who is told."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

import contract
from aws_http.errors import NO_ANSWER, AwsError
from tests.fakes import aws_error
from tests.unit.processor.conftest import Harness, order, record


def event_id(body: str) -> str:
    return str(json.loads(body)["event_id"])


def timeout(operation: str, request: dict[str, Any]) -> None:
    raise AwsError(NO_ANSWER, "SNS hangs")


def test_a_valid_event_is_stored_whole_with_what_the_pipeline_adds(harness: Harness) -> None:
    body = order("1000.01", metadata={"note": "é", "x": 1.10})
    assert harness.deliver(record(body, "m1")) == []
    item = harness.events[event_id(body)]
    assert harness.body_of(item) == body
    assert item["amount"] == {"N": "1000.01"}
    assert item["large_order"] == {"BOOL": True}
    assert item["item_count"] == {"N": "1"}
    assert item["ingest_latency_ms"] == {"N": "52750"}
    assert item["message_id"] == {"S": "m1"}
    assert "alert_pending" not in item


@pytest.mark.parametrize(("amount", "alerts"), [("1000", 0), ("1000.00", 0), ("1000.0001", 1), ("1e3", 0)])
def test_only_an_order_strictly_above_the_threshold_is_large(
    harness: Harness, amount: str, alerts: int
) -> None:
    harness.deliver(record(order(amount)))
    assert len(harness.sns.of_type("large_order")) == alerts


def test_a_whole_batch_of_small_events_costs_one_request(harness: Harness) -> None:
    harness.deliver(*(record(order()) for _ in range(10)))
    assert harness.dynamodb.calls == ["TransactWriteItems"]
    assert len(harness.events) == 10


def test_the_same_event_in_two_messages_is_stored_once_counted_once_and_alerted_once(
    harness: Harness,
) -> None:
    body = order("2000")
    assert harness.deliver(record(body, "m1")) == []
    assert harness.deliver(record(body, "m2")) == []
    assert len(harness.events) == 1
    assert list(harness.duplicates) == ["m2"]
    assert len(harness.sns.published) == 1


def test_the_same_event_twice_in_one_batch_is_one_event_and_one_duplicate(harness: Harness) -> None:
    body = order("2000")
    assert harness.deliver(record(body, "m1"), record(body, "m2")) == []
    assert len(harness.events) == 1
    assert list(harness.duplicates) == ["m2"]
    assert len(harness.sns.published) == 1


def test_a_message_delivered_twice_is_neither_a_duplicate_nor_a_second_alert(harness: Harness) -> None:
    large, invalid = record(order("2000"), "m1"), record("{}", "m2")
    harness.deliver(large, invalid)
    harness.deliver(large, invalid)
    harness.deliver(large, large, invalid, invalid)
    assert not harness.duplicates
    assert len(harness.events) == len(harness.rejected) == 1
    assert [alert["alert_type"] for alert in harness.sns.published] == ["large_order", "invalid_event"]


def test_the_same_json_in_another_layout_is_the_same_content(harness: Harness) -> None:
    body = order(metadata={"a": 1, "b": 2})
    event = json.loads(body)
    other = json.dumps(dict(reversed(event.items())), indent=1).replace("30.5", "30.500")
    harness.deliver(record(body, "m1"))
    assert harness.deliver(record(other, "m2")) == []
    assert list(harness.duplicates) == ["m2"]
    assert not harness.rejected


@pytest.mark.parametrize("together", [True, False])
def test_other_content_under_a_stored_event_id_is_rejected_whole_and_alerted(
    harness: Harness, together: bool
) -> None:
    first, second = order("10", event_id="e1"), order("2000", event_id="e1")
    batches = [[record(first, "m1"), record(second, "m2")]]
    for batch in batches if together else [[one] for one in batches[0]]:
        assert harness.deliver(*batch) == []
    assert harness.body_of(harness.events["e1"]) == first
    item = harness.rejected["m2"]
    assert harness.body_of(item) == second
    assert item["kind"] == {"S": "event_id_conflict"}
    assert [alert["alert_type"] for alert in harness.sns.published] == ["event_id_conflict"]
    assert harness.sns.published[0]["event_id"] == "e1"


def test_an_invalid_body_is_kept_with_every_reason_and_does_not_come_back(harness: Harness) -> None:
    body = '{"event_id": "e1", "event_type": "order", "amount": "12"}'
    assert harness.deliver(record(body, "m1")) == []
    item = harness.rejected["m1"]
    assert harness.body_of(item) == body
    paths = {reason["M"]["path"]["S"] for reason in item["reasons"]["L"]}
    missing = {"$.occurred_at", "$.customer_id", "$.order_id", "$.currency", "$.items"}
    assert paths == missing | {"$.amount"}
    assert item["violation_count"] == {"N": "6"}
    alert = harness.sns.published[0]
    assert alert["alert_type"] == "invalid_event"
    assert (alert["message_id"], alert["event_id"]) == ("m1", "e1")


@pytest.mark.parametrize(
    ("event_type", "attribute"),
    [("refund", "refund"), ("order.v2", "order.v2"), ("", None), ("a b", None), ("x" * 65, None), (7, None)],
)
def test_an_unknown_event_type_is_rejected_with_what_this_version_knows(
    harness: Harness, event_type: Any, attribute: str | None
) -> None:
    assert harness.deliver(record(order(event_type=event_type), "m1")) == []
    (reason,) = harness.rejected["m1"]["reasons"]["L"]
    known = f"must be one of {', '.join(contract.EVENT_TYPES)} (contract {contract.SCHEMA_VERSION})"
    assert reason["M"]["reason"]["S"].startswith(f"{known}, but is ")
    assert "event_type" not in harness.rejected["m1"]
    ((entry,),) = harness.sns.requests
    named = entry["MessageAttributes"].get("event_type", {}).get("StringValue")
    assert harness.sns.published[0].get("event_type") == named == attribute


@pytest.mark.parametrize("size", [350_000, 409_000, 410_000, 1_048_000])
def test_a_payload_that_does_not_compress_is_kept_at_any_size_sqs_takes(harness: Harness, size: int) -> None:
    import random

    noise = "".join(
        random.Random(7).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", k=size)
    )
    body, invalid = order(metadata=noise), json.dumps({"noise": noise})
    assert harness.deliver(record(body, "m1"), record(invalid, "m2")) == []
    assert harness.body_of(harness.events[event_id(body)]) == body
    assert harness.body_of(harness.rejected["m2"]) == invalid


def test_an_event_from_the_future_stays_rejected_however_late_it_is_delivered_again(harness: Harness) -> None:
    ahead = record(order(occurred_at="2026-11-23T02:12:00Z"), "m1")  # six minutes after SQS took it
    harness.sns.fault = timeout
    assert harness.deliver(ahead) == ["m1"]
    harness.sns.fault = lambda operation, request: None
    harness.later(seconds=36 * 3600)
    assert harness.deliver(ahead) == []
    assert list(harness.rejected) == ["m1"]
    assert not harness.events


class TestAlertsSurviveFaults:
    def test_an_alert_that_could_not_be_published_comes_with_the_next_delivery(
        self, harness: Harness
    ) -> None:
        large, small = record(order("2000"), "m1"), record(order("20"), "m2")
        harness.sns.fault = timeout
        assert harness.deliver(large, small) == ["m1"]
        harness.sns.fault = lambda operation, request: None
        harness.later(seconds=180)
        assert harness.deliver(large) == []
        assert harness.deliver(large) == []
        assert len(harness.sns.of_type("large_order")) == 1
        assert not harness.duplicates

    def test_one_entry_that_sns_refuses_gives_back_one_message(self, harness: Harness) -> None:
        harness.sns.entry_fault = lambda alert: alert["message_id"] == "m3"
        records = [record(order("2000"), f"m{n}") for n in range(15)]
        assert harness.deliver(*records) == ["m3"]
        assert len(harness.sns.published) == 14
        assert len(harness.sns.requests[0]) == 10

    def test_a_death_between_storing_and_publishing_still_alerts(self, harness: Harness) -> None:
        large, invalid = record(order("2000"), "m1"), record("[]", "m2")

        def die(operation: str, request: dict[str, Any]) -> None:
            raise SystemExit

        harness.sns.fault = die
        with pytest.raises(SystemExit):
            harness.deliver(large, invalid)
        harness.sns.fault = lambda operation, request: None
        harness.later(seconds=180)
        assert harness.deliver(large, invalid) == []
        assert {alert["alert_type"] for alert in harness.sns.published} == {"large_order", "invalid_event"}

    def test_of_two_deliveries_of_a_message_at_once_only_one_alerts(self, harness: Harness) -> None:
        large, invalid = record(order("2000"), "m1"), record("[]", "m2")
        second: list[list[str]] = []

        def deliver_again(operation: str, request: dict[str, Any]) -> None:
            harness.sns.fault = lambda operation, request: None
            second.append(harness.deliver(large, invalid))

        harness.sns.fault = deliver_again
        assert harness.deliver(large, invalid) == []
        # The second would be deleted with its success, and the alert with it, should the first one fail.
        assert second == [["m1", "m2"]]
        assert len(harness.sns.published) == 2
        assert harness.deliver(large, invalid) == []
        assert len(harness.sns.published) == 2

    @pytest.mark.parametrize("events", [1, 3])
    def test_a_mark_that_cannot_be_cleared_at_first_is_cleared_at_another_try(
        self, harness: Harness, events: int
    ) -> None:
        refused: list[str] = []

        def refuse_twice(operation: str, request: dict[str, Any]) -> None:
            # As when a copy of the event is being looked at in this moment.
            if "REMOVE alert_pending" in json.dumps(request) and len(refused) < 2:
                refused.append(operation)
                raise aws_error("TransactionConflictException")

        harness.dynamodb.fault = refuse_twice
        assert harness.deliver(*(record(order("2000"), f"m{n}") for n in range(events))) == []
        assert len(refused) == 2
        assert not any("alert_pending" in item for item in harness.events.values())

    def test_an_alert_owed_by_a_dead_lettered_message_comes_with_its_redriven_copy(
        self, harness: Harness
    ) -> None:
        body = order("2000")
        harness.sns.fault = timeout
        harness.deliver(record(body, "m1"))
        harness.sns.fault = lambda operation, request: None
        # SQS's own redrive gives a new message id. The first delivery may still publish the alert.
        harness.deliver(record(body, "m2"))
        assert not harness.sns.published
        harness.later(seconds=31)
        harness.deliver(record(body, "m3"))
        harness.deliver(record(body, "m4"))
        assert len(harness.sns.published) == 1


class TestFaultsHitOnlyWhatTheyTouch:
    def test_a_throttled_item_goes_back_and_its_neighbours_are_stored(self, harness: Harness) -> None:
        harness.dynamodb.item_fault = lambda item: (
            "ThrottlingError" if item["message_id"]["S"] == "m3" else None
        )
        records = [record(order(), f"m{n}") for n in range(10)]
        assert harness.deliver(*records) == ["m3"]
        assert len(harness.events) == 9

    def test_a_request_that_dynamodb_refuses_is_narrowed_down_to_the_item_to_blame(
        self, harness: Harness
    ) -> None:
        def refuse(operation: str, request: dict[str, Any]) -> None:
            if "poison" in json.dumps(request):
                raise aws_error("ValidationException")

        harness.dynamodb.fault = refuse
        records = [record(order(customer_id="poison" if n == 4 else "c"), f"m{n}") for n in range(10)]
        assert harness.deliver(*records) == ["m4"]
        assert len(harness.events) == 9

    @pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
    def test_a_dead_table_gives_back_everything_and_alerts_nothing(self, harness: Harness, code: str) -> None:
        def refuse(operation: str, request: dict[str, Any]) -> None:
            raise aws_error(code, 500)

        harness.dynamodb.fault = refuse
        assert harness.deliver(record(order("2000"), "m1"), record("{}", "m2")) == ["m1", "m2"]
        assert not harness.sns.published

    def test_an_event_whose_first_answer_was_lost_is_stored_and_not_redelivered(
        self, harness: Harness, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call = harness.dynamodb.call

        def answer_lost_once(operation: str, request: dict[str, Any]) -> dict[str, Any]:
            # It is sent again, and finds in the way what it has just stored.
            call(operation, request)
            try:
                return call(operation, request)
            except AwsError as error:
                error.retries = 1
                raise

        harness.dynamodb.call = answer_lost_once  # type: ignore[method-assign]
        assert harness.deliver(record(order("2000"), "m1")) == []
        assert len(harness.sns.published) == 1
        assert json.loads(capsys.readouterr().out)["Stored"] == 1

    def test_a_dead_bucket_gives_back_only_the_events_that_need_it(self, harness: Harness) -> None:
        noise = random.Random(1).randbytes(450_000).hex()
        harness.s3.fault = lambda operation, request: (_ for _ in ()).throw(aws_error("SlowDown", 503))
        assert harness.deliver(record(order(metadata=noise), "m1"), record(order(), "m2")) == ["m1"]
        assert len(harness.events) == 1

    def test_a_bucket_that_hangs_holds_up_nothing_that_does_not_need_it(self, harness: Harness) -> None:
        left = [30_000]
        harness.remaining_millis = lambda: left[0]

        def hang(operation: str, request: dict[str, Any]) -> None:
            left[0] = 1_000
            raise AwsError(NO_ANSWER, "S3 hangs")

        noise = random.Random(1).randbytes(450_000).hex()
        copied = order()
        harness.deliver(record(copied, "m0"))
        harness.s3.fault = hang
        returned = harness.deliver(
            record(order("2000", metadata=noise), "huge"),
            record(order("3000"), "m1"),
            record("{}", "m2"),
            record(copied, "m3"),
        )
        assert returned == ["huge"]
        assert {alert["message_id"] for alert in harness.sns.published} == {"m1", "m2"}
        assert list(harness.duplicates) == ["m3"]

    def test_a_duplicate_that_cannot_be_counted_goes_back(self, harness: Harness) -> None:
        body = order()
        harness.deliver(record(body, "m1"))

        def refuse(operation: str, request: dict[str, Any]) -> None:
            if operation == "BatchWriteItem":
                raise aws_error("ThrottlingException")

        harness.dynamodb.fault = refuse
        assert harness.deliver(record(body, "m2")) == ["m2"]
        harness.dynamodb.fault = lambda operation, request: None
        assert harness.deliver(record(body, "m2")) == []
        assert list(harness.duplicates) == ["m2"]

    def test_unprocessed_duplicates_are_written_again(self, harness: Harness) -> None:
        body = order()
        harness.deliver(record(body, "m0"))
        refused: list[str] = []

        def refuse_once(item: dict[str, Any]) -> str | None:
            key = item["message_id"]["S"]
            if "recorded_at" in item and key not in refused:
                refused.append(key)
                return "unprocessed"
            return None

        harness.dynamodb.item_fault = refuse_once
        assert harness.deliver(*(record(body, f"m{n}") for n in range(1, 31))) == []
        assert len(harness.duplicates) == 30

    def test_with_too_little_time_left_nothing_is_begun(self, harness: Harness) -> None:
        harness.remaining_millis = lambda: 5_000
        assert harness.deliver(record(order(), "m1"), record("{}", "m2")) == ["m1", "m2"]
        assert not harness.dynamodb.calls

    def test_a_bug_gives_back_the_messages_instead_of_raising(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def bug(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("processor.puts.event_item", bug)
        assert harness.deliver(record(order(), "m1"), record("{}", "m2")) == ["m1"]
        assert list(harness.rejected) == ["m2"]


class TestReplay:
    def test_a_replayed_event_that_is_valid_now_leaves_rejected(self, harness: Harness) -> None:
        body = order("2000")
        stale = {"message_id": {"S": "m1"}, "content_hash": {"S": hash_of(body)}}
        harness.rejected["m1"] = stale
        assert harness.deliver(record(body, "m2", origin="m1")) == []
        assert harness.deliver(record(body, "m3", origin="m1")) == []
        assert not harness.rejected
        assert not harness.duplicates
        item = harness.events[event_id(body)]
        assert item["message_id"] == {"S": "m1"}
        assert item["replayed"] == {"BOOL": True}
        assert len(harness.sns.published) == 1

    def test_a_replayed_event_that_fails_again_stays_as_it_was_and_raises_no_second_alert(
        self, harness: Harness
    ) -> None:
        harness.deliver(record("{}", "m1"))
        before = dict(harness.rejected)
        assert harness.deliver(record("{}", "m2", origin="m1")) == []
        assert harness.rejected == before
        assert len(harness.sns.published) == 1

    def test_a_replayed_conflict_stays_rejected(self, harness: Harness) -> None:
        first, second = order("10", event_id="e1"), order("20", event_id="e1")
        harness.deliver(record(first, "m1"), record(second, "m2"))
        assert harness.deliver(record(second, "m3", origin="m2")) == []
        assert list(harness.rejected) == ["m2"]
        assert harness.body_of(harness.rejected["m2"]) == second

    def test_an_origin_that_names_somebody_elses_rejected_event_loses_neither(self, harness: Harness) -> None:
        harness.deliver(record("{}", "m1"))
        assert harness.deliver(record("[]", "m2", origin="m1")) == []
        assert harness.body_of(harness.rejected["m1"]) == "{}"
        assert harness.body_of(harness.rejected["m2"]) == "[]"
        valid = order()
        assert harness.deliver(record(valid, "m3", origin="m1")) == []
        assert set(harness.rejected) == {"m1", "m2"}


def hash_of(body: str) -> str:
    import contract

    return contract.content_hash(body)
