from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from producer.errors import ProducerError
from producer.options import Options, exact

URL = "http://127.0.0.1:4566/000000000000/events"


def options(**given: Any) -> Options:
    return Options(**{"queue_url": URL, "count": 10, **given})


@pytest.mark.parametrize(
    "given",
    [
        {"queue_url": "events"},
        {"queue_url": "ftp://host/queue"},
        {"queue_url": "http://127.0.0.1:4566"},
        {"queue_url": "http://127.0.0.1:99999/0/q"},
        {"queue_url": "http://[::1/0/q"},
        {"endpoint_url": "localhost:4566"},
        {"count": 0},
        {"sessions": -1},
        {"sessions": 10, "invalid_ratio": 1},
        {"profile": "weekend"},
        {"refused": "maybe"},
        {"batch_size": 0},
        {"batch_size": 11},
        {"target_kb": 0.5},
        {"target_kb": 1025},
        {"target_kb": -1},
        {"target_kb": float("nan")},
        {"target_kb": float("inf")},
        {"rate": -1},
        {"rate": float("nan")},
        {"rate": float("inf")},
        {"seed": -1},
        {"invalid_ratio": 1.5},
        {"large_ratio": -0.1},
        {"duplicate_ratio": 2},
        {"duplicate_ratio": 1},
        {"duplicate_ratio": 0.5, "invalid_ratio": 0.5},
    ],
)
def test_the_error_for_an_invalid_option_names_it(given: dict[str, Any]) -> None:
    name = next(iter(given)).replace("_", "-")
    with pytest.raises(ProducerError, match=f"--{name}"):
        options(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"batch_size": 1},
        {"target_kb": 1},
        {"target_kb": 1024},
        {"rate": 0.5},
        {"seed": 0},
        {"invalid_ratio": 1},
        {"invalid_ratio": 0.5, "duplicate_ratio": 0.49},
        {"endpoint_url": "https://localhost.localstack.cloud:4566"},
    ],
)
def test_values_at_the_limits_are_accepted(given: dict[str, Any]) -> None:
    options(**given)


def test_a_ratio_is_exact_and_not_the_nearest_float() -> None:
    assert exact(0.05) == Fraction(1, 20)
    assert exact(Fraction(1, 3)) == Fraction(1, 3)


def test_a_kb_is_1024_bytes() -> None:
    assert options(target_kb=200).target_bytes == 204_800
