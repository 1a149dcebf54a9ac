"""A stack of an earlier release is upgraded in place: nothing that holds data is replaced or destroyed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import Pipeline
from tests.targets import INSIDE, Target
from tools.core.paths import ROOT
from tools.deploy import plan
from tools.local import terraform

STATE = ROOT / "tests" / "data" / "v1" / "state.json"
Planned = dict[str, plan.Change]
SUBSCRIPTION, MAIL = "aws_sns_topic_subscription", "a@b.example"
ALARM = "aws_cloudwatch_metric_alarm"
MOVED = {
    f"{ALARM}.dead_letters": f'{ALARM}.pipeline["dead_letters"]',
    f"{ALARM}.archive_failures[0]": f'{ALARM}.pipeline["archive_failures"]',
    "aws_s3_bucket_public_access_block.payloads": 'aws_s3_bucket_public_access_block.each["payloads"]',
    "aws_sqs_queue_policy.events[0]": 'aws_sqs_queue_policy.each["events"]',
    "aws_sns_topic_policy.ops": 'aws_sns_topic_policy.each["ops"]',
}


class Upgrade:
    """Plans today's config over the state of an earlier release."""

    def __init__(self, pipeline: Pipeline, directory: Path) -> None:
        state = pipeline.state
        self._run = terraform._prepare(pipeline.state_dir, state.endpoint, state.region, lambda _: None)
        self._directory = directory

    def changes(
        self, state: dict[str, Any], types: Collection[str] = plan.HOLDS_DATA, **variables: object
    ) -> Planned:
        """Return the planned changes of resources of these types, by address."""
        before, planned = self._directory / "state.json", self._directory / "plan"
        before.write_text(json.dumps(state))
        # Without a refresh: the emulator has none of these resources.
        options = ("-refresh=false", "-input=false", f"-state={before}", f"-out={planned}")
        self._terraform("plan", *options, *terraform._arguments(variables))
        shown = json.loads(self._terraform("show", "-json", str(planned)))
        return {change.address: change for change in plan.changes(shown) if change.type in types}

    def _terraform(self, *arguments: str) -> str:
        done = subprocess.run(
            [self._run.terraform.command, *arguments],
            cwd=self._run.workdir,
            env=self._run.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def upgrade(target: Target, pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> Upgrade:
    if INSIDE in target.lacks:
        pytest.skip(f"needs {INSIDE}: {target.lacks[INSIDE]}")
    made = Upgrade(pipeline, tmp_path_factory.mktemp("upgrade"))
    if made._run.offline is None:
        pytest.skip("the state was written by the AWS provider of the wheel, and this run has another")
    return made


@pytest.fixture
def state() -> dict[str, Any]:
    """The state that release 1.0.0 (commit c13bb37) left: its tables, buckets and queues."""
    read: dict[str, Any] = json.loads(STATE.read_text("utf-8"))
    return read


@pytest.fixture(scope="module")
def changes(upgrade: Upgrade) -> Planned:
    """What today's config changes in that state, with a subscription by mail and each resource that moved."""
    before: dict[str, Any] = json.loads(STATE.read_text("utf-8"))
    topic = "arn:aws:sns:us-east-1:000000000000:rt-pipeline-local-alerts"
    subscribed = {"id": f"{topic}:1", "arn": f"{topic}:1", "topic_arn": topic, "protocol": "email"}
    resources = {f'{SUBSCRIPTION}.alert_emails["{MAIL}"]': subscribed | {"endpoint": MAIL}}
    for address, attributes in (resources | {old: {"id": "its-id"} for old in MOVED}).items():
        type_, name = address.partition("[")[0].split(".")
        instance: dict[str, Any] = {
            "schema_version": 1 if type_ == ALARM else 0,
            "attributes": attributes,
        }
        if "[" in address:
            instance["index_key"] = json.loads(address.partition("[")[2].removesuffix("]"))
        provider = before["resources"][0]["provider"]
        entry = {"mode": "managed", "type": type_, "name": name, "provider": provider}
        before["resources"].append(entry | {"instances": [instance]})
    types = {*plan.HOLDS_DATA, *(address.partition(".")[0] for address in resources | MOVED)}
    return upgrade.changes(before, types, refuse_plain_http=True, alert_emails=[MAIL])


def addresses(state: dict[str, Any]) -> set[str]:
    return {
        f"{resource['type']}.{resource['name']}"
        + (f"[{instance['index_key']}]" if "index_key" in instance else "")
        for resource in state["resources"]
        for instance in resource["instances"]
    }


def test_nothing_of_release_1_that_holds_data_is_replaced_or_destroyed(
    changes: Planned, state: dict[str, Any]
) -> None:
    holding = {address: change for address, change in changes.items() if change.type in plan.HOLDS_DATA}
    assert [change for change in holding.values() if change.loses_data] == []
    # Each of them is the same resource for today's config, and not one that it creates beside it.
    created = {address for address, change in holding.items() if change.kind == plan.ADDED}
    assert len(addresses(state)) == 8
    assert created & addresses(state) == set()


def test_a_plan_that_replaces_a_table_is_noticed(upgrade: Upgrade, state: dict[str, Any]) -> None:
    (table,) = (r for r in state["resources"] if (r["type"], r["name"]) == ("aws_dynamodb_table", "events"))
    table["instances"][0]["attributes"]["hash_key"] = "message_id"
    assert upgrade.changes(state)["aws_dynamodb_table.events"].loses_data


@pytest.mark.parametrize(("old", "new"), MOVED.items())
def test_what_has_another_address_since_is_moved_there(changes: Planned, old: str, new: str) -> None:
    made_or_lost = {at for at, change in changes.items() if change.kind in (plan.ADDED, plan.DESTROYED)}
    assert made_or_lost  # other resources of these types are new
    assert not {old, new} & made_or_lost


def test_nobody_who_gets_mails_since_release_1_has_to_confirm_again(changes: Planned) -> None:
    # The topics are new in this state, so that only their ARNs, which no test knows, may replace anything.
    subscriptions = [address for address, change in changes.items() if change.type == SUBSCRIPTION]
    assert subscriptions == [f'{SUBSCRIPTION}.alerts["{MAIL}"]']
