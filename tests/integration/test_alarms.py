"""From a metric to an alarm to the people who are told, and back to OK.

The emulator makes no metrics of its own here, so that the tests put them. It evaluates an alarm whenever a
metric comes in, over all data of the alarm's window and whatever its dimensions; it does not evaluate
expressions, so that those alarms are set. What each alarm watches is held against AWS's documentation in
tests/infrastructure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.conftest import Inbox, Pipeline
from tests.targets import ALARMS
from tests.waiting import eventually

pytestmark = pytest.mark.needs(ALARMS)

# Of the function's own metrics the emulator makes none, so that nobody else's test disturbs this alarm.
RETURNED = "messages-returned"
REJECTIONS = "rejection-rate"
UNHEALTHY = "pipeline-unhealthy"


class Alarms:
    """The pipeline's alarms in CloudWatch."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._cloudwatch = pipeline.state.client("cloudwatch")
        self._prefix = f"{pipeline.name}-"

    def all(self) -> dict[str, dict[str, Any]]:
        """Every alarm by name, without what all of the pipeline's names begin with."""
        answer = self._cloudwatch.describe_alarms(
            AlarmTypes=["MetricAlarm", "CompositeAlarm"], AlarmNamePrefix=self._prefix
        )
        alarms = answer["MetricAlarms"] + answer["CompositeAlarms"]
        return {alarm["AlarmName"].removeprefix(self._prefix): alarm for alarm in alarms}

    def state(self, name: str) -> str:
        """An alarm's state."""
        return str(self.all()[name]["StateValue"])

    def set(self, name: str, state: str) -> None:
        """Put an alarm on metrics into a state until it is next evaluated."""
        self._cloudwatch.set_alarm_state(
            AlarmName=self._prefix + name, StateValue=state, StateReason="a test"
        )

    def put(self, name: str, value: float, at: datetime | None = None) -> None:
        """Put a value for the metric that an alarm watches."""
        alarm = self.all()[name]
        datum = {
            "MetricName": alarm["MetricName"],
            "Dimensions": alarm["Dimensions"],
            "Value": value,
            "Timestamp": at or datetime.now(UTC),
        }
        self._cloudwatch.put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])

    def window(self, name: str) -> timedelta:
        """How far back an alarm looks."""
        alarm = self.all()[name]
        return timedelta(seconds=alarm["Period"] * alarm["EvaluationPeriods"])


@pytest.fixture
def alarms(pipeline: Pipeline) -> Iterator[Alarms]:
    """The alarms, all of them OK, as they are left."""
    alarms = Alarms(pipeline)

    def reset() -> None:
        for name in alarms.all().keys() - {UNHEALTHY}:
            alarms.set(name, "OK")

    reset()
    yield alarms
    reset()


def told(inbox: Inbox, name: str, state: str) -> Callable[[], list[dict[str, Any]]]:
    """What came of an alarm's change to a state."""
    return lambda: [
        message
        for message in inbox.read()
        if message.get("AlarmName", "").endswith(f"-{name}") and message.get("NewStateValue") == state
    ]


def test_ops_is_told_when_an_alarm_begins_and_when_it_ends(pipeline: Pipeline, alarms: Alarms) -> None:
    with pipeline.inbox("ops_topic_arn") as inbox:
        # Old enough to leave the alarm's window in a few seconds.
        alarms.put(RETURNED, 7, at=datetime.now(UTC) - alarms.window(RETURNED) + timedelta(seconds=5))
        assert alarms.state(RETURNED) == "ALARM"
        (begun,) = eventually(told(inbox, RETURNED, "ALARM"), within=30, what="ops is told of the alarm")
        assert begun["AlarmDescription"].endswith("Runbook: docs/reliability.md#messages_returned")

        def quiet() -> bool:
            alarms.put(RETURNED, 0)
            return alarms.state(RETURNED) == "OK"

        eventually(quiet, within=60, what="the alarm ends once nothing is returned any more")
        eventually(told(inbox, RETURNED, "OK"), within=30, what="ops is told that it is over")


def test_one_alarm_makes_the_pipeline_unhealthy_and_its_end_healthy_again(
    pipeline: Pipeline, alarms: Alarms
) -> None:
    with pipeline.inbox("ops_topic_arn") as inbox:
        assert alarms.state(UNHEALTHY) == "OK"
        alarms.set(RETURNED, "ALARM")
        assert alarms.state(UNHEALTHY) == "ALARM"
        eventually(told(inbox, UNHEALTHY, "ALARM"), within=30, what="ops is told of the pipeline")
        alarms.set(RETURNED, "OK")
        assert alarms.state(UNHEALTHY) == "OK"
        eventually(told(inbox, UNHEALTHY, "OK"), within=30, what="ops is told that it is well again")


def test_business_and_ops_are_told_of_rejections_which_do_not_make_the_pipeline_unhealthy(
    pipeline: Pipeline, alarms: Alarms
) -> None:
    with pipeline.inbox("alerts_topic_arn") as business, pipeline.inbox("ops_topic_arn") as ops:
        alarms.set(REJECTIONS, "ALARM")
        eventually(told(business, REJECTIONS, "ALARM"), within=30, what="business is told")
        eventually(told(ops, REJECTIONS, "ALARM"), within=30, what="ops is told")
        assert alarms.state(UNHEALTHY) == "OK"


def test_the_dashboard_is_there(pipeline: Pipeline) -> None:
    cloudwatch = pipeline.state.client("cloudwatch")
    dashboard = cloudwatch.get_dashboard(DashboardName=f"{pipeline.name}-{pipeline.state.region}")
    assert pipeline.state.outputs["function_name"] in dashboard["DashboardBody"]
