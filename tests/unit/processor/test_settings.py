"""The function's configuration is checked at cold start."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from common import telemetry
from common.settings import SettingsError
from processor.settings import Settings
from tests.unit.processor.conftest import ENVIRONMENT

COMPLETE = {name: value for name, value in ENVIRONMENT.items() if not name.startswith("AWS_")}


@pytest.mark.parametrize("missing", COMPLETE)
def test_a_missing_setting_is_named(missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        Settings.read({name: value for name, value in COMPLETE.items() if name != missing})


def test_a_threshold_that_is_no_number_is_named() -> None:
    with pytest.raises(SettingsError, match="LARGE_ORDER_THRESHOLD"):
        Settings.read({**COMPLETE, "LARGE_ORDER_THRESHOLD": "a lot"})


def test_complete_settings_are_typed() -> None:
    settings = Settings.read({**COMPLETE, "BATCH_SUMMARY_ALERTS": "true"})
    assert (settings.function_timeout, settings.batch_summary_alerts) == (30.0, True)


@pytest.mark.parametrize(
    ("level", "logged"), [("INFO", [0, 1, 2]), ("WARNING", [1, 2]), ("ERROR", [2])], ids=lambda v: str(v)
)
def test_lines_below_the_log_level_are_left_out_but_metrics_are_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: str, logged: list[int]
) -> None:
    levels = ("INFO", "WARNING", "ERROR")
    monkeypatch.setattr(telemetry, "_LOGGED", levels[levels.index(level) :])
    for n, name in enumerate(levels):
        telemetry.log(name, "said", n=n)
    telemetry.metrics("counted", datetime.now(UTC), {"Received": 7}, events=["e1"])
    *lines, counted = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["n"] for line in lines] == logged
    assert counted["Received"] == 7
    assert ("events" in counted) == (level == "INFO")
