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
def changed(
    recipes: dict[str, str], target: Target, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Copy, Pipeline]]:
    """A copy of the tree with every recipe applied, and its pipeline."""
    if INSIDE in target.lacks:
        pytest.skip(f"needs {INSIDE}: {target.lacks[INSIDE]}")
    if shutil.which("git") is None:
        pytest.skip("git, which applies the diffs, is not on PATH")
    copy = Copy(tmp_path_factory.mktemp("recipes") / "tree")
    for diff in recipes.values():
        copy.apply(diff)
    copy.run("-m", "tools.analytics.views")
    try:
        copy.run("-m", "tools.local", "up", "--emulator", "ministack", "--port", str(free_port()))
        yield copy, Pipeline(StackState.load(copy.state_dir), copy.state_dir, target, {})
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
    assert alert["_attributes"] == {"alert_type": "refund_issued", "event_type": "refund"}
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


def _rows(copy: Copy, query: str) -> list[str]:
    # The query fails as long as nothing is archived.
    done = copy.try_run("-m", "tools.analytics", "query", Q=query, FORMAT="csv")
    return done.stdout.splitlines()[1:] if done.returncode == 0 else []
