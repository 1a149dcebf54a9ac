"""The producer against a real emulator's SQS, with nothing behind the queue."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from producer.manifest import read_messages
from producer.options import Options
from producer.run import produce, resume
from producer.send.run_stats import Progress
from tools.local import ministack, processes


@dataclass(frozen=True)
class Sqs:
    """An emulator's SQS, and a session that may use it."""

    session: Any
    client: Any

    def queue(self, name: str, **attributes: str) -> str:
        """The URL of a new queue."""
        return str(self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"])

    def drain(self, url: str) -> dict[str, str]:
        """Every message of a queue, by id; the queue is empty afterwards."""
        found: dict[str, str] = {}
        while messages := self.client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            found |= {message["MessageId"]: message["Body"] for message in messages}
            self.client.delete_message_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]}
                    for n, message in enumerate(messages)
                ],
            )
        return found


def session_as(access_key: str) -> Any:
    session = botocore.session.Session()
    session.set_config_variable("region", "us-east-1")
    session.set_credentials(access_key, "test")
    return session


@pytest.fixture(scope="module")
def sqs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqs]:
    state_dir = tmp_path_factory.mktemp("emulator")
    emulator = ministack.start(state_dir, processes.free_port(), {})
    try:
        session = session_as(emulator.access_key)
        client = session.create_client("sqs", endpoint_url=emulator.endpoint)
        yield Sqs(session, client)
        client.close()
    finally:
        ministack.stop(emulator, state_dir)


def test_what_the_manifest_says_is_what_is_in_the_queue(sqs: Sqs, tmp_path: Path) -> None:
    url = sqs.queue("mixed")
    options = Options(
        queue_url=url,
        count=500,
        invalid_ratio=0.1,
        duplicate_ratio=0.1,
        large_ratio=0.1,
        manifest=tmp_path / "m",
    )
    result = produce(options, session=sqs.session)
    assert result.complete, result.error
    queued = sqs.drain(url)
    assert {message_id: sha256(body.encode()).hexdigest() for message_id, body in queued.items()} == {
        line["message_id"]: line["content_hash"] for line in read_messages(tmp_path / "m")
    }
    assert Counter(line["expect"] for line in read_messages(tmp_path / "m")) == {
        "stored": 400,
        "rejected": 50,
        "duplicate": 50,
    }


@pytest.mark.parametrize(("kb", "count"), [(200, 12), (1024, 2)])
def test_large_messages_come_through_whole(sqs: Sqs, kb: int, count: int) -> None:
    url = sqs.queue(f"large-{kb}")
    result = produce(Options(queue_url=url, count=count, target_kb=kb), session=sqs.session)
    assert result.complete, result.error
    bodies = list(sqs.drain(url).values())
    assert [len(body.encode()) for body in bodies] == [kb * 1024] * count
    assert len({json.loads(body)["event_id"] for body in bodies}) == count


def test_a_run_that_was_interrupted_is_finished_without_a_double(sqs: Sqs, tmp_path: Path) -> None:
    url = sqs.queue("interrupted")

    def interrupt(progress: Progress) -> None:
        if progress.sent:
            raise KeyboardInterrupt

    begun = produce(
        Options(queue_url=url, count=400, rate=200, manifest=tmp_path / "m"), interrupt, session=sqs.session
    )
    assert begun.interrupted
    rest = resume(tmp_path / "m", rate=0, session=sqs.session)
    assert begun.sent_total + rest.sent_total == 400
    assert len(set(sqs.drain(url).values())) == 400


def test_a_queue_that_is_not_there_is_said_in_words(sqs: Sqs) -> None:
    missing = sqs.queue("here").replace("/here", "/gone")
    result = produce(Options(queue_url=missing, count=10), session=sqs.session)
    assert result.error is not None
    assert result.error.startswith(f"There is no queue {missing}")


def test_credentials_that_are_not_known_are_said_in_words(sqs: Sqs) -> None:
    url = sqs.queue("guarded")
    result = produce(Options(queue_url=url, count=10), session=session_as("AKIANOBODY0000000000"))
    assert result.error is not None
    assert "credentials" in result.error
    assert sqs.drain(url) == {}


def test_a_message_that_the_queue_finds_too_long_is_named(sqs: Sqs) -> None:
    url = sqs.queue("small", MaximumMessageSize="1024")
    result = produce(Options(queue_url=url, count=1, target_kb=2, seed=1), session=sqs.session)
    assert not result.complete
    assert "1024" in result.failed[0].reason
