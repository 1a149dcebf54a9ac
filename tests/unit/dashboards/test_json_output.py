from __future__ import annotations

import json

from dashboards.json_output import to_json_data
from tests.unit.dashboards.builders import all_absent, all_failed, nothing_yet, state


def test_the_names_of_values_contain_their_units() -> None:
    panels = to_json_data(state())["panels"]
    assert panels["queue"]["figures"] == {
        "visible": 10,
        "in_flight": 0,
        "delayed": 0,
        "dead_letters": 0,
        "oldest_seconds_at_most": None,
        "in_per_second": 110,
        "out_per_second": 120,
        "drained_in_seconds": 1,
    }
    assert panels["throughput"]["figures"]["latency_p95_ms"] == 2400
    assert panels["dynamodb"]["figures"]["stored_order_in_900_seconds"] == 80


def test_an_absent_value_is_null_with_its_reason() -> None:
    queue = to_json_data(state())["panels"]["queue"]
    assert queue["absent"] == {"oldest_seconds_at_most": "never seen empty"}
    function = to_json_data(state())["panels"]["lambda"]
    assert function["figures"]["throttles_in_900_seconds"] is None
    assert function["absent"] == {"throttles_in_900_seconds": "not logged"}


def test_if_no_value_is_available_only_the_queue_has_numbers() -> None:
    panels = to_json_data(all_absent())["panels"]
    del panels["queue"]
    assert [
        value for panel in panels.values() for value in panel["figures"].values() if value is not None
    ] == []


def test_a_panel_contains_its_error_and_its_age() -> None:
    queue = to_json_data(all_failed("SQS does not answer", with_values=True))["panels"]["queue"]
    assert (queue["problem"], queue["age_seconds"]) == ("SQS does not answer", 75)


def test_a_source_without_an_answer_is_a_problem() -> None:
    assert {panel["problem"] for panel in to_json_data(nothing_yet())["panels"].values()} == {"no answer yet"}


def test_alerts_and_alarms_are_listed_with_their_times() -> None:
    panels = to_json_data(state())["panels"]
    assert panels["alerts"]["newest"][0] == {
        "at": "2026-11-23T02:13:18.000Z",
        "kind": "large order",
        "what": "1,000.01 EUR",
        "event_id": "16ef6b01a43b5d41c42b0da3731d54b7",
    }
    assert panels["alarms"]["alarms"][1] == {
        "name": "function-errors",
        "state": "ALARM",
        "since": "2026-11-23T02:12:15.000Z",
    }


def test_the_data_can_be_encoded_as_json() -> None:
    assert json.loads(json.dumps(to_json_data(all_absent())))["name"] == "rt-pipeline-local"
