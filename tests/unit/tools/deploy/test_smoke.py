"""Run the smoke test against tables that a test fills."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

import contract
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.state import ENVIRONMENT_OUTPUTS
from tools.deploy.smoke import PREFIX, Smoke

TABLES = {"events": "event_id", "rejected": "message_id", "duplicates": "message_id"}


class Aws:
    """A fake SQS that passes each message to a function, and a fake DynamoDB for its items."""

    def __init__(self, *broken: str) -> None:
        self.broken = broken
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.sent: list[str] = []

    def send_message(self, **message: str) -> dict[str, str]:
        message_id = f"message-{len(self.sent)}"
        self.sent.append(message["MessageBody"])
        event = json.loads(message["MessageBody"])
        if "currency" not in event:
            self._store("rejected", message_id, {"kind": {"S": "invalid_event"}})
        elif ("events", event["event_id"]) in self.items:
            self._store("duplicates", message_id, {})
        else:
            self._store("events", event["event_id"], {"large_order": {"BOOL": event["amount"] > 1000}})
        return {"MessageId": message_id}

    def _store(self, table: str, key: str, item: dict[str, Any]) -> None:
        if table in self.broken:
            return
        if "alerts" in self.broken:
            item["alert_pending"] = {"S": "x"}
        self.items[table, key] = item

    def get_item(self, **request: Any) -> dict[str, Any]:
        item = self.items.get(_place(request))
        return {} if item is None else {"Item": item}

    def delete_item(self, **request: Any) -> None:
        self.items.pop(_place(request), None)

    def resources(self) -> Resources:
        names: dict[str, Any] = dict.fromkeys(ENVIRONMENT_OUTPUTS.values(), "")
        tables = {"table_name": "events", "rejected_table_name": "rejected"}
        names |= {**tables, "duplicates_table_name": "duplicates"}
        return Resources(**names, region="us-east-1", clients={"sqs": self, "dynamodb": self})


def _place(request: dict[str, Any]) -> tuple[str, str]:
    table = request["TableName"]
    return table, request["Key"][TABLES[table]]["S"]


def test_a_working_pipeline_passes_and_is_left_empty() -> None:
    aws = Aws()
    Smoke(aws.resources(), "1000").test(seconds=0)
    assert len(aws.sent) == 4
    assert aws.items == {}


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("events", "a valid event is not stored"),
        ("duplicates", "its copy is not counted"),
        ("rejected", "an invalid event is not rejected"),
        ("alerts", "the alert of a large order is not published"),
    ],
)
def test_a_missing_outcome_is_named_and_the_events_are_removed(broken: str, said: str) -> None:
    aws = Aws(broken)
    with pytest.raises(ToolError, match=said):
        Smoke(aws.resources(), "1000").test(seconds=0)
    assert aws.items == {}


def test_its_events_match_their_names_and_carry_its_prefix() -> None:
    bodies = Smoke(Aws().resources(), "1000").bodies()
    now = datetime.now(UTC)
    valid = {name: not list(contract.read(body, now)[1]) for name, body in bodies.items()}
    assert valid == {"valid": True, "copy": True, "large": True, "invalid": False}
    assert bodies["valid"] == bodies["copy"]
    assert all(json.loads(body)["customer_id"].startswith(PREFIX) for body in bodies.values())


def test_its_large_order_exceeds_any_threshold() -> None:
    amount = json.loads(Smoke(Aws().resources(), "2500000.50").bodies()["large"])["amount"]
    assert contract.is_large_order(
        {"event_type": "order", "amount": Decimal(str(amount))}, Decimal("2500000.50")
    )


def test_two_runs_never_share_an_event() -> None:
    resources = Aws().resources()
    assert Smoke(resources, "1000").run != Smoke(resources, "1000").run
