"""``python -m tools.benchmarks.cost``: print all tables, or the cost of a workload (KB, RATE, LARGE, ...)."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from tools.benchmarks.cost import page
from tools.benchmarks.cost.archive import archive_cost
from tools.benchmarks.cost.capacity import limits
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import DESIGNS, compute_cost
from tools.benchmarks.cost.workload import Workload
from tools.benchmarks.designs import design_title
from tools.core.errors import is_on
from tools.core.program import start

# Environment variables and the fields of Workload that they set.
_FIELDS = {
    "RATE": "events_per_second",
    "LARGE": "large",
    "INVALID": "invalid",
    "DUPLICATES": "duplicates",
    "INCOMPRESSIBLE": "incompressible",
    "BATCH": "batch",
}


def main(environment: Mapping[str, str]) -> int:
    """Print costs and limits. Return the exit status."""
    try:
        measured = Measured.load()
    except FileNotFoundError:
        sys.stderr.write("There are no measurements yet. Type: make bench BENCH=footprint,handler,archive\n")
        return 1
    as_json = is_on(environment, "JSON")
    if not (as_json or environment.get("KB") or any(environment.get(name) for name in _FIELDS)):
        print("\n\n".join(page.sections().values()))
        return 0
    try:
        workload = _workload(environment)
    except ValueError as error:
        sys.stderr.write(f"{error}\nFor example: make cost RATE=500 KB=1:0.8,200:0.2 INVALID=0.01\n")
        return 2
    print(json.dumps(_document(workload, measured)) if as_json else _format_workload(workload, measured))
    return 0


def _workload(environment: Mapping[str, str]) -> Workload:
    sizes = []
    for part in (environment.get("KB") or "1").split(","):
        kb, _, share = part.partition(":")
        sizes.append((_number("KB", kb), _number("KB", share or "1")))
    fields = {
        field: _number(name, environment[name]) for name, field in _FIELDS.items() if environment.get(name)
    }
    return Workload(sizes=tuple(sizes), **fields)  # type: ignore[arg-type] # none of these fields is an int


def _document(workload: Workload, measured: Measured) -> dict[str, Any]:
    """Return the costs in dollars and the limits in events a second, of a workload or of the default one."""
    costs = {design: compute_cost(workload, design, measured) for design in DESIGNS}
    return {
        "workload": vars(workload),
        "designs": {
            design: {
                "per_million": cost.per_million,
                "total_per_million": cost.total,
                "month": cost.month(workload) if cost.can_store else None,
            }
            for design, cost in costs.items()
        },
        "archive_per_million": vars(archive_cost(workload, measured)),
        "limits": [vars(limit) for limit in limits(workload, measured)],
    }


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name}= has {text!r}, which is not a number.") from None


def _format_workload(workload: Workload, measured: Measured) -> str:
    rows = {}
    for design in DESIGNS:
        cost = compute_cost(workload, design, measured)
        month = f"{cost.month(workload):,.2f}" if cost.can_store else "cannot store all of it"
        rows[design_title(design)] = {"cost": cost, "month": month}
    archived = archive_cost(workload, measured)
    archive = (
        f"The archive adds {archived.total:.2f} for a million events, {archived.keep:.2f} to keep them for "
        f"three years, and {archived.read:.4f} for an Athena query that reads all of them."
    )
    costs = page.table("workload", rows).replace("$rate", f"{workload.events_per_second:g}")
    return "\n\n".join([costs, archive, page.limits_table(workload, measured)])


if __name__ == "__main__":
    start(lambda: main(os.environ))
