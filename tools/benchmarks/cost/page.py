"""The generated parts of docs/cost-and-scale.md, which `python -m tools.benchmarks.cost` prints as well."""

from __future__ import annotations

from dataclasses import replace

from tools.benchmarks.cost.archive import archive_cost
from tools.benchmarks.cost.capacity import concurrency, limits, ramp_seconds, useful_concurrency
from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import DESIGNS, ORIGINAL, OURS, SERVICES, break_even_kb, cost, duration_ms
from tools.benchmarks.cost.prices import LIMITS, PRICE_LIST, limit
from tools.benchmarks.cost.simulation import Scaling, simulate
from tools.benchmarks.cost.workload import Workload
from tools.benchmarks.designs import by_name
from tools.benchmarks.tables import table

SIZES = (1, 4, 20, 200)
RATES = (100, 1_000, 10_000, 100_000)
_NOT_MEASURED = "Not measured yet: `make bench BENCH=footprint,handler,archive`."


def sections() -> dict[str, str]:
    """Each generated part by its name."""
    try:
        measured = Measured.load()
    except FileNotFoundError:
        return (
            dict.fromkeys(("costs", "month", "mixes", "archive", "limits", "rates", "bursts"), _NOT_MEASURED)
            | constants()
        )
    return {
        "costs": costs(measured),
        "month": months(measured),
        "mixes": mixes(measured),
        "archive": archive(measured),
        "limits": first_limits(measured),
        "rates": rates(measured),
        "bursts": bursts(measured),
        **constants(),
    }


def constants() -> dict[str, str]:
    """Prices and limits with their sources."""
    prices = [[one["what"], f"${one['usd']:.10g}", one["source"]] for one in PRICE_LIST["prices"].values()]
    known = [[one["what"], f"{one['value']:,}", one["source"]] for one in LIMITS.values()]
    return {
        "prices": f"{table(['price in ' + PRICE_LIST['region'], 'USD', 'source'], prices)}\n\n"
        f"Read {PRICE_LIST['read']}. {PRICE_LIST['note']}",
        "constants": table(["limit", "", "source"], known),
    }


def costs(measured: Measured) -> str:
    """Dollars per million events, by size, design and service."""
    rows = []
    for kb in SIZES:
        workload = Workload(sizes=((kb, 1.0),))
        base = cost(workload, ORIGINAL, measured).total
        for design in DESIGNS:
            found = cost(workload, design, measured)
            rows.append(
                [
                    f"{kb} KB, {by_name(design).title}",
                    *(f"{found.per_million[service]:.2f}" for service in SERVICES),
                    f"**{found.total:.2f}**",
                    f"{100 * found.total / base:.0f}%",
                    f"{found.keep_month:.2f}",
                ]
            )
    head = ["USD per million events", *SERVICES, "total", "of the original", "to keep for a month"]
    even = break_even_kb(measured)
    last = (
        f"From {even} KB on this pipeline costs less than the original design."
        if even
        else "At no size up to 400 KB does this pipeline cost less than the original design."
    )
    return f"{table(head, rows)}\n\n{last}"


def months(measured: Measured) -> str:
    """Dollars a month at some rates."""
    rows = [
        [
            f"{rate:,} events/s of {kb} KB",
            *(
                f"{cost(workload, design, measured).month(workload):,.0f}"
                for design in DESIGNS
                for workload in [Workload(events_per_second=rate, sizes=((kb, 1.0),))]
            ),
        ]
        for kb in (1, 200)
        for rate in (1, 100, 10_000)
    ]
    return table(["USD a month to process", *(by_name(design).title for design in DESIGNS)], rows)


def mixes(measured: Measured) -> str:
    """How the shares of large, invalid, duplicate and incompressible events move the cost."""
    plain = Workload(sizes=((200, 1.0),))
    small = Workload()
    cases = {
        "1 KB": small,
        "1 KB, batches of 1 (a quiet queue)": replace(small, batch=1),
        "1 KB, 10% large orders": replace(small, large=0.1),
        "1 KB, 5% invalid": replace(small, invalid=0.05),
        "1 KB, 5% duplicates": replace(small, duplicates=0.05),
        "200 KB": plain,
        "200 KB, 10% large orders": replace(plain, large=0.1),
        "200 KB, 5% invalid": replace(plain, invalid=0.05),
        "200 KB, none compressible": replace(plain, incompressible=1.0),
        "1,000 KB": replace(plain, sizes=((1000, 1.0),)),
        "1,000 KB, none compressible (claim checks in S3)": replace(
            plain, sizes=((1000, 1.0),), incompressible=1.0
        ),
        "60% 1 KB, 30% 20 KB, 10% 200 KB": replace(plain, sizes=((1, 0.6), (20, 0.3), (200, 0.1))),
    }
    rows = []
    for name, workload in cases.items():
        ours, original = (cost(workload, design, measured) for design in (OURS, ORIGINAL))
        theirs = f"{original.total:.2f}" if original.stores else "cannot store it"
        rows.append([name, f"{ours.write_units:.1f}", f"{ours.total:.2f}", theirs])
    head = ["USD per million events", "our write units per event", "this pipeline", "original design"]
    return table(head, rows)


def archive(measured: Measured) -> str:
    """What archiving adds."""
    rows = []
    for kb in (1, 200):
        for rate in (1, 100, 1_000):
            workload = Workload(events_per_second=rate, sizes=((kb, 1.0),))
            found = archive_cost(workload, measured)
            rows.append(
                [
                    f"{rate:,} events/s of {kb} KB",
                    f"{found.batch:,.0f}",
                    f"{found.object_bytes / 1024:,.0f} KB",
                    f"{found.lambda_:.2f}",
                    f"{found.puts:.2f}",
                    f"**{found.total:.2f}**",
                    f"{100 * found.total / cost(workload, OURS, measured).total:.0f}%",
                    f"{found.keep:.2f}",
                    f"{found.read:.4f}",
                ]
            )
    head = ["USD per million events", "events in a batch", "an object", "Lambda", "S3 PUTs", "total"]
    return table(
        [*head, "on top of the pipeline's", "to keep for three years", "a query of them all"],
        rows,
    )


def first_limits(measured: Measured) -> str:
    """Which limit is met at which rate."""
    parts = []
    for kb in (1, 200):
        rows = [
            [one.name, f"{one.events_per_second:,.0f}", one.change]
            for one in limits(Workload(sizes=((kb, 1.0),)), measured)
        ]
        parts.append(table([f"events of {kb} KB", "suffices to events/s", "what to change then"], rows))
        useful = useful_concurrency(Workload(sizes=((kb, 1.0),)), measured)
        parts.append(
            f"A table of {limit('table_writes'):,} write units a second keeps up with {useful:,.0f} "
            f"invocations of ten events of {kb} KB at once; more are throttled, and messages come back."
        )
    return "\n\n".join(parts)


def rates(measured: Measured) -> str:
    """What each rate needs."""
    rows = []
    for kb in (1, 200):
        for rate in RATES:
            workload = Workload(events_per_second=rate, sizes=((kb, 1.0),))
            wanted = concurrency(workload, measured)
            units = cost(workload, OURS, measured).table_units * rate
            rows.append(
                [
                    f"{rate:,} events/s of {kb} KB",
                    f"{duration_ms(workload, measured):,.0f} ms",
                    f"{wanted:,.0f}",
                    f"{ramp_seconds(wanted):,.0f} s",
                    f"{units:,.0f}",
                    f"{wanted * workload.batch_of(kb):,.0f}",
                ]
            )
    head = ["", "invocation", "concurrency", "ramp to it", "write units/s of the table", "in flight"]
    return table(head, rows)


def bursts(measured: Measured) -> str:
    """The mapping under bursts, simulated."""
    small, big = Workload(), Workload(sizes=((200, 1.0),))
    steep, steepest = [10_000.0] * 600, [100_000.0] * 600
    per_event = cost(big, OURS, measured).table_units
    whole = float("inf")
    cases: list[tuple[str, list[float], Workload, Scaling, float]] = [
        ("26,000 of 200 KB at once, as shipped", [26_000.0], big, Scaling.standard(50), whole),
        *(
            (
                f"the same, a table of {limit(name):,} write units",
                [26_000.0],
                big,
                Scaling.standard(50),
                limit(name) / per_event,
            )
            for name in ("table_writes", "new_table_writes")
        ),
        ("1,000,000 of 1 KB at once, as shipped", [1e6], small, Scaling.standard(50), whole),
        ("the same, `maximum_concurrency` 1,000", [1e6], small, Scaling.standard(1_000), whole),
        ("10,000/s of 1 KB for 10 minutes, as shipped", steep, small, Scaling.standard(50), whole),
        ("the same, `maximum_concurrency` 1,000", steep, small, Scaling.standard(1_000), whole),
        ("100,000/s of 1 KB for 10 minutes, 1,000", steepest, small, Scaling.standard(1_000), whole),
        ("the same, 150 provisioned pollers", steepest, small, Scaling.provisioned(150), whole),
    ]
    rows = []
    for name, arrivals, workload, scaling, ceiling in cases:
        kb = workload.sizes[0][0]
        seconds = duration_ms(workload, measured) / 1000
        course = simulate(arrivals, scaling, workload.batch_of(kb), seconds, ceiling=ceiling)
        units = cost(workload, OURS, measured).table_units
        rows.append(
            [
                name,
                f"{course.drained_after:,} s" if course.drained_after else "not within a day",
                f"{course.oldest:,} s",
                f"{course.peak_concurrency:,.0f}",
                f"{course.peak_in_flight:,.0f}",
                f"{course.peak_rate * units:,.0f}",
            ]
        )
    head = ["burst", "drained after", "longest wait", "concurrency", "in flight", "write units/s at the peak"]
    return table(head, rows)
