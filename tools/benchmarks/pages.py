"""The generated sections of docs/benchmarks.md: the goals, and a table of each benchmark. Its charts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.benchmarks import load_test, results
from tools.benchmarks.chart import format_number
from tools.benchmarks.tables import CHARTS, TABLES, draw_chart, find, markdown_table

# A value is the median at a path of a benchmark's results, or the quotient of two. Of several, one counts.
GOALS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("goals.json").read_text("utf-8"))


def sections(directory: Path = results.DIRECTORY) -> dict[str, str]:
    """Return the generated sections by name, from the results in ``directory``."""
    goals = markdown_table(["", "goal", "measured", "met"], [goal_row(goal, directory) for goal in GOALS])
    return {"goals": goals, **{name: _section(name, directory) for name in TABLES}}


def write_chart(name: str, directory: Path = results.DIRECTORY) -> None:
    """Write the chart of a benchmark, if it has one, beside its results."""
    if name in CHARTS:
        svg = draw_chart(name, results.load(name, directory)["results"])
        (directory / f"{name}.svg").write_text(svg, encoding="utf-8")


def _section(name: str, directory: Path) -> str:
    try:
        document = results.load(name, directory)
    except FileNotFoundError:
        return f"Not measured yet: `make bench BENCH={name}`."
    tables = TABLES[name](document["results"])
    chart = f"![chart](../tools/benchmarks/results/{name}.svg)\n\n" if name in CHARTS else ""
    return f"{chart}{tables}\n\n{_describe(document)}"


def _describe(document: Mapping[str, Any]) -> str:
    machine = document["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    loads = ", ".join(f"{load:g}" for load in machine["load_before"])
    return (
        f"Measured {document['measured_at']} at commit {document['commit']} on {machine['cores']} cores of "
        f"{machine['processor']}, {machine['memory_gb']} GB, {machine['system']} (load before: {loads}); "
        f"{versions}."
    )


def goal_row(goal: Mapping[str, Any], directory: Path) -> list[str]:
    """Return the row of a goal: its bound, what the last results are, and whether they meet it."""
    side = "at_least" if "at_least" in goal else "at_most"
    bound = goal[side]
    try:
        value = _value(goal, results.load(goal["benchmark"], directory)["results"])
    except (FileNotFoundError, KeyError):  # the benchmark did not run, or not in this size
        row = ["not measured", ""]
    else:
        met = value >= bound if side == "at_least" else value <= bound
        row = [format_number(value), "yes" if met else "**no**"]
    return [goal["goal"], f"{side.replace('_', ' ')} {format_number(bound)}", *row]


def _value(goal: Mapping[str, Any], measured: Mapping[str, Any]) -> float:
    if measured.get("count", load_test.COUNT) < load_test.COUNT:
        raise KeyError("count")  # a shorter load test does not count
    if "value" in goal:
        return _quotient(goal["value"], measured)
    if "highest" in goal:
        return max(_quotient(path, measured) for path in goal["highest"])
    return min(_quotient(path, measured) for path in goal["lowest"])


def _quotient(paths: str, measured: Mapping[str, Any]) -> float:
    values = [find(measured, path) for path in paths.split(" / ")]
    medians = [float(value["median"] if isinstance(value, Mapping) else value) for value in values]
    return medians[0] / medians[1] if medians[1:] else medians[0]
