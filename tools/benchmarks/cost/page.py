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
    SERVICES,
    break_even_kb,
    compute_cost,
    invocation_ms,
)
from tools.benchmarks.cost.prices import LIMITS, PRICE_LIST, limit
from tools.benchmarks.cost.recovery import recovery_cost
from tools.benchmarks.cost.workload import Workload
from tools.benchmarks.designs import design_title
from tools.benchmarks.tables import markdown_table

SIZES = (1, 4, 20, 200)
_CASES: dict[str, Any] = json.loads(Path(__file__).with_name("cases.json").read_text("utf-8"))
_NOT_MEASURED = "Not measured yet: `make bench BENCH=footprint,handler,archive`."


def sections() -> dict[str, str]:
    """Return the generated sections by name."""
    try:
        measured = Measured.load()
    except FileNotFoundError:
        return dict.fromkeys(_SECTIONS, _NOT_MEASURED) | _constants()
    return {name: write_section(measured) for name, write_section in _SECTIONS.items()} | _constants()


def _constants() -> dict[str, str]:
    """Return the tables of prices and limits with their sources."""
    prices = [
        [entry["what"], f"${entry['usd']:.10g}", entry["source"]] for entry in PRICE_LIST["prices"].values()
    ]
    limits_rows = [[entry["what"], f"{entry['value']:,}", entry["source"]] for entry in LIMITS.values()]
    return {
        "prices": f"{markdown_table(['price in ' + PRICE_LIST['region'], 'USD', 'source'], prices)}\n\n"
        f"Read {PRICE_LIST['read']}. {PRICE_LIST['note']}",
        "constants": markdown_table(["limit", "", "source"], limits_rows),
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
    rows = []
    for kb in SIZES:
        workload = Workload.of_size(kb)
        base = compute_cost(workload, ORIGINAL, measured).total
        for design in DESIGNS:
            result = compute_cost(workload, design, measured)
            rows.append(
                [
                    f"{kb} KB, {design_title(design)}",
                    *(f"{result.per_million[service]:.2f}" for service in SERVICES),
                    f"**{result.total:.2f}**",
                    f"{100 * result.total / base:.0f}%",
                    f"{result.keep_month:.2f}",
                ]
            )
    head = ["USD per million events", *SERVICES, "total", "of the original", "to keep for a month"]
    even = break_even_kb(measured)
    conclusion = (
        f"From {even} KB on this pipeline costs less than the original design."
        if even
        else "At no size up to 400 KB does this pipeline cost less than the original design."
    )
    return f"{markdown_table(head, rows)}\n\n{conclusion}"


def _months(measured: Measured) -> str:
    """Return dollars a month at some rates."""
    rows = [
        [
            title,
            *(f"{compute_cost(workload, design, measured).month(workload):,.0f}" for design in DESIGNS),
        ]
        for title, workload in _at_rates((1, 100, 10_000)).items()
    ]
    return markdown_table(["USD a month to process", *map(design_title, DESIGNS)], rows)


def _mixes(measured: Measured) -> str:
    """Return the effect of large, invalid, duplicate and incompressible events on the cost."""
    rows = []
    for name, fields in _CASES["mixes"].items():
        workload = Workload(**fields) if "sizes" in fields else Workload.of_size(**fields)
        ours, original = (compute_cost(workload, design, measured) for design in (OURS, ORIGINAL))
        original_total = f"{original.total:.2f}" if original.can_store else "cannot store it"
        rows.append([name, f"{ours.write_units:.1f}", f"{ours.total:.2f}", original_total])
    head = ["USD per million events", "our write units per event", "this pipeline", "original design"]
    return markdown_table(head, rows)


def _archive(measured: Measured) -> str:
    """Return the cost that the archive adds."""
    rows = []
    for title, workload in _at_rates((1, 100, 1_000)).items():
        result = archive_cost(workload, measured)
        rows.append(
            [
                title,
                f"{result.batch:,.0f}",
                f"{result.object_bytes / 1024:,.0f} KB",
                f"{result.lambda_:.2f}",
                f"{result.puts:.2f}",
                f"**{result.total:.2f}**",
                f"{100 * result.total / compute_cost(workload, OURS, measured).total:.0f}%",
                f"{result.keep:.2f}",
                f"{result.read:.4f}",
            ]
        )
    head = ["USD per million events", "events in a batch", "an object", "Lambda", "S3 PUTs", "total"]
    head += ["on top of the pipeline's", "to keep for three years", "a query of them all"]
    return markdown_table(head, rows)


def limits_table(corner: str, workload: Workload, measured: Measured) -> str:
    """Return the rate at which each limit is reached, and the remedy."""
    rows = [
        [reached.name, f"{reached.events_per_second:,.0f}", reached.change]
        for reached in limits(workload, measured)
    ]
    return markdown_table([corner, "reached at events/s", "what to change"], rows)


def _limits(measured: Measured) -> str:
    parts = []
    for kb in (1, 200):
        workload = Workload.of_size(kb)
        parts.append(limits_table(f"events of {kb} KB", workload, measured))
        parts.append(
            f"A table of {limit('table_writes'):,} write units a second accepts "
            f"{useful_concurrency(workload, measured):,.0f} concurrent invocations of ten events of {kb} KB. "
            "More are throttled, and their messages return."
        )
    return "\n\n".join(parts)


def _rates(measured: Measured) -> str:
    """Return the capacity that each rate needs."""
    rows = []
    for title, workload in _at_rates((100, 1_000, 10_000, 100_000)).items():
        slots = concurrency(workload, measured)
        units = compute_cost(workload, OURS, measured).table_units * workload.events_per_second
        rows.append(
            [
                title,
                f"{invocation_ms(workload, measured):,.0f} ms",
                f"{slots:,.0f}",
                f"{ramp_seconds(slots):,.0f} s",
                f"{units:,.0f}",
                f"{slots * workload.mean_batch:,.0f}",
            ]
        )
    head = ["", "invocation", "concurrency", "ramp to it", "write units/s of the table", "in flight"]
    return markdown_table(head, rows)


def _bursts(measured: Measured) -> str:
    """Return how long it takes to process many events that arrive at once."""
    rows = []
    for name, case in _CASES["bursts"].items():
        workload = Workload.of_size(case["kb"])
        rate = 1000 * workload.mean_batch / invocation_ms(workload, measured)
        units = compute_cost(workload, OURS, measured).table_units
        most = case.get("maximum_concurrency", MAXIMUM_CONCURRENCY)
        if "table" in case:
            most = min(most, limit(case["table"]) / units / rate)
        seconds, peak = drain(case["events"], rate, most)
        numbers = (peak, peak * workload.mean_batch, peak * rate * units)
        rows.append([name, f"{seconds:,.0f} s", *(f"{number:,.0f}" for number in numbers)])
    head = ["burst", "drained after", "concurrency", "in flight", "write units/s at the peak"]
    return markdown_table(head, rows)


def _recovery(measured: Measured) -> str:
    """Return the cost to restore and to verify many events."""
    rows = []
    for kb in (1, 200):
        for events in (10**7, 10**8, 10**9):
            cost = recovery_cost(events, kb, measured)
            sizes = [f"{events:,} of {kb} KB", f"{cost.table_gb:,.0f} GB", f"{cost.restore_hours:,.1f} h"]
            rows.append(sizes + [f"{getattr(cost, name):,.2f}" for name in _DOLLARS])
    return markdown_table(["events", "table", "`make restore` at least", *_DOLLARS.values()], rows)


# The fields of `RecoveryCost` in dollars.
_DOLLARS = {
    "restore": "USD: `make restore`",
    "point_in_time": "point-in-time recovery",
    "point_in_time_month": "to have it for a month",
    "backup_month": "a backup for a month",
    "verify": "`make verify ALL=1`",
    "export": "exports and Athena",
}


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
