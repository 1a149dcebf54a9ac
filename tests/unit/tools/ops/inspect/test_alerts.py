"""`make alerts` prints a line for each alert, whatever it contains."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools.core import console
from tools.core.console import Clock
from tools.core.errors import UsageError
from tools.ops.alert_queue import Notification
from tools.ops.inspect import alerts
from tools.ops.inspect.alerts import AlertFilter

LARGE = {
    "alert_type": "large_order", "message_id": "m", "order_id": "o-1", "customer_id": "c-9", "amount": "1250",
    "currency": "EUR",
}  # fmt: skip


def printed(capsys: pytest.CaptureFixture[str], message: Any, *, as_json: bool = False) -> str:
    text = message if isinstance(message, str) else json.dumps(message)
    alerts._show(Notification("2026-11-26T22:03:07.250Z", text), Clock(), as_json=as_json)
    out = capsys.readouterr().out
    return out if as_json else out.removeprefix("2026-11-26 UTC\n")


def test_a_line_has_the_time_the_type_and_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    line = printed(capsys, LARGE)
    assert line == "22:03:07  large_order        Large order: 1,250.00 EUR, order o-1, customer c-9\n"


def test_json_prints_the_alert_as_it_was_published(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(printed(capsys, LARGE, as_json=True)) == LARGE


@pytest.mark.parametrize(
    "message",
    [
        "\x1b[31mred", "one\ntwo", "[]", "\u202e", {"alert_type": "\x1b]0;t\x07\n"}, {"alert_type": ["x"]},
        {"alert_type": "large_order"}, {**LARGE, "amount": "\x1b[2J"}, {**LARGE, "amount": None},
        {**LARGE, "order_id": "\x1b[2J\n22:03:08 large_order"},
        {"alert_type": "invalid_event", "reasons": []},
        {"alert_type": "invalid_event", "reasons": {"0": 1}}, {"alert_type": "new_type", "x": "\x07"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("as_json", [True, False])
def test_no_alert_breaks_the_terminal_or_the_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, message: Any, as_json: bool
) -> None:
    # So wide that no row breaks between its fields.
    monkeypatch.setattr(console.out, "_width", 1000)
    line = printed(capsys, message, as_json=as_json)
    assert line.endswith("\n")
    assert line[:-1].isprintable()


@pytest.mark.parametrize(
    ("criteria", "policy"),
    [
        (AlertFilter(), {"alert_type": ["large_order", "invalid_event", "event_id_conflict"]}),
        (AlertFilter("batch_processed"), {"alert_type": ["batch_processed"]}),
        (
            AlertFilter("large_order", "500"),
            {"alert_type": ["large_order"], "amount": [{"numeric": [">=", 500.0]}]},
        ),
        (
            AlertFilter("large_order", "0.5 EUR"),
            {"alert_type": ["large_order"], "amount": [{"numeric": [">=", 0.5]}], "currency": ["EUR"]},
        ),
    ],
)
def test_the_topic_filters_by_what_is_asked_for(criteria: AlertFilter, policy: dict[str, Any]) -> None:
    assert criteria.policy == policy


@pytest.mark.parametrize(
    ("alert_type", "minimum", "said"),
    [
        ("large", None, "TYPE=large"), ("", None, "TYPE="), (None, "much", "MIN=much"),
        (None, "-1", "MIN=-1"),
        (None, "1e3", "MIN=1e3"), (None, "5 euro", "MIN=5 euro"), (None, "10000000000", "MIN=10000000000"),
        (None, "\u0665", "MIN="),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_named(alert_type: str | None, minimum: str | None, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        AlertFilter(alert_type, minimum)
