"""Read the states of the alarms from CloudWatch."""

from __future__ import annotations

from typing import Any

from dashboards.collect.runner import CollectResult
from dashboards.state import Alarm
from dashboards.target import Target


class Alarms:
    """Reads every metric and composite alarm whose name begins with the pipeline's name."""

    reading = "alarms"
    source = "CloudWatch"
    resource = "the alarms"

    def __init__(self, target: Target, interval: float) -> None:
        self.interval = interval
        self._cloudwatch = target.clients["cloudwatch"]
        self._prefix = f"{target.name}-"

    def collect(self) -> CollectResult:
        """Read the alarms, sorted by name."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=self._prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        alarms = [
            self._to_alarm(description)
            for page in pages
            for kind in ("CompositeAlarms", "MetricAlarms")
            for description in page.get(kind, [])
        ]
        return CollectResult(tuple(sorted(alarms, key=lambda alarm: alarm.name)))

    def _to_alarm(self, description: dict[str, Any]) -> Alarm:
        # StateUpdatedTimestamp also changes when only the reason of the state changes.
        since = description.get("StateTransitionedTimestamp") or description.get("StateUpdatedTimestamp")
        return Alarm(
            description["AlarmName"].removeprefix(self._prefix),
            description.get("StateValue") or "INSUFFICIENT_DATA",
            since.timestamp() if since else None,
        )
