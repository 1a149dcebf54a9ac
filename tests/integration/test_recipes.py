"""The recipes of CONTRIBUTING.md work: each diff is applied to a copy of the tree, then events run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import OUTCOME_SECONDS, Pipeline, free_port
from tests.targets import INSIDE, Target
from tests.waiting import eventually
from tools.core.paths import ROOT
from tools.core.state import StackState

_DIFF = re.compile(r"<!-- begin diff: (.+?) -->\n```diff\n(.*?)```\n<!-- end diff -->", re.DOTALL)
_CHANGE = re.compile(r"<!-- begin change: (.+?) -->\n```diff\n(.*?)```\n<!-- end change -->", re.DOTALL)
_FILE = re.compile(r"<!-- begin file: (.+?) -->\n```\w+\n(.*?)```\n<!-- end file -->", re.DOTALL)
_NOT_COPIED = shutil.ignore_patterns(".*", "build", "__pycache__", "node_modules")


class Copy:
    """A copy of the tree, with the environments and the caches of this one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.state_dir = root / ".stack"
        shutil.copytree(ROOT, root, ignore=_NOT_COPIED)
        for name in (".venv", ".cache"):
            (root / name).symlink_to(ROOT / name)

    def apply(self, diff: str) -> None:
        """Apply a unified diff."""
        subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=self.root, check=True)

    def run(self, *arguments: str, **variables: str) -> str:
        """Run a module or a script of the copy, with make's variables, and return what it printed."""
        done = self.try_run(*arguments, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def up(self, target: Target) -> Pipeline:
        """Start the copy's stack, or bring it up to date."""
        port = () if (self.state_dir / "stack.json").exists() else ("--port", str(free_port()))
        self.run("-m", "tools.local", "up", "--emulator", "ministack", *port)
        return Pipeline(StackState.load(self.state_dir), self.state_dir, target, {})

    def try_run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Do the same, whatever the exit status is."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.root,
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
                "PYTHONPATH": f"{self.root}:{self.root / 'lambda_src'}",
                "STACK_DIR": str(self.state_dir),
                **variables,
            },
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )


@pytest.fixture(scope="module")
def recipes() -> dict[str, str]:
    """The diffs of CONTRIBUTING.md by the name of their recipe."""
    return dict(_DIFF.findall((ROOT / "CONTRIBUTING.md").read_text("utf-8")))


@pytest.fixture(scope="module")
def copies(target: Target) -> None:
    """Skip where no copy of the tree can be changed and started."""
    if INSIDE in target.lacks:
        pytest.skip(f"needs {INSIDE}: {target.lacks[INSIDE]}")
    if shutil.which("git") is None:
        pytest.skip("git, which applies the diffs, is not on PATH")


# The message id of a refund that came before the function knew refunds.
EARLY: list[str] = []


@pytest.fixture(scope="module")
def changed(
    copies: None, recipes: dict[str, str], target: Target, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Copy, Pipeline]]:
    """A copy of the tree whose pipeline ran before every recipe was applied, and after."""
    copy = Copy(tmp_path_factory.mktemp("recipes") / "tree")
    try:
        pipeline = copy.up(target)
        EARLY[:] = pipeline.send(event(event_type="refund", refund_id="early", event_id="early"))
        pipeline.awaited("rejected_table_name", EARLY[0])
        for diff in recipes.values():
            copy.apply(diff)
        copy.run("-m", "tools.benchmarks.docs.pages")
        yield copy, copy.up(target)
    finally:
        copy.run("-m", "tools.local", "down")


def event(**fields: Any) -> str:
    """The body of an event that occurred some time ago."""
    common = {
        "event_id": f"recipe-{uuid.uuid4()}",
        "occurred_at": "2026-01-01T00:00:00Z",
        "customer_id": "customer-1",
        "order_id": "order-1",
        "currency": "EUR",
        "amount": 12,
    }
    return json.dumps(common | fields)


def test_contributing_has_the_three_recipes(recipes: dict[str, str]) -> None:
    assert list(recipes) == ["a new event type", "a new queryable column", "a new alert type"]


def test_an_event_of_a_new_type_reaches_table_alert_archive_and_query(changed: tuple[Copy, Pipeline]) -> None:
    copy, pipeline = changed
    body = event(event_type="refund", refund_id="refund-1")
    event_id = json.loads(body)["event_id"]
    with pipeline.inbox() as inbox:
        (message_id,) = pipeline.send(body)
        item = pipeline.awaited("table_name", event_id)
        (alert,) = eventually(lambda: inbox.about(message_id), within=OUTCOME_SECONDS, what="the alert")
    assert pipeline.body_of(item) == body
    assert item["amount"] == {"N": "12"}
    assert alert["_attributes"] == {
        "alert_type": "refund_issued",
        "event_type": "refund",
        "amount": "12",
        "currency": "EUR",
    }
    assert (alert["order_id"], alert["amount"]) == ("order-1", "12")
    query = f"select event_type, amount from events where event_id = '{event_id}'"
    rows = eventually(lambda: _rows(copy, query), within=OUTCOME_SECONDS, what="the event in the archive")
    assert rows == ["refund,12.0000"]


def test_a_new_column_is_in_the_item_and_in_the_query(changed: tuple[Copy, Pipeline]) -> None:
    copy, pipeline = changed
    items = [{"sku": "sku-1", "quantity": 1, "unit_price": 12}]
    body = event(event_type="order", items=items, coupon="SPRING")
    event_id = json.loads(body)["event_id"]
    pipeline.send(body)
    assert pipeline.awaited("table_name", event_id)["coupon"] == {"S": "SPRING"}
    query = f"select coupon from events where event_id = '{event_id}'"
    assert eventually(
        lambda: _rows(copy, query), within=OUTCOME_SECONDS, what="the order in the archive"
    ) == ["SPRING"]


def test_the_producer_sends_events_of_a_new_type(changed: tuple[Copy, Pipeline]) -> None:
    copy, pipeline = changed
    arguments = ("--queue-url", pipeline.queue_url, "--count", "120", "--duplicate-ratio", "0")
    copy.run("producer/send_test_events.py", *arguments, **pipeline.state.environment())
    pipeline.drain()
    stored = copy.run("-m", "tools.ops", "events", TYPE="refund", JSON="1").splitlines()
    assert len(stored) >= 2


def test_after_an_upgrade_a_replay_brings_in_what_was_rejected(changed: tuple[Copy, Pipeline]) -> None:
    copy, pipeline = changed
    reasons = copy.run("-m", "tools.ops", "rejected", ID=EARLY[0])
    assert "must be one of order, payment, activity (contract " in reasons
    copy.run("-m", "tools.ops", "replay", REASON="refund")
    item = pipeline.awaited("table_name", "early")
    assert (item["message_id"], item["replayed"]) == ({"S": EARLY[0]}, {"BOOL": True})
    assert pipeline.item("rejected_table_name", EARLY[0]) is None
    copy.run("-m", "tools.ops", "verify")


@pytest.fixture(scope="module")
def sensors(
    copies: None, target: Target, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Copy, Pipeline]]:
    """A copy of the tree with the contract of another domain, and its pipeline."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    copy = Copy(tmp_path_factory.mktemp("sensors") / "tree")
    for name, content in _FILE.findall(text):
        (copy.root / name).write_text(content, encoding="utf-8")
    for _, diff in _CHANGE.findall(text):
        copy.apply(diff)
    copy.run("-m", "tools.benchmarks.docs.pages")
    try:
        yield copy, copy.up(target)
    finally:
        copy.run("-m", "tools.local", "down")


def test_events_of_another_domain_reach_table_alert_archive_and_query(sensors: tuple[Copy, Pipeline]) -> None:
    copy, pipeline = sensors
    common = {"customer_id": "owner-1", "occurred_at": "2026-01-01T00:00:00Z", "event_type": "reading"}
    good = json.dumps({**common, "event_id": "r-1", "sensor_id": "s-1", "value": 21.75, "unit": "C"})
    bad = json.dumps({**common, "event_id": "r-2", "sensor_id": "s-1", "value": "warm", "unit": "C"})
    with pipeline.inbox() as inbox:
        _, rejected = pipeline.send(good, bad)
        item = pipeline.awaited("table_name", "r-1")
        (alert,) = eventually(lambda: inbox.about(rejected), within=OUTCOME_SECONDS, what="the alert")
    assert (item["value"], item["unit"]) == ({"N": "21.75"}, {"S": "C"})
    assert alert["_attributes"] == {"alert_type": "invalid_event", "event_type": "reading"}
    query = "select sensor_id, value from events where event_id = 'r-1'"
    rows = eventually(lambda: _rows(copy, query), within=OUTCOME_SECONDS, what="the reading in the archive")
    assert rows == ["s-1,21.7500"]


def test_the_producer_sends_and_verify_accounts_for_events_of_another_domain(
    sensors: tuple[Copy, Pipeline],
) -> None:
    copy, pipeline = sensors
    common = {"customer_id": "owner-1", "occurred_at": "2026-01-01T00:00:00Z", "event_type": "state"}
    states = [{**common, "event_id": f"s-{n}", "sensor_id": "s-1", "state": "on"} for n in range(40)]
    file = copy.root / "events.jsonl"
    file.write_text("".join(f"{json.dumps(state)}\n" for state in states), encoding="utf-8")
    arguments = ("--queue-url", pipeline.queue_url, "--from", str(file))
    copy.run("producer/send_test_events.py", *arguments, **pipeline.state.environment())
    pipeline.drain()
    copy.run("-m", "tools.ops", "verify")
    assert len(copy.run("-m", "tools.ops", "events", TYPE="state", LIMIT="100", JSON="1").splitlines()) == 40


def _rows(copy: Copy, query: str) -> list[str]:
    # The query fails as long as nothing is archived.
    done = copy.try_run("-m", "tools.analytics", "query", Q=query, FORMAT="csv")
    return done.stdout.splitlines()[1:] if done.returncode == 0 else []
