"""What becomes of a message: stored once, counted, rejected, or handed back; and who is told."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from aws_http.errors import NO_ANSWER, AwsError
from tests.fakes import call_error
from tests.unit.processor.conftest import World, order, record


def event_id(body: str) -> str:
    return str(json.loads(body)["event_id"])


def timeout(operation: str, request: dict[str, Any]) -> None:
    raise AwsError(NO_ANSWER, "SNS hangs")


def test_a_valid_event_is_stored_whole_with_what_the_pipeline_adds(world: World) -> None:
    body = order("1000.01", metadata={"note": "é", "x": 1.10})
    assert world.deliver(record(body, "m1")) == []
    item = world.events[event_id(body)]
    assert world.body_of(item) == body
    assert item["amount"] == {"N": "1000.01"}
    assert item["large_order"] == {"BOOL": True}
    assert item["item_count"] == {"N": "1"}
    assert item["ingest_latency_ms"] == {"N": "52750"}
    assert item["message_id"] == {"S": "m1"}
    assert "alert_pending" not in item


@pytest.mark.parametrize(("amount", "alerts"), [("1000", 0), ("1000.00", 0), ("1000.0001", 1), ("1e3", 0)])
def test_only_an_order_strictly_above_the_threshold_is_large(world: World, amount: str, alerts: int) -> None:
    world.deliver(record(order(amount)))
    assert len(world.sns.of_type("large_order")) == alerts


def test_a_whole_batch_of_small_events_costs_one_request(world: World) -> None:
    world.deliver(*(record(order()) for _ in range(10)))
    assert world.dynamodb.calls == ["TransactWriteItems"]
    assert len(world.events) == 10


def test_the_same_event_in_two_messages_is_stored_once_counted_once_and_alerted_once(world: World) -> None:
    body = order("2000")
    assert world.deliver(record(body, "m1")) == []
    assert world.deliver(record(body, "m2")) == []
    assert len(world.events) == 1
    assert list(world.duplicates) == ["m2"]
    assert len(world.sns.published) == 1


def test_the_same_event_twice_in_one_batch_is_one_event_and_one_duplicate(world: World) -> None:
    body = order("2000")
    assert world.deliver(record(body, "m1"), record(body, "m2")) == []
    assert len(world.events) == 1
    assert list(world.duplicates) == ["m2"]
    assert len(world.sns.published) == 1


def test_a_message_delivered_twice_is_neither_a_duplicate_nor_a_second_alert(world: World) -> None:
    large, invalid = record(order("2000"), "m1"), record("{}", "m2")
    world.deliver(large, invalid)
    world.deliver(large, invalid)
    world.deliver(large, large, invalid, invalid)
    assert not world.duplicates
    assert len(world.events) == len(world.rejected) == 1
    assert [alert["alert_type"] for alert in world.sns.published] == ["large_order", "invalid_event"]


def test_the_same_json_in_another_layout_is_the_same_content(world: World) -> None:
    body = order(metadata={"a": 1, "b": 2})
    event = json.loads(body)
    other = json.dumps(dict(reversed(event.items())), indent=1).replace("30.5", "30.500")
    world.deliver(record(body, "m1"))
    assert world.deliver(record(other, "m2")) == []
    assert list(world.duplicates) == ["m2"]
    assert not world.rejected


@pytest.mark.parametrize("together", [True, False])
def test_other_content_under_a_stored_event_id_is_rejected_whole_and_alerted(
    world: World, together: bool
) -> None:
    first, second = order("10", event_id="e1"), order("2000", event_id="e1")
    batches = [[record(first, "m1"), record(second, "m2")]]
    for batch in batches if together else [[one] for one in batches[0]]:
        assert world.deliver(*batch) == []
    assert world.body_of(world.events["e1"]) == first
    item = world.rejected["m2"]
    assert world.body_of(item) == second
    assert item["kind"] == {"S": "event_id_conflict"}
    assert [alert["alert_type"] for alert in world.sns.published] == ["event_id_conflict"]
    assert world.sns.published[0]["event_id"] == "e1"


def test_an_invalid_body_is_kept_with_every_reason_and_does_not_come_back(world: World) -> None:
    body = '{"event_id": "e1", "event_type": "order", "amount": "12"}'
    assert world.deliver(record(body, "m1")) == []
    item = world.rejected["m1"]
    assert world.body_of(item) == body
    paths = {reason["M"]["path"]["S"] for reason in item["reasons"]["L"]}
    missing = {"$.occurred_at", "$.customer_id", "$.order_id", "$.currency", "$.items"}
    assert paths == missing | {"$.amount"}
    assert item["violation_count"] == {"N": "6"}
    alert = world.sns.published[0]
    assert alert["alert_type"] == "invalid_event"
    assert (alert["message_id"], alert["event_id"]) == ("m1", "e1")


@pytest.mark.parametrize("size", [350_000, 409_000, 410_000, 1_048_000])
def test_a_payload_that_does_not_compress_is_kept_at_any_size_sqs_takes(world: World, size: int) -> None:
    import random

    noise = "".join(
        random.Random(7).choices("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", k=size)
    )
    body, invalid = order(metadata=noise), json.dumps({"noise": noise})
    assert world.deliver(record(body, "m1"), record(invalid, "m2")) == []
    assert world.body_of(world.events[event_id(body)]) == body
    assert world.body_of(world.rejected["m2"]) == invalid


def test_an_event_from_the_future_stays_rejected_however_late_it_is_delivered_again(world: World) -> None:
    ahead = record(order(occurred_at="2026-11-23T02:12:00Z"), "m1")  # six minutes after SQS took it
    world.sns.fault = timeout
    assert world.deliver(ahead) == ["m1"]
    world.sns.fault = lambda operation, request: None
    world.later(seconds=36 * 3600)
    assert world.deliver(ahead) == []
    assert list(world.rejected) == ["m1"]
    assert not world.events


class TestAlertsSurviveFaults:
    def test_an_alert_that_could_not_be_published_comes_with_the_next_delivery(self, world: World) -> None:
        large, small = record(order("2000"), "m1"), record(order("20"), "m2")
        world.sns.fault = timeout
        assert world.deliver(large, small) == ["m1"]
        world.sns.fault = lambda operation, request: None
        world.later(seconds=180)
        assert world.deliver(large) == []
        assert world.deliver(large) == []
        assert len(world.sns.of_type("large_order")) == 1
        assert not world.duplicates

    def test_one_entry_that_sns_refuses_gives_back_one_message(self, world: World) -> None:
        world.sns.entry_fault = lambda alert: alert["message_id"] == "m3"
        records = [record(order("2000"), f"m{n}") for n in range(15)]
        assert world.deliver(*records) == ["m3"]
        assert len(world.sns.published) == 14
        assert len(world.sns.requests[0]) == 10

    def test_a_death_between_storing_and_publishing_still_alerts(self, world: World) -> None:
        large, invalid = record(order("2000"), "m1"), record("[]", "m2")

        def die(operation: str, request: dict[str, Any]) -> None:
            raise SystemExit

        world.sns.fault = die
        with pytest.raises(SystemExit):
            world.deliver(large, invalid)
        world.sns.fault = lambda operation, request: None
        world.later(seconds=180)
        assert world.deliver(large, invalid) == []
        assert {alert["alert_type"] for alert in world.sns.published} == {"large_order", "invalid_event"}

    def test_of_two_deliveries_of_a_message_at_once_only_one_alerts(self, world: World) -> None:
        large, invalid = record(order("2000"), "m1"), record("[]", "m2")
        second: list[list[str]] = []

        def deliver_again(operation: str, request: dict[str, Any]) -> None:
            world.sns.fault = lambda operation, request: None
            second.append(world.deliver(large, invalid))

        world.sns.fault = deliver_again
        assert world.deliver(large, invalid) == []
        # The second would be deleted with its success, and the alert with it, should the first one fail.
        assert second == [["m1", "m2"]]
        assert len(world.sns.published) == 2
        assert world.deliver(large, invalid) == []
        assert len(world.sns.published) == 2

    @pytest.mark.parametrize("events", [1, 3])
    def test_a_mark_that_cannot_be_cleared_at_first_is_cleared_at_another_try(
        self, world: World, events: int
    ) -> None:
        refused: list[str] = []

        def refuse_twice(operation: str, request: dict[str, Any]) -> None:
            # As when a copy of the event is being looked at in this moment.
            if "REMOVE alert_pending" in json.dumps(request) and len(refused) < 2:
                refused.append(operation)
                raise call_error("TransactionConflictException")

        world.dynamodb.fault = refuse_twice
        assert world.deliver(*(record(order("2000"), f"m{n}") for n in range(events))) == []
        assert len(refused) == 2
        assert not any("alert_pending" in item for item in world.events.values())

    def test_an_alert_owed_by_a_dead_lettered_message_comes_with_its_redriven_copy(
        self, world: World
    ) -> None:
        body = order("2000")
        world.sns.fault = timeout
        world.deliver(record(body, "m1"))
        world.sns.fault = lambda operation, request: None
        # SQS's own redrive gives a new message id; while the first may still be running, it owes the alert.
        world.deliver(record(body, "m2"))
        assert not world.sns.published
        world.later(seconds=31)
        world.deliver(record(body, "m3"))
        world.deliver(record(body, "m4"))
        assert len(world.sns.published) == 1


class TestFaultsHitOnlyWhatTheyTouch:
    def test_a_throttled_item_goes_back_and_its_neighbours_are_stored(self, world: World) -> None:
        world.dynamodb.item_fault = lambda item: (
            "ThrottlingError" if item["message_id"]["S"] == "m3" else None
        )
        records = [record(order(), f"m{n}") for n in range(10)]
        assert world.deliver(*records) == ["m3"]
        assert len(world.events) == 9

    def test_a_request_that_dynamodb_refuses_is_narrowed_down_to_the_item_to_blame(
        self, world: World
    ) -> None:
        def refuse(operation: str, request: dict[str, Any]) -> None:
            if "poison" in json.dumps(request):
                raise call_error("ValidationException")

        world.dynamodb.fault = refuse
        records = [record(order(customer_id="poison" if n == 4 else "c"), f"m{n}") for n in range(10)]
        assert world.deliver(*records) == ["m4"]
        assert len(world.events) == 9

    @pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError"])
    def test_a_dead_table_gives_back_everything_and_alerts_nothing(self, world: World, code: str) -> None:
        def refuse(operation: str, request: dict[str, Any]) -> None:
            raise call_error(code, 500)

        world.dynamodb.fault = refuse
        assert world.deliver(record(order("2000"), "m1"), record("{}", "m2")) == ["m1", "m2"]
        assert not world.sns.published

    def test_an_event_whose_first_answer_was_lost_is_stored_and_not_redelivered(
        self, world: World, capsys: pytest.CaptureFixture[str]
    ) -> None:
        call = world.dynamodb.call

        def answer_lost_once(operation: str, request: dict[str, Any]) -> dict[str, Any]:
            # It is sent again, and finds in the way what it has just stored.
            call(operation, request)
            try:
                return call(operation, request)
            except AwsError as error:
                error.retries = 1
                raise

        world.dynamodb.call = answer_lost_once  # type: ignore[method-assign]
        assert world.deliver(record(order("2000"), "m1")) == []
        assert len(world.sns.published) == 1
        assert json.loads(capsys.readouterr().out)["Stored"] == 1

    def test_a_dead_bucket_gives_back_only_the_events_that_need_it(self, world: World) -> None:
        noise = random.Random(1).randbytes(450_000).hex()
        world.s3.fault = lambda operation, request: (_ for _ in ()).throw(call_error("SlowDown", 503))
        assert world.deliver(record(order(metadata=noise), "m1"), record(order(), "m2")) == ["m1"]
        assert len(world.events) == 1

    def test_a_bucket_that_hangs_holds_up_nothing_that_does_not_need_it(self, world: World) -> None:
        left = [30_000]
        world.remaining_millis = lambda: left[0]

        def hang(operation: str, request: dict[str, Any]) -> None:
            left[0] = 1_000
            raise AwsError(NO_ANSWER, "S3 hangs")

        noise = random.Random(1).randbytes(450_000).hex()
        copied = order()
        world.deliver(record(copied, "m0"))
        world.s3.fault = hang
        returned = world.deliver(
            record(order("2000", metadata=noise), "huge"),
            record(order("3000"), "m1"),
            record("{}", "m2"),
            record(copied, "m3"),
        )
        assert returned == ["huge"]
        assert {alert["message_id"] for alert in world.sns.published} == {"m1", "m2"}
        assert list(world.duplicates) == ["m3"]

    def test_a_duplicate_that_cannot_be_counted_goes_back(self, world: World) -> None:
        body = order()
        world.deliver(record(body, "m1"))

        def refuse(operation: str, request: dict[str, Any]) -> None:
            if operation == "BatchWriteItem":
                raise call_error("ThrottlingException")

        world.dynamodb.fault = refuse
        assert world.deliver(record(body, "m2")) == ["m2"]
        world.dynamodb.fault = lambda operation, request: None
        assert world.deliver(record(body, "m2")) == []
        assert list(world.duplicates) == ["m2"]

    def test_unprocessed_duplicates_are_written_again(self, world: World) -> None:
        body = order()
        world.deliver(record(body, "m0"))
        refused: list[str] = []

        def refuse_once(item: dict[str, Any]) -> str | None:
            key = item["message_id"]["S"]
            if "recorded_at" in item and key not in refused:
                refused.append(key)
                return "unprocessed"
            return None

        world.dynamodb.item_fault = refuse_once
        assert world.deliver(*(record(body, f"m{n}") for n in range(1, 31))) == []
        assert len(world.duplicates) == 30

    def test_with_too_little_time_left_nothing_is_begun(self, world: World) -> None:
        world.remaining_millis = lambda: 5_000
        assert world.deliver(record(order(), "m1"), record("{}", "m2")) == ["m1", "m2"]
        assert not world.dynamodb.calls

    def test_a_bug_gives_back_the_messages_instead_of_raising(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def bug(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr("processor.puts.event_item", bug)
        assert world.deliver(record(order(), "m1"), record("{}", "m2")) == ["m1"]
        assert list(world.rejected) == ["m2"]


class TestReplay:
    def test_a_replayed_event_that_is_valid_now_leaves_rejected(self, world: World) -> None:
        body = order("2000")
        stale = {"message_id": {"S": "m1"}, "content_hash": {"S": hash_of(body)}}
        world.rejected["m1"] = stale
        assert world.deliver(record(body, "m2", origin="m1")) == []
        assert world.deliver(record(body, "m3", origin="m1")) == []
        assert not world.rejected
        assert not world.duplicates
        item = world.events[event_id(body)]
        assert item["message_id"] == {"S": "m1"}
        assert item["replayed"] == {"BOOL": True}
        assert len(world.sns.published) == 1

    def test_a_replayed_event_that_fails_again_stays_as_it_was_and_raises_no_second_alert(
        self, world: World
    ) -> None:
        world.deliver(record("{}", "m1"))
        before = dict(world.rejected)
        assert world.deliver(record("{}", "m2", origin="m1")) == []
        assert world.rejected == before
        assert len(world.sns.published) == 1

    def test_a_replayed_conflict_stays_rejected(self, world: World) -> None:
        first, second = order("10", event_id="e1"), order("20", event_id="e1")
        world.deliver(record(first, "m1"), record(second, "m2"))
        assert world.deliver(record(second, "m3", origin="m2")) == []
        assert list(world.rejected) == ["m2"]
        assert world.body_of(world.rejected["m2"]) == second

    def test_an_origin_that_names_somebody_elses_rejected_event_loses_neither(self, world: World) -> None:
        world.deliver(record("{}", "m1"))
        assert world.deliver(record("[]", "m2", origin="m1")) == []
        assert world.body_of(world.rejected["m1"]) == "{}"
        assert world.body_of(world.rejected["m2"]) == "[]"
        valid = order()
        assert world.deliver(record(valid, "m3", origin="m1")) == []
        assert set(world.rejected) == {"m1", "m2"}


def hash_of(body: str) -> str:
    import contract

    return contract.content_hash(body)
