"""The function may do exactly what it does: every action granted is needed, every action it takes is granted.

The emulator enforces IAM, so taking one action out of the role's policy must make something fail. Two
statements it cannot judge: it polls the queue and writes the logs itself, without the role. Those are held
against AWS's documentation in tests/infrastructure.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from stack import publish_batch
from tests.integration.conftest import Pipeline
from tests.integration.test_pipeline import activity, event_id, order
from tests.targets import IAM

pytestmark = pytest.mark.needs(IAM)

NOT_ENFORCED = {"ReceiveMessages", "WriteLogs"}


class Role:
    """The function's role, and the function called directly under it."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self._iam = pipeline.state.client("iam")
        self._lambda = pipeline.state.client("lambda")
        function = self._lambda.get_function(FunctionName=pipeline.state.outputs["function_name"])
        self._name = function["Configuration"]["Role"].rpartition("/")[2]
        names = self._iam.list_role_policies(RoleName=self._name)["PolicyNames"]
        (self._policy_name,) = [name for name in names if not name.endswith(publish_batch.SUFFIX)]
        answer = self._iam.get_role_policy(RoleName=self._name, PolicyName=self._policy_name)
        self.policy: dict[str, Any] = answer["PolicyDocument"]

    def granted(self) -> set[tuple[str, str]]:
        """Every (sid, action) of the policy."""
        return {(s["Sid"], action) for s in self.policy["Statement"] for action in _listed(s["Action"])}

    @contextmanager
    def without(self, sid: str, action: str) -> Iterator[None]:
        """Take one action out of one statement for a while."""
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
        publish_batch.mirror_role(self._iam, self._name)

    def process(self, body: str, message_id: str = "", origin: str | None = None) -> bool:
        """Invoke the function with one message; whether it kept the message rather than hand it back."""
        attributes = {"origin_message_id": {"stringValue": origin, "dataType": "String"}} if origin else {}
        record = {
            "messageId": message_id or str(uuid.uuid4()),
            "body": body,
            "attributes": {"SentTimestamp": str(int(time.time() * 1000))},
            "messageAttributes": attributes,
        }
        answer = self._lambda.invoke(
            FunctionName=self.pipeline.state.outputs["function_name"],
            Payload=json.dumps({"Records": [record]}).encode(),
        )
        result = json.loads(answer["Payload"].read())
        assert "batchItemFailures" in result, result
        return not result["batchItemFailures"]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="module")
def role(new_stack: Callable[..., AbstractContextManager[Pipeline]]) -> Iterator[Role]:
    # A stack apart: what is taken from its role must not fail anybody else's test.
    with new_stack() as pipeline:
        yield Role(pipeline)


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


@pytest.mark.parametrize(("sid", "action", "works"), NEEDS, ids=[f"{s}:{a}" for s, a, _ in NEEDS])
def test_each_action_of_the_policy_is_needed(
    role: Role, sid: str, action: str, works: Callable[[Role], bool]
) -> None:
    assert works(role), f"even with {action} in {sid}, what it is for does not work"
    with role.without(sid, action):
        assert not works(role), f"{action} in {sid} is not needed: what it is for works without it"
    assert works(role)


def test_nothing_is_granted_that_no_test_needs(role: Role) -> None:
    judged = {(sid, action) for sid, action in role.granted() if sid not in NOT_ENFORCED}
    assert judged == {(sid, action) for sid, action, _ in NEEDS}


def test_every_action_is_granted_on_this_pipelines_own_resources_only(role: Role) -> None:
    for statement in role.policy["Statement"]:
        for resource in _listed(statement["Resource"]):
            assert role.pipeline.name in resource, f"{statement['Sid']} reaches {resource}"
