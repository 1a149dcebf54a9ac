"""What was measured, kept in ``tools/benchmarks/results`` as JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.core.paths import ROOT

DIRECTORY = ROOT / "tools" / "benchmarks" / "results"


def save(name: str, measured: dict[str, Any], where: dict[str, Any], directory: Path = DIRECTORY) -> Path:
    """Write a benchmark's results, with where (`surroundings.describe`) and when they were measured."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    document = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **where,
        "results": measured,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def load(name: str, directory: Path = DIRECTORY) -> dict[str, Any]:
    """What `save` wrote. Raises FileNotFoundError for a benchmark that was not run yet."""
    document: dict[str, Any] = json.loads((directory / f"{name}.json").read_text())
    return document
