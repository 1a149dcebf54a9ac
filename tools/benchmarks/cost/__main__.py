"""``python -m tools.benchmarks.cost``: the tables, or with KB, RATE, LARGE, ... the cost of a workload of one's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from tools.benchmarks.cost import page
from tools.benchmarks.cost.archive import archive_cost
from tools.benchmarks.cost.capacity import limits
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import DESIGNS, SERVICES, cost
from tools.benchmarks.cost.workload import Workload
from tools.benchmarks.designs import by_name
from tools.benchmarks.tables import table

# How each variable reads, and the field that it sets.
_VARIABLES = {
    "RATE": "events_per_second",
    "LARGE": "large",
    "INVALID": "invalid",
    "DUPLICATES": "duplicates",
    "INCOMPRESSIBLE": "incompressible",
}


def main(environment: Mapping[str, str]) -> int:
    """Print costs and limits. Returns the exit status."""
    try:
        measured = Measured.load()
    except FileNotFoundError:
        sys.stderr.write("Nothing is measured yet. First: make bench BENCH=footprint,handler,archive\n")
        return 1
    if not environment.get("KB") and not any(environment.get(name) for name in _VARIABLES):
        print("\n\n".join(page.sections().values()))
        return 0
    try:
        workload = _workload(environment)
    except ValueError as error:
        sys.stderr.write(f"{error}\nFor example: make cost RATE=500 KB=1:0.8,200:0.2 INVALID=0.01\n")
        return 2
    print(_one(workload, measured))
    return 0


def _workload(environment: Mapping[str, str]) -> Workload:
    sizes = []
    for part in (environment.get("KB") or "1").split(","):
        kb, _, share = part.partition(":")
        sizes.append((float(kb), float(share or 1)))
    given = {field: float(environment[name]) for name, field in _VARIABLES.items() if environment.get(name)}
    return Workload(sizes=tuple(sizes), **given)  # type: ignore[arg-type] # none of these fields is an int


def _one(workload: Workload, measured: Measured) -> str:
    rows = []
    for design in DESIGNS:
        found = cost(workload, design, measured)
        dollars = [f"{found.per_million[service]:.2f}" for service in SERVICES]
        month = f"{found.month(workload):,.2f}" if found.stores else "cannot store all of it"
        rows.append([by_name(design).title, *dollars, f"{found.total:.2f}", month])
    head = ["USD per million events", *SERVICES, "total", f"a month at {workload.events_per_second:g}/s"]
    first = [[one.name, f"{one.events_per_second:,.0f}", one.change] for one in limits(workload, measured)]
    archived = archive_cost(workload, measured)
    archive = (
        f"The archive adds {archived.total:.2f} for a million events, {archived.keep:.2f} to keep them for "
        f"three years, and {archived.read:.4f} for a query of Athena's that reads them all."
    )
    return f"{table(head, rows)}\n\n{archive}\n\n{table(['limit', 'suffices to events/s', 'then'], first)}"


if __name__ == "__main__":
    sys.exit(main(os.environ))
