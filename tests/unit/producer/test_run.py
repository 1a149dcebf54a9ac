from __future__ import annotations

import json
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.delivery import Result
from producer.errors import ProducerError
from producer.generate.events import Events
from producer.manifest import read_messages
from producer.options import Options
from producer.run import produce, resume
from producer.send.run_stats import Progress
from tests.unit.producer.factories import read_completion
from tests.unit.producer.fake_queue import Entry, FakeQueue, Response, error, session

MIXED: dict[str, Any] = {"invalid_ratio": 0.05, "duplicate_ratio": 0.05, "large_ratio": 0.1}


def send(queue: FakeQueue, **given: Any) -> Result:
    return produce(Options(**{"queue_url": queue.url, "count": 100, **given}), session=session())


def hashes(path: Path) -> Counter[str]:
    return Counter(line["content_hash"] for line in read_messages(path))


def respond_after(requests: int, response: Response) -> Any:
    """Return a behaviour that accepts ``requests`` requests and gives all others ``response``."""
    return lambda number, entries: None if number <= requests else response


def interrupt(progress: Progress) -> None:
    raise KeyboardInterrupt


def test_a_run_sends_the_requested_messages(queue: FakeQueue) -> None:
    result = send(queue, count=1000, **MIXED)
    assert result.complete
    assert result.sent == {"order": 72, "payment": 153, "activity": 675, "invalid": 50, "duplicate": 50}
    assert result.large_orders == 72 // 10
    assert len(queue.bodies) == result.sent_total == 1000
    assert result.bytes == sum(len(body.encode()) for body in queue.bodies.values())


def test_a_run_of_sessions_contains_each_of_them_whole(queue: FakeQueue) -> None:
    result = send(queue, count=0, sessions=36, **MIXED)
    assert result.complete
    valid = {name: result.sent[name] for name in ("order", "payment", "activity")}
    assert valid == {"order": 16, "payment": 34, "activity": 150}


def test_a_run_of_a_day_ends_now_or_begins_with_the_given_day(queue: FakeQueue, tmp_path: Path) -> None:
    send(queue, profile="day")
    times = sorted(json.loads(body)["occurred_at"] for body in queue.bodies.values())
    ended = datetime.now(UTC) - datetime.fromisoformat(times[-1])
    assert timedelta(0) <= ended < timedelta(hours=2)
    queue.bodies.clear()
    send(queue, profile="day", start=datetime(2026, 5, 1, tzinfo=UTC))
    assert {json.loads(body)["occurred_at"][:10] for body in queue.bodies.values()} == {"2026-05-01"}


@pytest.mark.parametrize("profile", ["steady", "day"])
def test_a_run_that_would_lie_in_the_future_is_refused(queue: FakeQueue, profile: str) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    with pytest.raises(ProducerError, match="in the future"):
        send(queue, profile=profile, start=later)
    assert not queue.requests


def test_a_flash_sale_with_a_rate_is_sent_as_it_occurs(queue: FakeQueue) -> None:
    begun = datetime.now(UTC)
    result = send(queue, profile="flash-sale", rate=100, count=100)
    assert result.seconds == pytest.approx(1, abs=0.5)
    times = [datetime.fromisoformat(json.loads(body)["occurred_at"]) for body in queue.bodies.values()]
    assert all(timedelta(seconds=-1) < time - begun < timedelta(seconds=3) for time in times)


@pytest.mark.parametrize("given", [{"profile": "burst"}, {"count": 0, "sessions": 10}])
def test_a_run_with_a_profile_or_sessions_can_be_resumed(
    queue: FakeQueue, tmp_path: Path, given: dict[str, Any]
) -> None:
    queue.behaviour = respond_after(2, error(403, "AccessDenied"))
    manifest = tmp_path / "m"
    first = send(queue, manifest=manifest, seed=7, **given)
    queue.behaviour = lambda number, entries: None
    assert resume(manifest, session=session()).complete
    resumed = Counter(queue.bodies.values())
    queue.bodies.clear()
    send(queue, seed=7, **given)
    assert resumed == Counter(queue.bodies.values())
    assert not first.complete


def test_a_manifest_of_an_older_generator_is_not_resumed(queue: FakeQueue, tmp_path: Path) -> None:
    queue.behaviour = respond_after(2, error(403, "AccessDenied"))
    manifest = tmp_path / "m"
    send(queue, manifest=manifest)
    manifest.write_text(manifest.read_text().replace('"generator": 2, ', ""))
    with pytest.raises(ProducerError, match="another version of the producer"):
        resume(manifest, session=session())


def test_no_request_exceeds_ten_messages_or_1_mib(queue: FakeQueue) -> None:
    send(queue, count=40, target_kb=200)
    assert Counter(len(entries) for entries in queue.requests) == {5: 8}
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in entries) for entries in queue.requests]
    assert max(sizes) <= 1_048_576


def test_a_smaller_batch_size_is_respected(queue: FakeQueue) -> None:
    send(queue, count=10, batch_size=3)
    assert sorted(map(len, queue.requests), reverse=True) == [3, 3, 3, 1]


def test_a_seed_sends_the_same_events_at_any_batch_size_and_rate(queue: FakeQueue) -> None:
    send(queue, seed=7, **MIXED)
    first = Counter(queue.bodies.values())
    queue.bodies.clear()
    send(queue, seed=7, batch_size=3, rate=5000, **MIXED)
    assert Counter(queue.bodies.values()) == first


def test_runs_without_a_seed_share_no_event(queue: FakeQueue) -> None:
    send(queue)
    send(queue)
    ids = [json.loads(body)["event_id"] for body in queue.bodies.values()]
    assert len(set(ids)) == 200


def test_the_manifest_names_every_message_that_sqs_accepted(queue: FakeQueue, tmp_path: Path) -> None:
    result = send(queue, manifest=tmp_path / "m", **MIXED)
    lines = {line["message_id"]: line for line in read_messages(tmp_path / "m")}
    assert lines.keys() == queue.bodies.keys()
    assert Counter(line["expect"] for line in lines.values()) == {"stored": 90, "rejected": 5, "duplicate": 5}
    assert (read_completion(tmp_path / "m") or {})["sent"] == 100
    assert result.manifest == tmp_path / "m"


def test_a_manifest_in_a_directory_is_named_after_the_run(queue: FakeQueue, tmp_path: Path) -> None:
    result = send(queue, manifest=tmp_path)
    assert result.manifest == tmp_path / f"{result.run_id}.jsonl"


def test_a_run_without_a_manifest_writes_no_file(queue: FakeQueue, tmp_path: Path) -> None:
    assert send(queue).manifest is None
    assert list(tmp_path.iterdir()) == []


def test_a_message_that_sqs_rejects_is_recorded(queue: FakeQueue, tmp_path: Path) -> None:
    rejected: list[str] = []

    def behaviour(number: int, entries: list[Entry]) -> Response | None:
        if rejected:
            return None
        rejected.append(json.loads(entries[0]["MessageBody"])["event_id"])
        fault = {"Id": entries[0]["Id"], "Code": "InvalidMessageContents", "SenderFault": True}
        return 200, {"Successful": queue.accept(entries[1:]), "Failed": [fault]}

    # Without the lock, two connections could both send the first request.
    lock = threading.Lock()

    def one_at_a_time(number: int, entries: list[Entry]) -> Response | None:
        with lock:
            return behaviour(number, entries)

    queue.behaviour = one_at_a_time
    result = send(queue, manifest=tmp_path / "m")
    assert not result.complete
    assert [failure.display_id for failure in result.failed] == rejected
    assert (result.sent_total, result.unsent) == (99, 0)
    assert (read_completion(tmp_path / "m") or {})["failed"] == rejected


def test_throttling_neither_loses_nor_duplicates_messages(queue: FakeQueue, tmp_path: Path) -> None:
    def behaviour(number: int, entries: list[Entry]) -> Response | None:
        if number % 3 == 0:
            return error(400, "RequestThrottled")
        if number % 3 == 1 and len(entries) > 1:
            fault = {"Id": entries[0]["Id"], "Code": "InternalError", "SenderFault": False}
            return 200, {"Successful": queue.accept(entries[1:]), "Failed": [fault]}
        return None

    queue.behaviour = behaviour
    result = send(queue, count=300, manifest=tmp_path / "m")
    assert result.complete
    assert result.retries > 0
    assert len(set(queue.bodies.values())) == len(queue.bodies) == 300
    assert sorted(line["index"] for line in read_messages(tmp_path / "m")) == list(range(300))


def test_a_missing_queue_stops_the_run_and_leaves_no_manifest(queue: FakeQueue, tmp_path: Path) -> None:
    result = send(queue, queue_url=f"{queue.endpoint}/0/other", manifest=tmp_path / "m")
    assert result.error
    assert "There is no queue" in result.error
    assert result.sent_total == 0
    assert result.manifest is None
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_run_and_resume_sends_exactly_the_rest(queue: FakeQueue, tmp_path: Path) -> None:
    options = Options(queue_url=queue.url, count=3000, rate=400, manifest=tmp_path / "m", **MIXED)
    first = produce(options, on_progress=interrupt, session=session())
    assert first.interrupted
    assert 0 < first.sent_total < 3000
    assert first.unsent == 3000 - first.sent_total
    assert read_completion(tmp_path / "m") is None

    resumed = resume(tmp_path / "m", rate=0, session=session())
    assert resumed.complete
    assert resumed.sent_before == first.sent_total
    assert first.sent_total + resumed.sent_total == len(queue.bodies) == 3000
    assert sorted(line["index"] for line in read_messages(tmp_path / "m")) == list(range(3000))
    assert hashes(tmp_path / "m").total() == 3000
    assert len(hashes(tmp_path / "m")) == 2850
    assert (read_completion(tmp_path / "m") or {})["sent"] == 3000


def test_a_second_ctrl_c_aborts_requests_in_flight(queue: FakeQueue) -> None:
    release = threading.Event()

    def hang(number: int, entries: list[Entry]) -> None:
        release.wait(60)

    queue.behaviour = hang
    try:
        result = produce(Options(queue_url=queue.url, count=1000), on_progress=interrupt, session=session())
    finally:
        release.set()
    assert result.interrupted
    assert result.unsent == 1000


def test_a_run_that_an_error_stopped_can_be_resumed(queue: FakeQueue, tmp_path: Path) -> None:
    queue.behaviour = respond_after(3, error(403, "AccessDeniedException"))
    first = send(queue, manifest=tmp_path / "m")
    assert first.error
    assert first.sent_total == 30
    assert first.failed
    assert first.sent_total + len(first.failed) + first.unsent == 100

    queue.behaviour = respond_after(10**6, error(500, "never"))
    assert resume(tmp_path / "m", session=session()).complete
    assert len(queue.bodies) == len(set(queue.bodies.values())) == 100


def test_resuming_a_finished_run_sends_nothing(queue: FakeQueue, tmp_path: Path) -> None:
    send(queue, manifest=tmp_path / "m")
    resumed = resume(tmp_path / "m", session=session())
    assert resumed.complete
    assert (resumed.sent_before, resumed.sent_total) == (100, 0)
    assert len(queue.bodies) == 100


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 30_000), seed=st.none() | st.integers(0, 9))
def test_resume_sends_what_a_manifest_cut_at_any_byte_does_not_name(
    queue: FakeQueue, tmp_path_factory: pytest.TempPathFactory, cut: int, seed: int | None
) -> None:
    path = tmp_path_factory.mktemp("cut") / "m"
    send(queue, manifest=path, seed=seed, **MIXED)
    complete = hashes(path)
    content = path.read_bytes()
    path.write_bytes(content[: max(content.index(b"\n") + 1, cut)])
    recorded = hashes(path).total()

    queue.bodies.clear()
    resumed = resume(path, session=session())
    assert resumed.sent_before == recorded
    assert resumed.sent_total == len(queue.bodies) == 100 - recorded
    assert hashes(path) == complete


def test_a_run_cannot_be_resumed_with_another_queue(queue: FakeQueue, tmp_path: Path) -> None:
    send(queue, manifest=tmp_path / "m")
    with pytest.raises(ProducerError, match="another queue"):
        resume(tmp_path / "m", queue_url="http://127.0.0.1:1/0/other", session=session())


def test_a_damaged_manifest_cannot_be_resumed(queue: FakeQueue, tmp_path: Path) -> None:
    send(queue, manifest=tmp_path / "m")
    content = (tmp_path / "m").read_text()
    (tmp_path / "m").write_text(content.replace('"index":99', '"index":100'))
    with pytest.raises(ProducerError, match="damaged"):
        resume(tmp_path / "m", session=session())


def test_a_run_of_a_billion_events_starts_immediately(queue: FakeQueue) -> None:
    queue.behaviour = respond_after(5, error(403, "AccessDenied"))
    result = send(queue, count=10**9)
    assert result.sent_total == 50
    assert result.unsent > 999_999_000


def test_the_last_progress_counts_every_message(queue: FakeQueue) -> None:
    updates: list[Progress] = []
    produce(Options(queue_url=queue.url, count=200), on_progress=updates.append, session=session())
    assert (updates[-1].sent, updates[-1].total, updates[-1].failed) == (200, 200, 0)


def test_an_unexpected_error_is_raised(queue: FakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Events, number: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Events, "message", fail)
    with pytest.raises(ZeroDivisionError):
        send(queue)


def test_an_error_in_on_progress_ends_the_run(queue: FakeQueue) -> None:
    def fail(progress: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        produce(Options(queue_url=queue.url, count=10**9, rate=100), on_progress=fail, session=session())


def test_ratios_can_be_fractions(queue: FakeQueue) -> None:
    assert send(queue, count=9, invalid_ratio=Fraction(1, 3)).sent["invalid"] == 3
