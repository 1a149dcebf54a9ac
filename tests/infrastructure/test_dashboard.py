"""The dashboard shows existing metrics, each once, in the order of the terminal's panels."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from contract import EVENT_TYPES
from tests.infrastructure.monitoring import Known, Monitoring, assert_exists, metrics_of_widget
from tools.core.paths import ROOT, read_by_config

# The panels of `make top`, from top to bottom. A widget's title begins with the name of its panel.
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
        "QueueLatency",
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
    """Return the panel that a widget belongs to."""
    title: str = widget["properties"]["title"]
    return title.partition(":")[0]


def test_the_panels_have_the_order_of_the_terminals_panels(monitoring: Monitoring) -> None:
    assert list(dict.fromkeys(panel(widget) for widget in monitoring.widgets())) == PANELS


def test_every_panel_shows_only_metrics_that_exist(monitoring: Monitoring, known: Known) -> None:
    for widget in monitoring.widgets():
        for metric in metrics_of_widget(widget):
            assert_exists(metric, known, monitoring)


@pytest.mark.parametrize("name", METRICS)
def test_a_panel_shows_its_metrics(monitoring: Monitoring, name: str) -> None:
    names = {
        metric.name
        for widget in monitoring.widgets()
        if panel(widget) == name
        for metric in metrics_of_widget(widget)
    }
    assert names == METRICS[name]


def test_a_new_event_type_in_the_contract_gets_its_own_line(tmp_path: Path) -> None:
    directory = tmp_path / "terraform"
    for source in read_by_config():
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, copy)
    schema = tmp_path / "lambda_src" / "contract" / "event.schema.json"
    content = json.loads(schema.read_text())
    content["properties"]["event_type"]["enum"].append("gift_card")
    schema.write_text(json.dumps(content))
    directory.mkdir()
    widgets = Monitoring(directory, f"-var=checkout={tmp_path}").widgets()
    (by_type,) = (widget for widget in widgets if widget["properties"]["title"].endswith("by type"))
    lines = {row[1]: row[-1]["label"] for row in by_type["properties"]["metrics"]}
    types = [*EVENT_TYPES, "gift_card"]
    # processor/report.py names its metrics by the same rule.
    assert lines == {f"Stored{name.capitalize()}": name.replace("_", " ") for name in types}


def test_every_expression_uses_the_metrics_of_its_own_widget(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        options = [row[-1] for row in widget["properties"].get("metrics", ()) if isinstance(row[-1], dict)]
        used = {ident for o in options for ident in re.findall(r"\b[a-z]\w*", o.get("expression", ""))}
        assert used == {option["id"] for option in options if "id" in option}


def test_every_metric_has_a_statistic_and_a_label(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        for row in widget["properties"].get("metrics", ()):
            options = row[-1]
            assert "expression" in options or "stat" in options or "stat" in widget["properties"]
            assert "label" in options or options["visible"] is False


def test_the_alarm_widget_contains_every_alarm(monitoring: Monitoring) -> None:
    (widget,) = (widget for widget in monitoring.widgets() if widget["type"] == "alarm")
    alarms = [f"aws_cloudwatch_metric_alarm.{name}.arn" for name in monitoring.alarms()]
    assert sorted(widget["properties"]["alarms"]) == sorted(
        ["aws_cloudwatch_composite_alarm.pipeline_unhealthy.arn", *alarms]
    )


def test_every_graph_uses_the_pipelines_region(monitoring: Monitoring) -> None:
    regions = {w["properties"]["region"] for w in monitoring.widgets() if w["type"] == "metric"}
    assert regions == {"us-east-1"}


def test_no_widget_overlaps_another_or_exceeds_the_width(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        assert widget["x"] + widget["width"] <= COLUMNS
    for one, other in itertools.combinations(monitoring.widgets(), 2):
        is_beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        is_below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert is_beside or is_below, f"{one['properties']['title']} and {other['properties']['title']}"
