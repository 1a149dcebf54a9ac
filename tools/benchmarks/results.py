"""Store benchmark results as JSON in ``tools/benchmarks/results``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.core.paths import ROOT

DIRECTORY = ROOT / "tools" / "benchmarks" / "results"


def save(
    name: str, measured: dict[str, Any], environment: dict[str, Any], directory: Path = DIRECTORY
) -> Path:
    """Write the results of a benchmark, with the time and the environment (`environment.describe`)."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    document = {
        "benchmark": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        **environment,
        "results": measured,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def load(name: str, directory: Path = DIRECTORY) -> dict[str, Any]:
    """Return what `save` wrote. Raises FileNotFoundError if the benchmark has never run."""
    document: dict[str, Any] = json.loads((directory / f"{name}.json").read_text())
    return document
