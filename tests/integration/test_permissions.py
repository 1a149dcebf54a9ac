"""The functions have exactly the permissions that they need.

The emulator enforces IAM, so taking one action out of the role's policy must make something fail. Two
statements it cannot judge: it polls the queue and writes the logs itself, without the role. Those are held
against AWS's documentation in tests/infrastructure.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from contract import content_hash
from tests.integration.conftest import Pipeline
from tests.integration.test_pipeline import activity, event_id, order
from tests.targets import IAM
from tests.unit.archiver.factories import record as stream_record
from tools.core.origins import Origins
from tools.core.resources import Resources
from tools.local import ministack_iam

pytestmark = pytest.mark.needs(IAM)

NOT_ENFORCED = {"ReceiveMessages", "WriteLogs"}
# Of the archiver, MiniStack reads the streams and reports failures itself, and tells everybody that an object
# is not there.
ARCHIVER_NOT_ENFORCED = {"ReadStreams", "ReportFailures", "WriteLogs", "MissPayloads"}


class Role:
    """A function's role, and the function called directly under it."""

    def __init__(self, pipeline: Pipeline, output: str) -> None:
        self.pipeline = pipeline
        self._origins = Origins(Resources.of_stack(pipeline.state_dir))
        self.function_name = pipeline.state.outputs[output]
        self._iam = pipeline.state.client("iam")
        self._lambda = pipeline.state.client("lambda")
        function = self._lambda.get_function(FunctionName=self.function_name)
        self._name = function["Configuration"]["Role"].rpartition("/")[2]
        names = self._iam.list_role_policies(RoleName=self._name)["PolicyNames"]
        (self._policy_name,) = [name for name in names if not name.endswith(ministack_iam.SUFFIX)]
        answer = self._iam.get_role_policy(RoleName=self._name, PolicyName=self._policy_name)
        self.policy: dict[str, Any] = answer["PolicyDocument"]

    def granted(self) -> set[tuple[str, str]]:
        """Return each (sid, action) of the policy."""
        return {(s["Sid"], action) for s in self.policy["Statement"] for action in _listed(s["Action"])}

    @contextmanager
    def without(self, sid: str, action: str) -> Iterator[None]:
        """Remove one action from one statement temporarily."""
        policy = json.loads(json.dumps(self.policy))
        for statement in policy["Statement"]:
            if statement["Sid"] == sid:
                statement["Action"] = [a for a in _listed(statement["Action"]) if a != action]
        policy["Statement"] = [s for s in policy["Statement"] if s["Action"]]
        self._put(policy)
        try:
            yield
        finally:
            self._put(self.policy)

    def _put(self, policy: dict[str, Any]) -> None:
        self._iam.put_role_policy(
            RoleName=self._name, PolicyName=self._policy_name, PolicyDocument=json.dumps(policy)
        )
        ministack_iam.mirror_role(self._iam, self._name)

    def process(self, body: str, message_id: str = "", origin: str | None = None) -> bool:
        """Invoke the function with one message, and return whether it kept the message."""
        signed = self._origins.attributes(origin, content_hash(body)) if origin else {}
        attributes = {name: {"stringValue": value["StringValue"]} for name, value in signed.items()}
        record = {
            "messageId": message_id or str(uuid.uuid4()),
            "body": body,
            "attributes": {"SentTimestamp": str(int(time.time() * 1000))},
            "messageAttributes": attributes,
        }
        result = json.loads(self.invoke(record)["Payload"].read())
        assert "batchItemFailures" in result, result
        return not result["batchItemFailures"]

    def archive(self, table: str, key: str) -> bool:
        """Invoke the archiver with the record of an inserted item, and return whether it succeeded."""
        item = self.pipeline.item(table, key)
        assert item is not None
        if "payload" in item:
            item["payload"] = {"B": b64encode(item["payload"]["B"]).decode()}
        name = self.pipeline.state.outputs[table]
        answer = self.invoke(stream_record(item, name))
        return "FunctionError" not in answer

    def invoke(self, record: dict[str, Any]) -> Any:
        """Invoke the function with one record."""
        return self._lambda.invoke(
            FunctionName=self.function_name, Payload=json.dumps({"Records": [record]}).encode()
        )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="module")
def role(new_stack: Callable[..., AbstractContextManager[Pipeline]]) -> Iterator[Role]:
    # A stack apart: what is taken from its role must not fail anybody else's test.
    with new_stack() as pipeline:
        yield Role(pipeline, "function_name")


@pytest.fixture(scope="module")
def archiver(role: Role) -> Role:
    return Role(role.pipeline, "archiver_function_name")


def stores_an_event(role: Role) -> bool:
    return role.process(activity())


def clears_the_mark_of_a_large_order(role: Role) -> bool:
    body = order("2000")
    role.process(body)
    return "alert_pending" not in (role.pipeline.item("table_name", event_id(body)) or {})


def rejects_an_event(role: Role) -> bool:
    return role.process("{}")


def clears_the_mark_of_a_rejected_event(role: Role) -> bool:
    message_id = str(uuid.uuid4())
    role.process("{}", message_id)
    return "alert_pending" not in (role.pipeline.item("rejected_table_name", message_id) or {})


def forgets_a_replayed_event(role: Role) -> bool:
    return role.process(activity(), origin=str(uuid.uuid4()))


def counts_a_duplicate(role: Role) -> bool:
    body = activity()
    return [role.process(body), role.process(body)] == [True, True]


def keeps_a_payload_that_does_not_fit(role: Role) -> bool:
    return role.process(activity(metadata=random.Random(1).randbytes(500_000).hex()))


def compares_with_a_payload_that_did_not_fit(role: Role) -> bool:
    body = activity(metadata=random.Random(2).randbytes(500_000).hex())
    return role.process(body) and role.process(" " + body)


def alerts(role: Role) -> bool:
    return role.process(order("2000"))


NEEDS: list[tuple[str, str, Callable[[Role], bool]]] = [
    ("StoreEvents", "dynamodb:PutItem", stores_an_event),
    ("StoreEvents", "dynamodb:UpdateItem", clears_the_mark_of_a_large_order),
    ("StoreRejected", "dynamodb:PutItem", rejects_an_event),
    ("StoreRejected", "dynamodb:UpdateItem", clears_the_mark_of_a_rejected_event),
    ("StoreRejected", "dynamodb:DeleteItem", forgets_a_replayed_event),
    ("CountDuplicates", "dynamodb:BatchWriteItem", counts_a_duplicate),
    ("StorePayloads", "s3:PutObject", keeps_a_payload_that_does_not_fit),
    ("StorePayloads", "s3:GetObject", compares_with_a_payload_that_did_not_fit),
    ("PublishAlerts", "sns:Publish", alerts),
]


def archives_an_event(archiver: Role) -> bool:
    body = activity()
    archiver.pipeline.send(body)
    archiver.pipeline.awaited("table_name", event_id(body))
    return archiver.archive("table_name", event_id(body))


def archives_a_rejected_event(archiver: Role) -> bool:
    (message_id,) = archiver.pipeline.send("{}")
    archiver.pipeline.awaited("rejected_table_name", message_id)
    return archiver.archive("rejected_table_name", message_id)


def keeps_an_unreadable_record_aside(archiver: Role) -> bool:
    answer = archiver.invoke(stream_record({"event_id": {"S": "foreign"}}, "a-table"))
    return "FunctionError" not in answer


def archives_an_event_whose_payload_did_not_fit(archiver: Role) -> bool:
    body = activity(metadata=random.Random(3).randbytes(500_000).hex())
    archiver.pipeline.send(body)
    archiver.pipeline.awaited("table_name", event_id(body))
    return archiver.archive("table_name", event_id(body))


ARCHIVER_NEEDS: list[tuple[str, str, Callable[[Role], bool]]] = [
    ("WriteArchive", "s3:PutObject", archives_an_event),
    ("WriteArchive", "s3:PutObject", archives_a_rejected_event),
    ("WriteArchive", "s3:PutObject", keeps_an_unreadable_record_aside),
    ("ReadPayloads", "s3:GetObject", archives_an_event_whose_payload_did_not_fit),
]


@pytest.mark.parametrize(
    ("sid", "action", "succeeds"), ARCHIVER_NEEDS, ids=[succeeds.__name__ for *_, succeeds in ARCHIVER_NEEDS]
)
def test_each_action_of_the_archivers_policy_is_needed(
    archiver: Role, sid: str, action: str, succeeds: Callable[[Role], bool]
) -> None:
    assert succeeds(archiver), f"even with {action} in {sid}, what it is for does not work"
    with archiver.without(sid, action):
        assert not succeeds(archiver), f"{action} in {sid} is not needed: what it is for succeeds without it"
    assert succeeds(archiver)


def test_nothing_is_granted_to_the_archiver_that_no_test_needs(archiver: Role) -> None:
    judged = {(sid, action) for sid, action in archiver.granted() if sid not in ARCHIVER_NOT_ENFORCED}
    assert judged == {(sid, action) for sid, action, _ in ARCHIVER_NEEDS}


@pytest.mark.parametrize(("sid", "action", "succeeds"), NEEDS, ids=[f"{s}:{a}" for s, a, _ in NEEDS])
def test_each_action_of_the_policy_is_needed(
    role: Role, sid: str, action: str, succeeds: Callable[[Role], bool]
) -> None:
    assert succeeds(role), f"even with {action} in {sid}, what it is for does not work"
    with role.without(sid, action):
        assert not succeeds(role), f"{action} in {sid} is not needed: what it is for succeeds without it"
    assert succeeds(role)


def test_nothing_is_granted_that_no_test_needs(role: Role) -> None:
    judged = {(sid, action) for sid, action in role.granted() if sid not in NOT_ENFORCED}
    assert judged == {(sid, action) for sid, action, _ in NEEDS}


def test_every_action_is_granted_on_this_pipelines_own_resources_only(role: Role, archiver: Role) -> None:
    for statement in (*role.policy["Statement"], *archiver.policy["Statement"]):
        for resource in _listed(statement["Resource"]):
            assert role.pipeline.name in resource, f"{statement['Sid']} reaches {resource}"
