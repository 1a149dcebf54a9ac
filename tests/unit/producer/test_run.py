from __future__ import annotations

import json
import threading
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.errors import ProducerError
from producer.generate.events import Events
from producer.manifest import read_completion, read_messages
from producer.options import Options
from producer.run import Result, produce, resume
from producer.send.run_stats import Progress
from tests.unit.producer.fake_queue import Answer, Entry, FakeQueue, error, session

MIXED: dict[str, Any] = {"invalid_ratio": 0.05, "duplicate_ratio": 0.05, "large_ratio": 0.1}


def send(queue: FakeQueue, **given: Any) -> Result:
    return produce(Options(**{"queue_url": queue.url, "count": 100, **given}), session=session())


def hashes(path: Path) -> Counter[str]:
    return Counter(line["content_hash"] for line in read_messages(path))


def after(requests: int, answer: Answer) -> Any:
    """Takes so many requests, then answers all others like this."""
    return lambda number, entries: None if number <= requests else answer


def interrupt(progress: Progress) -> None:
    raise KeyboardInterrupt


def test_a_run_sends_what_was_asked_for(queue: FakeQueue) -> None:
    result = send(queue, count=1000, **MIXED)
    assert result.complete
    assert result.sent == {
        "order": 360,
        "payment": 180,
        "activity": 360,
        "invalid": 50,
        "duplicate": 50,
    }
    assert result.large_orders == 36
    assert len(queue.bodies) == result.sent_total == 1000
    assert result.bytes == sum(len(body.encode()) for body in queue.bodies.values())


def test_no_request_has_more_than_ten_messages_or_1_mib(queue: FakeQueue) -> None:
    send(queue, count=40, target_kb=200)
    assert Counter(len(entries) for entries in queue.requests) == {5: 8}
    sizes = [sum(len(entry["MessageBody"].encode()) for entry in entries) for entries in queue.requests]
    assert max(sizes) <= 1_048_576


def test_a_smaller_batch_size_is_kept(queue: FakeQueue) -> None:
    send(queue, count=10, batch_size=3)
    assert sorted(map(len, queue.requests), reverse=True) == [3, 3, 3, 1]


def test_a_seed_sends_the_same_events_whatever_the_batch_size_and_rate(queue: FakeQueue) -> None:
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


def test_the_manifest_names_every_message_that_sqs_took(queue: FakeQueue, tmp_path: Path) -> None:
    result = send(queue, manifest=tmp_path / "m", **MIXED)
    lines = {line["message_id"]: line for line in read_messages(tmp_path / "m")}
    assert lines.keys() == queue.bodies.keys()
    assert Counter(line["expect"] for line in lines.values()) == {"stored": 90, "rejected": 5, "duplicate": 5}
    assert (read_completion(tmp_path / "m") or {})["sent"] == 100
    assert result.manifest == tmp_path / "m"


def test_in_a_directory_the_manifest_is_named_after_the_run(queue: FakeQueue, tmp_path: Path) -> None:
    result = send(queue, manifest=tmp_path)
    assert result.manifest == tmp_path / f"{result.run_id}.jsonl"


def test_without_a_manifest_none_is_written(queue: FakeQueue, tmp_path: Path) -> None:
    assert send(queue).manifest is None
    assert list(tmp_path.iterdir()) == []


def test_a_message_that_sqs_refuses_is_named(queue: FakeQueue, tmp_path: Path) -> None:
    refused: list[str] = []

    def behave(number: int, entries: list[Entry]) -> Answer | None:
        if refused:
            return None
        refused.append(json.loads(entries[0]["MessageBody"])["event_id"])
        fault = {"Id": entries[0]["Id"], "Code": "InvalidMessageContents", "SenderFault": True}
        return 200, {"Successful": queue.take(entries[1:]), "Failed": [fault]}

    # One connection at a time, so that only one request can be the first.
    lock = threading.Lock()

    def one_by_one(number: int, entries: list[Entry]) -> Answer | None:
        with lock:
            return behave(number, entries)

    queue.behave = one_by_one
    result = send(queue, manifest=tmp_path / "m")
    assert not result.complete
    assert [failure.identity for failure in result.failed] == refused
    assert (result.sent_total, result.unsent) == (99, 0)
    assert (read_completion(tmp_path / "m") or {})["failed"] == refused


def test_throttling_loses_and_doubles_nothing(queue: FakeQueue, tmp_path: Path) -> None:
    def behave(number: int, entries: list[Entry]) -> Answer | None:
        if number % 3 == 0:
            return error(400, "RequestThrottled")
        if number % 3 == 1 and len(entries) > 1:
            fault = {"Id": entries[0]["Id"], "Code": "InternalError", "SenderFault": False}
            return 200, {"Successful": queue.take(entries[1:]), "Failed": [fault]}
        return None

    queue.behave = behave
    result = send(queue, count=300, manifest=tmp_path / "m")
    assert result.complete
    assert result.retries > 0
    assert len(set(queue.bodies.values())) == len(queue.bodies) == 300
    assert sorted(line["index"] for line in read_messages(tmp_path / "m")) == list(range(300))


def test_a_queue_that_does_not_exist_stops_the_run_and_leaves_nothing(
    queue: FakeQueue, tmp_path: Path
) -> None:
    result = send(queue, queue_url=f"{queue.endpoint}/0/other", manifest=tmp_path / "m")
    assert result.error
    assert "There is no queue" in result.error
    assert result.sent_total == 0
    assert result.manifest is None
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_run_and_resume_sends_exactly_the_rest(queue: FakeQueue, tmp_path: Path) -> None:
    whole = Options(queue_url=queue.url, count=3000, rate=400, manifest=tmp_path / "m", **MIXED)
    begun = produce(whole, on_progress=interrupt, session=session())
    assert begun.interrupted
    assert 0 < begun.sent_total < 3000
    assert begun.unsent == 3000 - begun.sent_total
    assert read_completion(tmp_path / "m") is None

    rest = resume(tmp_path / "m", rate=0, session=session())
    assert rest.complete
    assert rest.sent_before == begun.sent_total
    assert begun.sent_total + rest.sent_total == len(queue.bodies) == 3000
    assert sorted(line["index"] for line in read_messages(tmp_path / "m")) == list(range(3000))
    assert hashes(tmp_path / "m").total() == 3000
    assert len(hashes(tmp_path / "m")) == 2850
    assert (read_completion(tmp_path / "m") or {})["sent"] == 3000


def test_a_second_ctrl_c_does_not_wait_for_a_queue_that_does_not_answer(queue: FakeQueue) -> None:
    release = threading.Event()

    def hang(number: int, entries: list[Entry]) -> None:
        release.wait(60)

    queue.behave = hang
    try:
        result = produce(Options(queue_url=queue.url, count=1000), on_progress=interrupt, session=session())
    finally:
        release.set()
    assert result.interrupted
    assert result.unsent == 1000


def test_a_run_that_an_error_stopped_can_be_resumed(queue: FakeQueue, tmp_path: Path) -> None:
    queue.behave = after(3, error(403, "AccessDeniedException"))
    begun = send(queue, manifest=tmp_path / "m")
    assert begun.error
    assert begun.sent_total == 30
    assert begun.failed
    assert begun.sent_total + len(begun.failed) + begun.unsent == 100

    queue.behave = after(10**6, error(500, "never"))
    assert resume(tmp_path / "m", session=session()).complete
    assert len(queue.bodies) == len(set(queue.bodies.values())) == 100


def test_resuming_a_finished_run_sends_nothing(queue: FakeQueue, tmp_path: Path) -> None:
    send(queue, manifest=tmp_path / "m")
    again = resume(tmp_path / "m", session=session())
    assert again.complete
    assert (again.sent_before, again.sent_total) == (100, 0)
    assert len(queue.bodies) == 100


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 30_000), seed=st.none() | st.integers(0, 9))
def test_wherever_a_kill_tears_the_manifest_the_rest_is_what_it_does_not_name(
    queue: FakeQueue, tmp_path_factory: pytest.TempPathFactory, cut: int, seed: int | None
) -> None:
    path = tmp_path_factory.mktemp("torn") / "m"
    send(queue, manifest=path, seed=seed, **MIXED)
    complete = hashes(path)
    content = path.read_bytes()
    path.write_bytes(content[: max(content.index(b"\n") + 1, cut)])
    named = hashes(path).total()

    queue.bodies.clear()
    rest = resume(path, session=session())
    assert rest.sent_before == named
    assert rest.sent_total == len(queue.bodies) == 100 - named
    assert hashes(path) == complete


def test_a_run_is_not_resumed_into_another_queue(queue: FakeQueue, tmp_path: Path) -> None:
    send(queue, manifest=tmp_path / "m")
    with pytest.raises(ProducerError, match="another queue"):
        resume(tmp_path / "m", queue_url="http://127.0.0.1:1/0/other", session=session())


def test_a_damaged_manifest_is_not_resumed(queue: FakeQueue, tmp_path: Path) -> None:
    send(queue, manifest=tmp_path / "m")
    content = (tmp_path / "m").read_text()
    (tmp_path / "m").write_text(content.replace('"index":99', '"index":100'))
    with pytest.raises(ProducerError, match="damaged"):
        resume(tmp_path / "m", session=session())


def test_a_billion_events_are_begun_at_once(queue: FakeQueue) -> None:
    queue.behave = after(5, error(403, "AccessDenied"))
    result = send(queue, count=10**9)
    assert result.sent_total == 50
    assert result.unsent > 999_999_000


def test_progress_counts_up_to_the_end(queue: FakeQueue) -> None:
    seen: list[Progress] = []
    produce(Options(queue_url=queue.url, count=200), on_progress=seen.append, session=session())
    assert (seen[-1].sent, seen[-1].total, seen[-1].failed) == (200, 200, 0)


def test_an_error_of_our_own_is_not_swallowed(queue: FakeQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Events, number: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Events, "message", broken)
    with pytest.raises(ZeroDivisionError):
        send(queue)


def test_an_error_of_who_watches_ends_the_run(queue: FakeQueue) -> None:
    def stumble(progress: Progress) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        produce(Options(queue_url=queue.url, count=10**9, rate=100), on_progress=stumble, session=session())


def test_ratios_may_be_fractions(queue: FakeQueue) -> None:
    assert send(queue, count=9, invalid_ratio=Fraction(1, 3)).sent["invalid"] == 3
