from __future__ import annotations

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


def test_no_command_prints_in_yellow_which_cannot_be_read_on_white() -> None:
    code = [path for room in ("producer", "dashboards", "tools") for path in (ROOT / room).rglob("*.py")]
    assert len(code) > 200
    assert not [path for path in code if '"yellow' in path.read_text("utf-8")]
