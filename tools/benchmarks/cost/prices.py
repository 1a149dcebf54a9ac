"""Prices and limits, as AWS publishes them; the files say when and where they were read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
PRICE_LIST: dict[str, Any] = json.loads((_HERE / "prices.json").read_text())
LIMITS: dict[str, Any] = json.loads((_HERE / "limits.json").read_text())


def usd(name: str) -> float:
    """A price in US dollars, by its name in prices.json, which says what it is the price of."""
    return float(PRICE_LIST["prices"][name]["usd"])


def limit(name: str) -> int:
    """A limit, by its name in limits.json, which says what it limits."""
    return int(LIMITS[name]["value"])
