"""Write the generated sections of docs/cost-and-scale.md, which ``make cost`` also prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from tools.benchmarks.cost.archive import archive_cost
from tools.benchmarks.cost.burst import Scaling, simulate_burst
from tools.benchmarks.cost.capacity import (
    MAXIMUM_CONCURRENCY,
    concurrency,
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
RATES = (100, 1_000, 10_000, 100_000)
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


def _costs(measured: Measured) -> str:
    """Return dollars per million events by size, design and service."""
    rows = []
    for kb in SIZES:
        workload = Workload(sizes=((kb, 1.0),))
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
            f"{rate:,} events/s of {kb} KB",
            *(
                f"{compute_cost(workload, design, measured).month(workload):,.0f}"
                for design in DESIGNS
                for workload in [Workload(events_per_second=rate, sizes=((kb, 1.0),))]
            ),
        ]
        for kb in (1, 200)
        for rate in (1, 100, 10_000)
    ]
    return markdown_table(["USD a month to process", *(design_title(design) for design in DESIGNS)], rows)


def _mixes(measured: Measured) -> str:
    """Return the effect of large, invalid, duplicate and incompressible events on the cost."""
    big = Workload(sizes=((200, 1.0),))
    small = Workload()
    cases = {
        "1 KB": small,
        "1 KB, batches of 1 (a quiet queue)": replace(small, batch=1),
        "1 KB, 10% large orders": replace(small, large=0.1),
        "1 KB, 5% invalid": replace(small, invalid=0.05),
        "1 KB, 5% duplicates": replace(small, duplicates=0.05),
        "200 KB": big,
        "200 KB, 10% large orders": replace(big, large=0.1),
        "200 KB, 5% invalid": replace(big, invalid=0.05),
        "200 KB, none compressible": replace(big, incompressible=1.0),
        "1,000 KB": replace(big, sizes=((1000, 1.0),)),
        "1,000 KB, none compressible (claim checks in S3)": replace(
            big, sizes=((1000, 1.0),), incompressible=1.0
        ),
        "60% 1 KB, 30% 20 KB, 10% 200 KB": replace(big, sizes=((1, 0.6), (20, 0.3), (200, 0.1))),
    }
    rows = []
    for name, workload in cases.items():
        ours, original = (compute_cost(workload, design, measured) for design in (OURS, ORIGINAL))
        original_total = f"{original.total:.2f}" if original.can_store else "cannot store it"
        rows.append([name, f"{ours.write_units:.1f}", f"{ours.total:.2f}", original_total])
    head = ["USD per million events", "our write units per event", "this pipeline", "original design"]
    return markdown_table(head, rows)


def _archive(measured: Measured) -> str:
    """Return the cost that the archive adds."""
    rows = []
    for kb in (1, 200):
        for rate in (1, 100, 1_000):
            workload = Workload(events_per_second=rate, sizes=((kb, 1.0),))
            result = archive_cost(workload, measured)
            rows.append(
                [
                    f"{rate:,} events/s of {kb} KB",
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
    return markdown_table(
        [*head, "on top of the pipeline's", "to keep for three years", "a query of them all"],
        rows,
    )


def _limits(measured: Measured) -> str:
    """Return the rate at which each limit is reached."""
    parts = []
    for kb in (1, 200):
        rows = [
            [reached.name, f"{reached.events_per_second:,.0f}", reached.change]
            for reached in limits(Workload(sizes=((kb, 1.0),)), measured)
        ]
        parts.append(markdown_table([f"events of {kb} KB", "reached at events/s", "what to change"], rows))
        useful = useful_concurrency(Workload(sizes=((kb, 1.0),)), measured)
        parts.append(
            f"A table of {limit('table_writes'):,} write units a second accepts {useful:,.0f} "
            f"concurrent invocations of ten events of {kb} KB. More are throttled, and their messages return."
        )
    return "\n\n".join(parts)


def _rates(measured: Measured) -> str:
    """Return the capacity that each rate needs."""
    rows = []
    for kb in (1, 200):
        for rate in RATES:
            workload = Workload(events_per_second=rate, sizes=((kb, 1.0),))
            slots = concurrency(workload, measured)
            units = compute_cost(workload, OURS, measured).table_units * rate
            rows.append(
                [
                    f"{rate:,} events/s of {kb} KB",
                    f"{invocation_ms(workload, measured):,.0f} ms",
                    f"{slots:,.0f}",
                    f"{ramp_seconds(slots):,.0f} s",
                    f"{units:,.0f}",
                    f"{slots * workload.batch_of(kb):,.0f}",
                ]
            )
    head = ["", "invocation", "concurrency", "ramp to it", "write units/s of the table", "in flight"]
    return markdown_table(head, rows)


def _bursts(measured: Measured) -> str:
    """Return simulated bursts."""
    small, big = Workload(), Workload(sizes=((200, 1.0),))
    shipped, raised = Scaling.standard(MAXIMUM_CONCURRENCY), Scaling.standard(1_000)
    cases: list[tuple[str, float, int, Workload, Scaling, float]] = [
        ("26,000 of 200 KB at once, as shipped", 26_000, 1, big, shipped, inf),
        *(
            (f"the same, a table of {limit(name):,} write units", 26_000, 1, big, shipped, limit(name))
            for name in ("table_writes", "new_table_writes")
        ),
        ("1,000,000 of 1 KB at once, as shipped", 1_000_000, 1, small, shipped, inf),
        ("the same, `maximum_concurrency` 1,000", 1_000_000, 1, small, raised, inf),
        ("10,000/s of 1 KB for 10 minutes, as shipped", 10_000, 600, small, shipped, inf),
        ("the same, `maximum_concurrency` 1,000", 10_000, 600, small, raised, inf),
        ("100,000/s of 1 KB for 10 minutes, 1,000", 100_000, 600, small, raised, inf),
        ("the same, 150 provisioned pollers", 100_000, 600, small, Scaling.provisioned(150), inf),
    ]
    rows = []
    for name, rate, seconds, workload, scaling, table_units in cases:
        batch = workload.batch_of(workload.sizes[0][0])
        units = compute_cost(workload, OURS, measured).table_units
        invocation_seconds = invocation_ms(workload, measured) / 1000
        result = simulate_burst(
            rate, seconds, scaling, batch, invocation_seconds, write_limit=table_units / units
        )
        rows.append(
            [
                name,
                f"{result.drained_after:,} s",
                f"{result.longest_wait:,} s",
                f"{result.peak_concurrency:,.0f}",
                f"{result.peak_concurrency * batch:,.0f}",
                f"{result.peak_rate * units:,.0f}",
            ]
        )
    head = ["burst", "drained after", "longest wait", "concurrency", "in flight", "write units/s at the peak"]
    return markdown_table(head, rows)


def _recovery(measured: Measured) -> str:
    """Return the cost to restore and to verify many events."""
    rows = []
    for kb in (1, 200):
        for events in (10**7, 10**8, 10**9):
            cost = recovery_cost(events, kb, measured)
            dollars = (
                *(cost.restore, cost.point_in_time, cost.point_in_time_month, cost.backup_month),
                *(cost.verify, cost.export),
            )
            rows.append(
                [
                    f"{events:,} of {kb} KB",
                    f"{cost.table_gb:,.0f} GB",
                    f"{cost.restore_hours:,.1f} h",
                    *(f"{each:,.2f}" for each in dollars),
                ]
            )
    head = ["events", "table", "`make restore` at least", "USD: `make restore`", "point-in-time recovery"]
    head += ["to have it for a month", "a backup for a month", "`make verify ALL=1`", "exports and Athena"]
    return markdown_table(head, rows)


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
