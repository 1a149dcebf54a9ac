"""get, rejected, replay, redrive and logs, end to end."""

from __future__ import annotations

import json
import random
import string
import uuid
from datetime import UTC, datetime

import pytest

from contract import content_hash
from tests.integration.conftest import OUTCOME_SECONDS, Pipeline
from tests.integration.running_ops import ops
from tests.targets import BODIES, MOVE_TASK
from tests.waiting import eventually
from tools.core.origins import Origins
from tools.core.resources import Resources


def activity(event_id: str, metadata: str = "") -> str:
    """Return the body of an event with a format that no JSON library would produce."""
    now = datetime.now(UTC).isoformat()
    return (
        f' {{"event_id":"{event_id}",   "event_type":"activity","occurred_at":"{now}",'
        f'"customer_id":"c","session_id":"s","action":"page_view","rate":1.10,"metadata":"{metadata}"}}\n'
    )


def new_id() -> str:
    return f"evt-{uuid.uuid4()}"


def stored(pipeline: Pipeline, event_id: str) -> None:
    pipeline.awaited("table_name", event_id)


def rejected(pipeline: Pipeline, message_id: str) -> None:
    pipeline.awaited("rejected_table_name", message_id)


@pytest.mark.needs(BODIES)
@pytest.mark.parametrize("size", [0, 900_000])
def test_get_prints_the_event_exactly_as_sent_from_the_table_or_s3(pipeline: Pipeline, size: int) -> None:
    event_id = new_id()
    letters = random.Random(7).choices(string.ascii_letters + string.digits, k=size)
    body = activity(event_id, metadata="".join(letters))
    (message_id,) = pipeline.send(body)
    stored(pipeline, event_id)
    result = ops(pipeline, "get", EVENT_ID=event_id)
    assert result.returncode == 0
    assert f'"event": {body},' in result.stdout
    assert f'"message_id": "{message_id}"' in result.stdout


def test_get_of_an_unknown_event_fails_with_a_message(pipeline: Pipeline) -> None:
    result = ops(pipeline, "get", EVENT_ID="no-such-event")
    assert result.returncode == 1
    assert "There is no event no-such-event" in result.stderr


@pytest.mark.needs(BODIES)
def test_a_rejected_event_is_listed_and_shown_and_get_refers_to_it(pipeline: Pipeline) -> None:
    event_id = new_id()
    body = activity(event_id).replace("page_view", "x" * 65)
    (message_id,) = pipeline.send(body)
    rejected(pipeline, message_id)
    listed = ops(pipeline, "rejected", REASON="$.action must have at most 64").stdout
    assert message_id in listed
    assert "$.action must have at most 64 characters, but has 65" in listed
    printed = ops(pipeline, "rejected", ID=message_id).stdout
    assert body in printed
    got = ops(pipeline, "get", EVENT_ID=event_id)
    assert got.returncode == 1
    assert f"make rejected ID={message_id}" in got.stderr


@pytest.mark.needs(BODIES)
def test_a_replayed_event_that_is_valid_now_is_stored_and_no_longer_rejected(pipeline: Pipeline) -> None:
    event_id = new_id()
    body = activity(event_id, metadata="new")
    pipeline.send(activity(event_id, metadata="stored first"))
    stored(pipeline, event_id)
    (message_id,) = pipeline.send(body)
    rejected(pipeline, message_id)
    pipeline.dynamodb.delete_item(
        TableName=pipeline.state.outputs["table_name"], Key={"event_id": {"S": event_id}}
    )

    dry_run = ops(pipeline, "replay", ID=event_id, DRY_RUN="1")
    assert "Would send 1 rejected event" in dry_run.stdout
    assert message_id in dry_run.stdout
    result = ops(pipeline, "replay", ID=event_id)
    assert "1 rejected event sent back to the queue: 1 stored, 0 still rejected." in result.stdout
    assert result.returncode == 0

    item = pipeline.item("table_name", event_id)
    assert item is not None
    assert pipeline.body_of(item) == body
    assert item["message_id"] == {"S": message_id}
    assert pipeline.item("rejected_table_name", message_id) is None
    again = ops(pipeline, "replay", ID=event_id)
    assert again.returncode == 1
    assert "No rejected event matches" in again.stderr


def test_a_replayed_event_that_is_still_invalid_stays_rejected_once(
    pipeline: Pipeline,
) -> None:
    body = f"not JSON {uuid.uuid4()}"
    (message_id,) = pipeline.send(body)
    rejected(pipeline, message_id)
    before = pipeline.count("rejected_table_name")
    for _ in range(2):
        result = ops(pipeline, "replay", ID=message_id)
        assert "0 stored, 1 still rejected" in result.stdout
        assert result.returncode == 0
    assert pipeline.count("rejected_table_name") == before


def test_redrive_moves_dead_letters_back_and_copies_keep_their_message_id(
    pipeline: Pipeline,
) -> None:
    ids = [new_id() for _ in range(12)]
    sent = [
        pipeline.sqs.send_message(
            QueueUrl=pipeline.dlq_url,
            MessageBody=activity(event_id),
            MessageAttributes={"tenant": {"DataType": "String", "StringValue": "t"}},
        )["MessageId"]
        for event_id in ids
    ]
    result = ops(pipeline, "redrive", RATE="100")
    copied = MOVE_TASK in pipeline.target.lacks
    means = "receive, send and delete" if copied else "SQS's message move task"
    assert f"moved by {means}, 0 remaining" in result.stdout
    assert result.returncode == 0
    assert pipeline.depth(pipeline.dlq_url) == 0
    for event_id, message_id in zip(ids, sent, strict=True):
        stored(pipeline, event_id)
        item = pipeline.item("table_name", event_id)
        assert item is not None
        # SQS's task changes message ids. A copy names its original.
        assert not copied or item["message_id"] == {"S": message_id}


def test_a_message_left_in_both_queues_by_a_killed_redrive_is_not_a_duplicate(pipeline: Pipeline) -> None:
    event_id = new_id()
    body = activity(event_id)
    message_id = pipeline.sqs.send_message(QueueUrl=pipeline.dlq_url, MessageBody=body)["MessageId"]
    origins = Origins(Resources.of_stack(pipeline.state_dir))
    pipeline.sqs.send_message(
        QueueUrl=pipeline.queue_url,
        MessageBody=body,
        MessageAttributes=origins.attributes(message_id, content_hash(body)),
    )
    stored(pipeline, event_id)
    assert ops(pipeline, "redrive").returncode == 0
    pipeline.drain()
    assert pipeline.item("duplicates_table_name", message_id) is None
    assert "doubled" not in ops(pipeline, "verify", MANIFEST="none").stdout


def test_logs_find_the_lines_about_an_event(pipeline: Pipeline) -> None:
    event_id = new_id()
    (message_id,) = pipeline.send(activity(event_id).replace("page_view", ""))
    rejected(pipeline, message_id)

    def lines() -> list[str]:
        # On a busy machine, MiniStack adds the last lines of an invocation to those of the next one.
        pipeline.send(activity(new_id()))
        printed = ops(pipeline, "logs", EVENT_ID=event_id, LEVEL="WARNING", JSON="1")
        return printed.stdout.splitlines()

    matching = eventually(
        lambda: [line for line in lines() if message_id in line], within=OUTCOME_SECONDS, what="a log line"
    )
    assert len(matching) == 1
    line = json.loads(matching[0])
    assert (line["level"], line["message"]) == ("WARNING", "message rejected")


def test_commands_without_a_stack_fail_without_a_traceback(pipeline: Pipeline) -> None:
    result = ops(pipeline, "verify", STACK_DIR=str(pipeline.state_dir / "elsewhere"))
    assert result.returncode == 1
    assert "make up" in result.stderr
    assert "Traceback" not in result.stderr
