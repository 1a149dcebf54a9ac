"""The dashboard shows what there is, each thing once, in the order of the terminal's panels."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from contract import EVENT_TYPES
from tests.infrastructure.configuration import resources
from tests.infrastructure.monitoring import Known, Monitoring, assert_exists, metrics_of_widget
from tools.core.paths import CONTRACT_DATA, LAMBDA_SOURCE

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
    """The panel that a widget belongs to."""
    title: str = widget["properties"]["title"]
    return title.partition(":")[0]


def test_the_panels_are_those_of_the_terminal_in_the_same_order(monitoring: Monitoring) -> None:
    assert list(dict.fromkeys(panel(widget) for widget in monitoring.widgets())) == PANELS


def test_every_panel_shows_only_metrics_that_there_are(monitoring: Monitoring, known: Known) -> None:
    for widget in monitoring.widgets():
        for metric in metrics_of_widget(widget):
            assert_exists(metric, known, monitoring)


@pytest.mark.parametrize("name", METRICS)
def test_a_panel_shows_what_it_is_for(monitoring: Monitoring, name: str) -> None:
    shown = {
        metric.name
        for widget in monitoring.widgets()
        if panel(widget) == name
        for metric in metrics_of_widget(widget)
    }
    assert shown == METRICS[name]


def test_a_new_event_type_in_the_contract_gets_a_line_of_its_own(tmp_path: Path) -> None:
    source, directory = tmp_path / "lambda_src", tmp_path / "terraform"
    for name in CONTRACT_DATA:
        (source / name).parent.mkdir(parents=True)
        shutil.copy(LAMBDA_SOURCE / name, source / name)
    schema = source / "contract" / "event.schema.json"
    content = json.loads(schema.read_text())
    content["properties"]["event_type"]["enum"].append("gift_card")
    schema.write_text(json.dumps(content))
    directory.mkdir()
    widgets = Monitoring(directory, f"-var=lambda_source={source}").widgets()
    (by_type,) = (widget for widget in widgets if widget["properties"]["title"].endswith("by type"))
    lines = {row[1]: row[-1]["label"] for row in by_type["properties"]["metrics"]}
    types = [*EVENT_TYPES, "gift_card"]
    # The processor names its metrics like this (processor/report.py).
    assert lines == {f"Stored{name.capitalize()}": name.replace("_", " ") for name in types}


def test_every_expression_speaks_of_metrics_of_its_own_panel(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        options = [row[-1] for row in widget["properties"].get("metrics", ()) if isinstance(row[-1], dict)]
        named = {ident for o in options for ident in re.findall(r"\b[a-z]\w*", o.get("expression", ""))}
        assert named == {option["id"] for option in options if "id" in option}


def test_every_figure_has_a_statistic_and_a_label(monitoring: Monitoring) -> None:
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


def test_no_widget_lies_over_another_or_beside_the_screen(monitoring: Monitoring) -> None:
    for widget in monitoring.widgets():
        assert widget["x"] + widget["width"] <= COLUMNS
    for one, other in itertools.combinations(monitoring.widgets(), 2):
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        below = one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]
        assert beside or below, f"{one['properties']['title']} and {other['properties']['title']}"
