from __future__ import annotations

import re

import pytest

from tools.core.console import plural
from tools.core.paths import ROOT


@pytest.mark.parametrize(
    ("count", "noun", "expected"),
    [
        (1, "event", "1 event"),
        (0, "event", "0 events"),
        (1000, "event", "1,000 events"),
        (2, "copy", "2 copies"),
        (2, "discrepancy", "2 discrepancies"),
        (2, "batch", "2 batches"),
    ],
)
def test_a_count_has_the_singular_or_plural_of_its_noun(count: int, noun: str, expected: str) -> None:
    assert plural(count, noun) == expected


def test_text_has_no_style_that_cannot_be_read_on_white_or_on_solarized() -> None:
    code = [path for room in ("producer", "dashboards", "tools") for path in (ROOT / room).rglob("*.py")]
    assert len(code) > 200
    faint = re.compile('"(?:bold )?(?:dim|yellow|green|cyan|bright_black)"')
    # Bars and borders have these colours.
    bars = ("queue_panel.py", "activity_panels.py", "screen.py")
    assert {path.name for path in code if faint.search(path.read_text("utf-8"))} == {*bars}
