"""The smoke test: send a few events through the deployed pipeline, check them, and remove them.

Subscribers of the alerts get one large order and one rejection, with ids that begin with ``smoke-``.
"""

import json
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.tables import get_item

# Covers the cold start of a new version, and a queue with other messages.
SECONDS = 120.0
_POLL_SECONDS = 0.3
PREFIX = "smoke-"

Check = Callable[[], str | None]


class Smoke:
    """One run of the test, with its events and messages."""

    def __init__(self, resources: Resources, large_order_threshold: str) -> None:
        self.run = f"{PREFIX}{secrets.token_hex(6)}"
        self._resources = resources
        self._large_amount = float(large_order_threshold) + 1
        self._dynamodb = resources.client("dynamodb")
        self._messages: dict[str, str] = {}

    def test(self, seconds: float = SECONDS) -> None:
        """Send the events, wait until each has its expected outcome, and remove them.

        Raises ToolError with the missing outcomes after ``seconds``.
        """
        try:
            self._send()
            self._wait(seconds)
        finally:
            self._remove()

    def bodies(self) -> dict[str, str]:
        """Return the message bodies by name."""
        valid = self._order("valid", 20)
        invalid = {key: value for key, value in self._order("invalid", 20).items() if key != "currency"}
        bodies = {
            "valid": valid,
            "copy": valid,
            "large": self._order("large", self._large_amount),
            "invalid": invalid,
        }
        return {name: json.dumps(body) for name, body in bodies.items()}

    def _order(self, name: str, amount: float) -> dict[str, Any]:
        return {
            "event_id": f"{self.run}-{name}",
            "event_type": "order",
            "occurred_at": datetime.now(UTC).isoformat(),
            "customer_id": self.run,
            "order_id": f"{self.run}-{name}",
            "currency": "EUR",
            "amount": amount,
            "items": [{"sku": "smoke-test", "quantity": 1, "unit_price": amount}],
        }

    def _send(self) -> None:
        # Single messages, because an emulator requires another permission for a batch.
        sqs, url = self._resources.client("sqs"), self._resources.queue_url
        for name, body in self.bodies().items():
            self._messages[name] = sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        pending: list[Check] = [self._valid, self._copy, self._large, self._invalid]
        while True:
            missing = [(check, problem) for check in pending if (problem := check())]
            if not missing:
                return
            if time.monotonic() > deadline:
                raise ToolError(
                    f"The smoke test failed: after {seconds:.0f} s, "
                    + "; ".join(problem for _, problem in missing),
                )
            pending = [check for check, _ in missing]
            time.sleep(_POLL_SECONDS)

    def _valid(self) -> str | None:
        return None if self._event("valid") else "a valid event is not stored"

    def _copy(self) -> str | None:
        table = self._resources.duplicates_table_name
        # Either of two equal messages may be the stored one.
        rows = [self._item(table, "message_id", self._messages[name]) for name in ("valid", "copy")]
        return None if any(row is not None for row in rows) else "its copy is not counted as a duplicate"

    def _large(self) -> str | None:
        item = self._event("large")
        if item is None:
            return "a large order is not stored"
        if not item.get("large_order", {}).get("BOOL"):
            return "a large order is stored as an ordinary one"
        return "the alert of a large order is not published" if "alert_pending" in item else None

    def _invalid(self) -> str | None:
        item = self._item(self._resources.rejected_table_name, "message_id", self._messages["invalid"])
        if item is None:
            return "an invalid event is not rejected"
        return "the alert of a rejection is not published" if "alert_pending" in item else None

    def _event(self, name: str) -> dict[str, Any] | None:
        return self._item(self._resources.table_name, "event_id", f"{self.run}-{name}")

    def _item(self, table: str, key: str, value: str) -> dict[str, Any] | None:
        return get_item(self._dynamodb, table, key, value)

    def _remove(self) -> None:
        events = [f"{self.run}-{name}" for name in self.bodies()]
        tables = {
            self._resources.table_name: ("event_id", events),
            self._resources.duplicates_table_name: ("message_id", list(self._messages.values())),
            self._resources.rejected_table_name: ("message_id", list(self._messages.values())),
        }
        for table, (key, values) in tables.items():
            for value in values:
                self._dynamodb.delete_item(TableName=table, Key={key: {"S": value}})
