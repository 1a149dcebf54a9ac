"""Write the generated sections of docs/benchmarks.md, and the charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.benchmarks import results
from tools.benchmarks.chart import format_number
from tools.benchmarks.goals import GOALS
from tools.benchmarks.tables import CHARTS, TABLES, markdown_table


def sections(directory: Path = results.DIRECTORY) -> dict[str, str]:
    """Return the generated sections by name, from the results in ``directory``."""
    return {"goals": _goals(directory), **{name: _section(name, directory) for name in TABLES}}


def write_chart(name: str, directory: Path = results.DIRECTORY) -> None:
    """Write the chart of a benchmark, if it has one, beside its results."""
    if name in CHARTS:
        svg = CHARTS[name](results.load(name, directory)["results"])
        (directory / f"{name}.svg").write_text(svg, encoding="utf-8")


def _section(name: str, directory: Path) -> str:
    document = _load(name, directory)
    if document is None:
        return f"Not measured yet: `make bench BENCH={name}`."
    tables = TABLES[name](document["results"])
    chart = f"![chart](../tools/benchmarks/results/{name}.svg)\n\n" if name in CHARTS else ""
    return f"{chart}{tables}\n\n{_describe(document)}"


def _describe(document: dict[str, Any]) -> str:
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    loads = ", ".join(f"{load:g}" for load in machine["load_before"])
    return (
        f"Measured {document['measured_at']} at commit {document['commit']} on {machine['cores']} cores of "
        f"{machine['processor']}, {machine['memory_gb']} GB, {machine['system']} (load before: {loads}); "
        f"{versions}."
    )


def _goals(directory: Path) -> str:
    rows = []
    for goal in GOALS:
        document = _load(goal.benchmark, directory)
        bound = f"{'at least' if goal.at_least else 'at most'} {format_number(goal.bound)}"
        try:
            measured = document["results"] if document else {}
            row = [format_number(goal.value(measured)), "yes" if goal.is_met(measured) else "**no**"]
        except KeyError:  # the benchmark did not run, or not in this size
            row = ["not measured", ""]
        rows.append([goal.text, bound, *row])
    return markdown_table(["", "goal", "measured", "met"], rows)


def _load(name: str, directory: Path) -> dict[str, Any] | None:
    try:
        return results.load(name, directory)
    except FileNotFoundError:
        return None
