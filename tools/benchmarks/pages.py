"""The generated parts of docs/benchmarks.md, and the charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.benchmarks import results
from tools.benchmarks.goals import GOALS
from tools.benchmarks.tables import CHARTS, TABLES, table


def sections(directory: Path = results.DIRECTORY) -> dict[str, str]:
    """Each generated part by its name, from the results in ``directory``."""
    found = {name: _section(name, directory) for name in TABLES}
    return {"goals": _goals(directory), **found}


def write_chart(name: str, directory: Path = results.DIRECTORY) -> None:
    """Draw the chart of a benchmark, if it has one, beside its results."""
    if name in CHARTS:
        svg = CHARTS[name](results.load(name, directory)["results"])
        (directory / f"{name}.svg").write_text(svg, encoding="utf-8")


def _section(name: str, directory: Path) -> str:
    document = _load(name, directory)
    if document is None:
        return f"Not measured yet: `make bench BENCH={name}`."
    shown = TABLES[name](document["results"])
    chart = f"![chart](../benchmarks/results/{name}.svg)\n\n" if name in CHARTS else ""
    return f"{chart}{shown}\n\n{_where(document)}"


def _where(document: dict[str, Any]) -> str:
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    load = ", ".join(f"{one:g}" for one in machine["load_before"])
    return (
        f"Measured {document['measured_at']} at commit {document['commit']} on {machine['cores']} cores of "
        f"{machine['processor']}, {machine['memory_gb']} GB, {machine['system']} (load before: {load}); "
        f"{versions}."
    )


def _goals(directory: Path) -> str:
    rows = []
    for goal in GOALS:
        document = _load(goal.benchmark, directory)
        bound = f"{'at least' if goal.at_least else 'at most'} {goal.bound:.3g}"
        try:
            measured = document["results"] if document else {}
            row = [f"{goal.figure(measured):.3g}", "yes" if goal.met(measured) else "**no**"]
        except KeyError:  # not run yet, or not at this size
            row = ["not measured", ""]
        rows.append([goal.text, bound, *row])
    return table(["", "goal", "measured", "met"], rows)


def _load(name: str, directory: Path) -> dict[str, Any] | None:
    try:
        return results.load(name, directory)
    except FileNotFoundError:
        return None
