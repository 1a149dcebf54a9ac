"""AWS's public prices and limits. The JSON files name the date and the source."""

import json
from pathlib import Path
from typing import Any

_DIRECTORY = Path(__file__).parent
PRICE_LIST: dict[str, Any] = json.loads((_DIRECTORY / "prices.json").read_text())
LIMITS: dict[str, Any] = json.loads((_DIRECTORY / "limits.json").read_text())


def price(name: str) -> float:
    """Return a price in US dollars by its name in prices.json."""
    return float(PRICE_LIST["prices"][name]["usd"])


def limit(name: str) -> int:
    """Return a limit by its name in limits.json."""
    return int(LIMITS[name]["value"])
