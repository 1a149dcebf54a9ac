"""The states of the alarms, from CloudWatch."""

from __future__ import annotations

from typing import Any

from dashboards.collect.runner import Seen
from dashboards.state import Alarm
from dashboards.target import Target


class Alarms:
    """Reads every alarm, composite ones too, whose name begins with the pipeline's."""

    reading = "alarms"
    source = "CloudWatch"
    thing = "the alarms"

    def __init__(self, target: Target, every: float) -> None:
        self.every = every
        self._cloudwatch = target.clients["cloudwatch"]
        self._prefix = f"{target.name}-"

    def collect(self) -> Seen:
        """Ask for the alarms."""
        pages = self._cloudwatch.get_paginator("describe_alarms").paginate(
            AlarmNamePrefix=self._prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found = [
            self._alarm(alarm)
            for page in pages
            for kind in ("CompositeAlarms", "MetricAlarms")
            for alarm in page.get(kind, [])
        ]
        return Seen(tuple(sorted(found, key=lambda alarm: alarm.name)))

    def _alarm(self, described: dict[str, Any]) -> Alarm:
        # When it came into its state; StateUpdatedTimestamp also moves when only the reason changes.
        since = described.get("StateTransitionedTimestamp") or described.get("StateUpdatedTimestamp")
        return Alarm(
            described["AlarmName"].removeprefix(self._prefix),
            described.get("StateValue") or "INSUFFICIENT_DATA",
            since.timestamp() if since else None,
        )
