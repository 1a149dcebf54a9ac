from __future__ import annotations

import pytest

from tools.core.console import plural


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
