"""The dashboard shows existing metrics once each, in the order of the terminal's panels."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from tests.infrastructure.configuration import resources
from tests.infrastructure.monitoring import Known, Monitoring, assert_exists, metrics_of_widget

# The panels of `make top`, from above to below. A widget's title begins with the panel that it belongs to.
PANELS = ["Queue", "Throughput", "Lambda", "DynamoDB", "Alerts", "Alarms"]
METRICS = {
    "Queue": {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
        "ApproximateAgeOfOldestMessage",
        "NumberOfMessagesSent",
        "NumberOfMessagesDeleted",
    },
    "Throughput": {
        "Received",
        "Stored",
        "Duplicates",
        "Redelivered",
        "Rejected",
        "Returned",
        "IngestLatency",
    },
    "Lambda": {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
    "DynamoDB": {
        "ConsumedWriteCapacityUnits",
        "WriteThrottleEvents",
        "StoredOrder",
        "StoredPayment",
        "StoredActivity",
    },
    "Alerts": {"LargeOrders", "Rejected"},
}
COLUMNS = 24


def panel(widget: dict[str, Any]) -> str:
    """Return the panel of a widget."""
    title: str = widget["properties"]["title"]
    return title.partition(":")[0]


def test_the_panels_are_those_of_the_terminal_in_the_same_order(monitoring: Monitoring) -> None:
    assert list(dict.fromkeys(panel(widget) for widget in monitoring.widgets())) == PANELS


def test_every_panel_shows_only_existing_metrics(monitoring: Monitoring, known: Known) -> None:
    for widget in monitoring.widgets():
        for metric in metrics_of_widget(widget):
            assert_exists(metric, known, monitoring)


@pytest.mark.parametrize("name", METRICS)
def test_a_panel_shows_its_metrics(monitoring: Monitoring, name: str) -> None:
    shown = {
        metric.name
        for widget in monitoring.widgets()
        if panel(widget) == name
        for metric in metrics_of_widget(widget)
    }
    assert shown == METRICS[name]


def test_every_expression_uses_metrics_of_its_own_panel(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        options = [row[-1] for row in widget["properties"].get("metrics", ()) if isinstance(row[-1], dict)]
        named = {ident for o in options for ident in re.findall(r"\b[a-z]\w*", o.get("expression", ""))}
        assert named == {option["id"] for option in options if "id" in option}


def test_every_value_has_a_statistic_and_a_label(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        for row in widget["properties"].get("metrics", ()):
            options = row[-1]
            assert "expression" in options or "stat" in options or "stat" in widget["properties"]
            assert "label" in options or options["visible"] is False


def test_the_states_of_all_alarms_are_shown(monitoring: Monitoring) -> None:
    (widget,) = (widget for widget in monitoring.widgets() if widget["type"] == "alarm")
    assert sorted(widget["properties"]["alarms"]) == sorted(
        f"{type_}.{name}.arn"
        for type_ in ("aws_cloudwatch_metric_alarm", "aws_cloudwatch_composite_alarm")
        for name in resources(type_)
    )


def test_every_graph_is_of_the_pipelines_region(monitoring: Monitoring) -> None:
    regions = {w["properties"]["region"] for w in monitoring.widgets() if w["type"] == "metric"}
    assert regions == {"us-east-1"}


def test_no_widget_overlaps_another_or_exceeds_the_screen(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        assert widget["x"] + widget["width"] <= COLUMNS
    for one, other in itertools.combinations(monitoring.widgets(), 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or below, f"{one['properties']['title']} and {other['properties']['title']}"
