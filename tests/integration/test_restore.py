"""End to end: tables that lost every row are the same again after `make restore`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest

from tests.integration import lost_tables
from tests.integration.conftest import Pipeline
from tests.integration.running_ops import ops
from tests.targets import BODIES

EVENTS = 300


@pytest.fixture(scope="module")
def own_stack(new_stack: Callable[..., AbstractContextManager[Pipeline]]) -> Iterator[Pipeline]:
    """A stack whose tables may be lost."""
    with new_stack() as running:
        yield running


@pytest.mark.needs(BODIES)
def test_lost_tables_are_the_same_again_and_nobody_is_alerted(own_stack: Pipeline) -> None:
    run = lost_tables.send_mix(own_stack, EVENTS)
    lost_tables.wait_until_archived(own_stack)
    before = lost_tables.contents(own_stack)
    lost_tables.lose_everything(own_stack)
    rows = sum(map(len, before.values()))

    rehearsed = ops(own_stack, "restore", DRY_RUN="1")
    assert rehearsed.returncode == 0, rehearsed.stderr
    assert f"Would restore {rows:,} items" in rehearsed.stdout
    assert own_stack.count("table_name") == 0

    with own_stack.inbox() as inbox:
        done = ops(own_stack, "restore", AUTO_APPROVE="1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"Restored {rows:,} items" in done.stdout
        assert "1  payloads were missing" in done.stdout
        assert lost_tables.contents(own_stack) == before
        verified = ops(own_stack, "verify", MANIFEST=str(run_file(own_stack, run.run_id)), JSON="1")
        verdict = json.loads(verified.stdout)
        assert verified.returncode == 0, verified.stdout
        assert (verdict["run"]["sent"], verdict["run"]["lost"]) == (EVENTS, 0)
        assert inbox.read() == []

    again = ops(own_stack, "restore", AUTO_APPROVE="1")
    assert again.returncode == 0
    assert "Restored 0 items" in again.stdout


def run_file(pipeline: Pipeline, run_id: str) -> str:
    """The manifest of a run."""
    (file,) = (pipeline.state_dir / "manifests").glob(f"{run_id}*")
    return str(file)


@pytest.mark.needs(BODIES)
def test_an_event_that_a_user_changed_is_a_conflict_and_stays(own_stack: Pipeline) -> None:
    item = next(iter(own_stack.dynamodb.scan(TableName=own_stack.state.outputs["table_name"])["Items"]))
    changed = {**item, "customer_id": {"S": "changed"}}
    own_stack.dynamodb.put_item(TableName=own_stack.state.outputs["table_name"], Item=changed)
    done = ops(own_stack, "restore", EVENT_ID=item["event_id"]["S"], AUTO_APPROVE="1")
    assert done.returncode == 1
    assert "with another customer_id" in done.stdout
    assert own_stack.item("table_name", item["event_id"]["S"]) == changed
