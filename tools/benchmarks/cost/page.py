"""The generated sections of docs/cost-and-scale.md, which ``make cost`` also prints."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks.cost.archive import archive_cost
from tools.benchmarks.cost.capacity import (
    MAXIMUM_CONCURRENCY,
    concurrency,
    drain,
    limits,
    ramp_seconds,
    useful_concurrency,
)
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import (
    DESIGNS,
    ORIGINAL,
    OURS,
    break_even_kb,
    compute_cost,
    invocation_ms,
)
from tools.benchmarks.cost.prices import LIMITS, PRICE_LIST, limit
from tools.benchmarks.cost.recovery import recovery_cost
from tools.benchmarks.cost.workload import Workload
from tools.benchmarks.designs import design_title
from tools.benchmarks.tables import formatted_table

SIZES = (1, 4, 20, 200)
_CASES: dict[str, Any] = json.loads(Path(__file__).with_name("cases.json").read_text("utf-8"))
_TABLES: dict[str, Any] = json.loads(Path(__file__).with_name("tables.json").read_text("utf-8"))
_NOT_MEASURED = "Not measured yet: `make bench BENCH=footprint,handler,archive`."


def sections() -> dict[str, str]:
    """Return the generated sections by name."""
    try:
        measured = Measured.load()
    except FileNotFoundError:
        return dict.fromkeys(_SECTIONS, _NOT_MEASURED) | _constants()
    return {name: write_section(measured) for name, write_section in _SECTIONS.items()} | _constants()


def table(name: str, rows: Mapping[str, Mapping[str, Any]], corner: str = "") -> str:
    """Return one of the tables of ``tables.json``."""
    return formatted_table(_TABLES[name], rows, corner)


def _constants() -> dict[str, str]:
    """Return the tables of prices and limits with their sources."""
    prices = {entry["what"]: entry for entry in PRICE_LIST["prices"].values()}
    return {
        "prices": f"{table('prices', prices, 'price in ' + PRICE_LIST['region'])}\n\n"
        f"Read {PRICE_LIST['read']}. {PRICE_LIST['note']}",
        "constants": table("constants", {entry["what"]: entry for entry in LIMITS.values()}),
    }


def _at_rates(rates: Sequence[int]) -> dict[str, Workload]:
    """Return workloads of small and of big events at these rates, by title."""
    return {
        f"{rate:,} events/s of {kb} KB": Workload.of_size(kb, events_per_second=rate)
        for kb in (1, 200)
        for rate in rates
    }


def _costs(measured: Measured) -> str:
    """Return dollars per million events by size, design and service."""
    rows = {}
    for kb in SIZES:
        costs = {design: compute_cost(Workload.of_size(kb), design, measured) for design in DESIGNS}
        for design, cost in costs.items():
            share = cost.total / costs[ORIGINAL].total
            rows[f"{kb} KB, {design_title(design)}"] = {"cost": cost, "share": share}
    even = break_even_kb(measured)
    conclusion = (
        f"From {even} KB on this pipeline costs less than the original design."
        if even
        else "At no size up to 400 KB does this pipeline cost less than the original design."
    )
    return f"{table('costs', rows)}\n\n{conclusion}"


def _months(measured: Measured) -> str:
    """Return dollars a month at some rates."""
    rows = {
        title: {design: compute_cost(workload, design, measured).month(workload) for design in DESIGNS}
        for title, workload in _at_rates((1, 100, 10_000)).items()
    }
    return table("month", rows)


def _mixes(measured: Measured) -> str:
    """Return the effect of large, invalid, duplicate and incompressible events on the cost."""
    rows = {}
    for name, fields in _CASES["mixes"].items():
        workload = Workload(**fields) if "sizes" in fields else Workload.of_size(**fields)
        ours, original = (compute_cost(workload, design, measured) for design in (OURS, ORIGINAL))
        original_total = f"{original.total:.2f}" if original.can_store else "cannot store it"
        rows[name] = {"ours": ours, "original": original_total}
    return table("mixes", rows)


def _archive(measured: Measured) -> str:
    """Return the cost that the archive adds."""
    rows = {}
    for title, workload in _at_rates((1, 100, 1_000)).items():
        cost = archive_cost(workload, measured)
        share = cost.total / compute_cost(workload, OURS, measured).total
        rows[title] = {"cost": cost, "object_kb": cost.object_bytes / 1024, "share": share}
    return table("archive", rows)


def limits_table(workload: Workload, measured: Measured, corner: str = "") -> str:
    """Return the rate at which each limit is reached, and the remedy."""
    return table("limits", {reached.name: vars(reached) for reached in limits(workload, measured)}, corner)


def _limits(measured: Measured) -> str:
    parts = []
    for kb in (1, 200):
        workload = Workload.of_size(kb)
        parts.append(limits_table(workload, measured, f"events of {kb} KB"))
        parts.append(
            f"A table of {limit('table_writes'):,} write units a second accepts "
            f"{useful_concurrency(workload, measured):,.0f} concurrent invocations of ten events of {kb} KB. "
            "More are throttled, and their messages return."
        )
    return "\n\n".join(parts)


def _rates(measured: Measured) -> str:
    """Return the capacity that each rate needs."""
    rows = {}
    for title, workload in _at_rates((100, 1_000, 10_000, 100_000)).items():
        slots = concurrency(workload, measured)
        rows[title] = {
            "ms": invocation_ms(workload, measured),
            "slots": slots,
            "ramp": ramp_seconds(slots),
            "units": compute_cost(workload, OURS, measured).table_units * workload.events_per_second,
            "in_flight": slots * workload.mean_batch,
        }
    return table("rates", rows)


def _bursts(measured: Measured) -> str:
    """Return how long it takes to process many events that arrive at once."""
    rows = {}
    for name, case in _CASES["bursts"].items():
        workload = Workload.of_size(case["kb"])
        rate = 1000 * workload.mean_batch / invocation_ms(workload, measured)
        units = compute_cost(workload, OURS, measured).table_units
        most = case.get("maximum_concurrency", MAXIMUM_CONCURRENCY)
        if "table" in case:
            most = min(most, limit(case["table"]) / units / rate)
        seconds, peak = drain(case["events"], rate, most)
        in_flight = peak * workload.mean_batch
        rows[name] = {"seconds": seconds, "peak": peak, "in_flight": in_flight, "units": peak * rate * units}
    return table("bursts", rows)


def _recovery(measured: Measured) -> str:
    """Return the cost to restore and to verify many events."""
    rows = {
        f"{events:,} of {kb} KB": vars(recovery_cost(events, kb, measured))
        for kb in (1, 200)
        for events in (10**7, 10**8, 10**9)
    }
    return table("recovery", rows)


_SECTIONS: Mapping[str, Callable[[Measured], str]] = {
    "costs": _costs,
    "month": _months,
    "mixes": _mixes,
    "archive": _archive,
    "limits": _limits,
    "rates": _rates,
    "bursts": _bursts,
    "recovery": _recovery,
}
