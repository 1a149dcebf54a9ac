"""The function's configuration is checked at cold start."""

from __future__ import annotations

import pytest

from common.settings import SettingsError
from processor.settings import Settings

COMPLETE = {
    "EVENTS_TABLE": "events",
    "REJECTED_TABLE": "rejected",
    "DUPLICATES_TABLE": "duplicates",
    "PAYLOAD_BUCKET": "payloads",
    "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:alerts",
    "LARGE_ORDER_THRESHOLD": "1000",
    "BATCH_SUMMARY_ALERTS": "true",
    "FUNCTION_TIMEOUT_SECONDS": "30",
    "REJECTED_RETENTION_DAYS": "90",
    "DUPLICATES_RETENTION_DAYS": "30",
    "ORIGIN_KEY": "key",
}


@pytest.mark.parametrize("missing", COMPLETE)
def test_a_missing_setting_is_named(missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        Settings.read({name: value for name, value in COMPLETE.items() if name != missing})


def test_a_threshold_that_is_no_number_is_named() -> None:
    with pytest.raises(SettingsError, match="LARGE_ORDER_THRESHOLD"):
        Settings.read({**COMPLETE, "LARGE_ORDER_THRESHOLD": "a lot"})


def test_complete_settings_are_typed() -> None:
    settings = Settings.read(COMPLETE)
    assert (settings.function_timeout, settings.batch_summary_alerts) == (30.0, True)
