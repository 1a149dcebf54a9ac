"""Count the alerts of a demo."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tools.ops.alert_queue import AlertQueue


@dataclass
class AlertCounts:
    """The alerts of one run. ``by_type`` counts each message once, ``repeated`` counts further alerts."""

    by_type: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    _counted: set[tuple[str, str]] = field(default_factory=set)

    def add(self, alert: dict[str, Any], message_ids: set[str]) -> None:
        """Count an alert if it is about one of these messages."""
        kind = str(alert.get("alert_type", ""))
        if kind == "batch_processed":
            self.by_type[kind] += any(each in message_ids for each in alert.get("message_ids", []))
            return
        message_id = str(alert.get("message_id", ""))
        if message_id not in message_ids:
            return
        if (kind, message_id) in self._counted:
            self.repeated += 1
        else:
            self._counted.add((kind, message_id))
            self.by_type[kind] += 1


def count(
    queue: AlertQueue, message_ids: set[str], expected: Counter[str], *, idle_timeout: float
) -> AlertCounts:
    """Count the alerts about these messages until the expected ones have arrived.

    Gives up when no alert has arrived for ``idle_timeout`` seconds.
    """
    counts = AlertCounts()
    last = time.monotonic()
    while True:
        notifications = queue.receive()
        for notification in notifications:
            counts.add(notification.alert or {}, message_ids)
        if notifications:
            last = time.monotonic()
            continue
        # An empty receive waits a second, so that the summary of the last batch is counted too.
        complete = all(counts.by_type[kind] >= count for kind, count in expected.items())
        if complete or time.monotonic() - last >= idle_timeout:
            return counts
