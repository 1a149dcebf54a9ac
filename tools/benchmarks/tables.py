"""Format results as Markdown tables and SVG charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tools.benchmarks import cold_start, senders
from tools.benchmarks.chart import draw_bars, format_number
from tools.benchmarks.designs import design_title
from tools.benchmarks.latency import TOP

Results = Mapping[str, Any]

_WAYS = {
    senders.OURS: "this producer",
    senders.SINGLE: "send_message loop",
    senders.BATCHED: "send_message_batch loop",
    "prepared-1": "one finished request, 1 connection",
    "prepared-2": "one finished request, 2 connections",
    "prepared-4": "one finished request, 4 connections",
}
# The keys of the results. The mock was once called a sink.
_TARGETS = {"sink": "mock", "emulator": "emulator"}
_MB = 1024 * 1024


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "---:") -> str:
    """Return a Markdown table. All columns but the first are right-aligned."""
    rule = ["---", *[align] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of texts, which are left-aligned."""
    return markdown_table(head, [[cell.replace("|", "\\|") for cell in row] for row in rows], "---")


def find(results: Results, path: str) -> Any:
    """Return the value at a path of keys, such as ``200.ours.cpu_ms``. Raises KeyError."""
    for key in path.split("."):
        results = results[key]
    return results


def spread_table(corner: str, columns: Mapping[str, str], rows: Mapping[str, Results]) -> str:
    """Return a table of medians with the lowest and the highest round. ``columns`` are headings by path."""
    cells = [[label, *(_format(find(row, path)) for path in columns)] for label, row in rows.items()]
    return markdown_table([corner, *columns.values()], cells)


def _format(value: Any) -> str:
    if not isinstance(value, Mapping):
        return value if isinstance(value, str) else f"{value:g}"
    median, low, high = (format_number(value[name]) for name in ("median", "low", "high"))
    return f"{median} ({low} to {high})"


def _labelled(groups: Mapping[str, Results], unit: str = "") -> dict[str, Results]:
    """Return the results of each design in each group, by label."""
    return {
        f"{group}{unit}, {design_title(name)}": measured
        for group, designs in groups.items()
        for name, measured in designs.items()
    }


def _turned(results: Mapping[str, Results]) -> dict[str, dict[str, Any]]:
    """Return results by the inner key, then by the outer one."""
    names = next(iter(results.values()))
    return {name: {outer: inner[name] for outer, inner in results.items()} for name in names}


def _handler(results: Results) -> str:
    columns = {f"{kb}.cpu_ms": f"{kb} KB" for kb in results}
    rows = {design_title(name): sizes for name, sizes in _turned(results).items()}
    return spread_table("CPU ms per event", columns, rows)


def _parts(results: Results) -> str:
    return spread_table("CPU ms per event", {kb: f"{kb} KB" for kb in results}, _turned(results))


# Only the cost model needs the other sizes.
_TABLE_SIZES = ("1", "20", "200", "1000")


def _footprint(results: Results) -> str:
    rows = []
    for kb in [size for size in results if size in _TABLE_SIZES] or results:
        for name, kinds in results[kb].items():
            valid = kinds["valid"]
            calls = ", ".join(f"{count} {operation}" for operation, count in valid["requests"].items())
            stored = f"{valid['item_bytes']:,}"
            rows.append([f"{kb} KB, {design_title(name)}", f"{valid['batch']}", calls, stored])
    return markdown_table(
        ["events of", "in a batch", "requests for the batch", "bytes stored per event"], rows
    )


def _cold_start(results: Results) -> str:
    columns = {"import_cpu_ms": "import CPU ms", "import_ms": "import wall ms", "peak_mb": "peak MB"}
    rows = {
        f"{design_title(name)}, {form}": forms[form]
        for form in (cold_start.SOURCE, cold_start.BYTECODE)
        for name, forms in results.items()
    }
    return spread_table("zip", columns, rows)


def _producer(results: Results) -> str:
    columns = {
        "cpu_ms": "CPU ms per event",
        "wall_ms": "wall ms per event",
        "events_per_second": "events/s",
    }
    rows = {
        f"{kb} KB into the {_TARGETS[target]}, {_WAYS[way]}": measured
        for kb, targets in results.items()
        for target, ways in targets.items()
        for way, measured in ways.items()
    }
    return spread_table("", columns, rows)


_CPU_COLUMNS = {
    "workers_cpu_ms": "CPU ms per event, Lambda workers",
    "emulator_cpu_ms": "CPU ms per event, emulator",
}


def _end_to_end(results: Results) -> str:
    columns = {"events_per_second": "events/s"} | _CPU_COLUMNS
    return spread_table("", columns, _labelled(results, " KB"))


def _latency(results: Results) -> str:
    burst = results["burst"]
    columns = {
        f"{what}_ms.{percent}": f"{text}, ms, {percent}"
        for what, text in (("stored", "stored"), ("alert", "alert"))
        for percent in ("p50", "p95", "p99")
    }
    others = {
        "cold_stored_ms": "first event after a deploy: stored, ms",
        "cold_alert_ms": "alerted, ms",
        "rate": f"{burst['count']:,} at once: events/s",
        "last_alert_seconds": "last large order's alert after, s",
    }
    rows = {design_title(name): cold | burst[name] for name, cold in results["cold"].items()}
    return "\n\n".join(
        [spread_table("events/s", columns, _labelled(_rates(results))), spread_table("", others, rows)]
    )


def _rates(results: Results) -> dict[str, Results]:
    """Return the results by rate, the highest of which is a share of what the slowest design does."""
    top = f"{results['top_rate']:,.0f} ({TOP} of the slowest)"
    return {top if rate == TOP else rate: designs for rate, designs in results["rates"].items()}


def _growth(results: Results) -> str:
    batches = {"cpu_ms": "CPU ms per event", "calls": "calls per event"}
    return "\n\n".join(
        [
            spread_table("events in a batch, 1 KB", batches, _labelled(results["batches"])),
            spread_table("workers, 1 KB", {"events_per_second": "events/s"}, _labelled(results["workers"])),
        ]
    )


_PEAKS = {
    "producer": "the producer",
    "emulator": "the emulator",
    "processor": "the processor's largest worker",
    "archiver": "the archiver's largest worker",
    "verify": "`make verify`",
}


def _headline(results: Results) -> str:
    verified = results["verify"]
    rows = [
        ["events", f"{results['count']:,} of {results['kb']} KB"],
        ["first sent to queue drained", f"{results['seconds']:,.1f} s"],
        ["of which sending", f"{results['sending_seconds']:,.1f} s"],
        ["first sent to all archived and verified", f"{results['archived_seconds']:,.1f} s"],
        ["events/s", f"{results['events_per_second']:,.0f}"],
        ["bytes sent", f"{results['bytes_sent'] / _MB:,.0f} MB"],
        ["bytes stored", f"{results['bytes_stored'] / _MB:,.0f} MB"],
        *([f"peak memory of {name}", _mb(results["peak_mb"].get(key))] for key, name in _PEAKS.items()),
        ["`make verify`", "passed" if verified["holds"] else f"{verified['findings']} discrepancies"],
        ["its time", f"{verified['seconds']:,.1f} s"],
    ]
    return markdown_table(["", "measured"], rows)


def _mb(peak: float | None) -> str:
    return "not available" if peak is None else f"{peak:,.0f} MB"


_SCALED = {
    "verify --manifest": "`make verify`: the rows of the run",
    "verify --all": "`make verify ALL=1`: every row and body",
    "erase --dry-run": "`make erase DRY_RUN=1`: the search for a customer",
    "restore --auto-approve": "`make restore` into an empty events table",
}


def _scale(results: Results) -> str:
    rows = [
        [
            what,
            *(f"{each[name]['seconds']:,.1f} s, {_mb(each[name]['peak_mb'])}" for each in results.values()),
        ]
        for name, what in _SCALED.items()
    ]
    return markdown_table(["", *(f"{int(count):,} events" for count in results)], rows)


def _stack_times(results: Results) -> str:
    rows = [[name, f"{measured['seconds']:,.1f} s"] for name, measured in results.items()]
    return markdown_table(["command", "once"], rows)


def _archive(results: Results) -> str:
    handler = {"cpu_ms": "CPU ms per event, archiver", "share": "bytes archived of those sent"}
    sizes = {f"{kb} KB": measured for kb, measured in results["handler"].items()}
    columns = {"events_per_second": "events/s processed"} | _CPU_COLUMNS
    columns["archived_per_second"] = "events/s archived"
    stacks = {f"{name} the archive": measured for name, measured in results["end_to_end"].items()}
    stacks["without the archive"] |= {"archived_per_second": ""}
    return "\n\n".join([spread_table("events of", handler, sizes), spread_table("1 KB", columns, stacks)])


@dataclass(frozen=True)
class Chart:
    """A chart of one metric: a group of bars, under a heading, for each group of results."""

    title: str
    heading: str
    metric: str
    unit: str = "ms"
    groups: Callable[[Results], Mapping[str, Results]] = lambda results: results
    label: Callable[[str], str] = design_title

    def draw(self, results: Results) -> str:
        """Return the chart as SVG."""
        bars = {
            self.heading.format(group): {
                self.label(name): find(measured, self.metric) for name, measured in candidates.items()
            }
            for group, candidates in self.groups(results).items()
        }
        return draw_bars(self.title, self.unit, bars)


TABLES: Mapping[str, Callable[[Results], str]] = {
    "handler": _handler,
    "parts": _parts,
    "footprint": _footprint,
    "cold_start": _cold_start,
    "producer": _producer,
    "end_to_end": _end_to_end,
    "latency": _latency,
    "growth": _growth,
    "archive": _archive,
    "headline": _headline,
    "scale": _scale,
    "stack_times": _stack_times,
}
CHARTS = {
    "handler": Chart("Handler CPU per event (less is better)", "{} KB events", "cpu_ms"),
    "cold_start": Chart(
        "Cold start: CPU of the import (less is better)", "zip with {}", "import_cpu_ms", groups=_turned
    ),
    "producer": Chart(
        "Sending: CPU per event (less is better)",
        "{} KB events, into a mock",
        "cpu_ms",
        groups=lambda results: _turned(results)["sink"],
        label=_WAYS.__getitem__,
    ),
    "end_to_end": Chart(
        "End to end on the embedded stack (more is better)", "{} KB events", "events_per_second", "events/s"
    ),
    "latency": Chart(
        "From send to alert, 95th percentile (less is better)",
        "{} events/s",
        "alert_ms.p95",
        groups=_rates,
    ),
    "growth": Chart(
        "Handler CPU per event of 1 KB by batch size (less is better)",
        "batches of {}",
        "cpu_ms",
        groups=lambda results: results["batches"],
    ),
}
