"""Format results as Markdown tables and SVG charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.benchmarks import cold_start, senders
from tools.benchmarks.chart import Bar, draw_bars, format_number
from tools.benchmarks.designs import design_title
from tools.benchmarks.latency import TOP

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


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table. All columns but the first are right-aligned."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def format_spread(spread: Mapping[str, float]) -> str:
    """Return a median with the lowest and the highest round."""
    median, low, high = (format_number(spread[name]) for name in ("median", "low", "high"))
    return f"{median} ({low} to {high})"


def handler(results: Mapping[str, Any]) -> str:
    """Return the table of CPU time per event."""
    names = list(next(iter(results.values())))
    rows = [
        [design_title(name), *(format_spread(results[kb][name]["cpu_ms"]) for kb in results)]
        for name in names
    ]
    return markdown_table(["CPU ms per event", *(f"{kb} KB" for kb in results)], rows)


def handler_chart(results: Mapping[str, Any]) -> str:
    """Return the chart of CPU time per event."""
    groups = {
        f"{kb} KB events": [
            Bar.from_spread(design_title(name), measured["cpu_ms"]) for name, measured in designs.items()
        ]
        for kb, designs in results.items()
    }
    return draw_bars("Handler CPU per event (less is better)", "ms", groups)


def microbenchmarks(results: Mapping[str, Any]) -> str:
    """Return the table of CPU time per step."""
    names = list(next(iter(results.values())))
    rows = [[name, *(format_spread(results[kb][name]) for kb in results)] for name in names]
    return markdown_table(["CPU ms per event", *(f"{kb} KB" for kb in results)], rows)


# Only the cost model needs the other sizes.
_TABLE_SIZES = ("1", "20", "200", "1000")


def footprint(results: Mapping[str, Any]) -> str:
    """Return the table of requests and stored bytes for valid events."""
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


def cold(results: Mapping[str, Any]) -> str:
    """Return the table of import time and memory."""
    rows = [
        [f"{design_title(name)}, {form}", *(format_spread(measured[what]) for what in _COLD)]
        for form in (cold_start.SOURCE, cold_start.BYTECODE)
        for name, forms in results.items()
        for measured in [forms[form]]
    ]
    return markdown_table(["zip", *_COLD.values()], rows)


_COLD = {"import_cpu_ms": "import CPU ms", "import_ms": "import wall ms", "peak_mb": "peak MB"}


def cold_chart(results: Mapping[str, Any]) -> str:
    """Return the chart of import time."""
    groups = {
        f"zip with {form}": [
            Bar.from_spread(design_title(name), forms[form]["import_cpu_ms"])
            for name, forms in results.items()
        ]
        for form in (cold_start.SOURCE, cold_start.BYTECODE)
    }
    return draw_bars("Cold start: CPU of the import (less is better)", "ms", groups)


def producer(results: Mapping[str, Any]) -> str:
    """Return the table of CPU time, wall time and throughput of the ways to send."""
    rows = [
        [
            f"{kb} KB into the {_TARGETS[target]}, {_WAYS[way]}",
            *(format_spread(measured[what]) for what in ("cpu_ms", "wall_ms", "events_per_second")),
        ]
        for kb, targets in results.items()
        for target, ways in targets.items()
        for way, measured in ways.items()
    ]
    return markdown_table(["", "CPU ms per event", "wall ms per event", "events/s"], rows)


def producer_chart(results: Mapping[str, Any]) -> str:
    """Return the chart of CPU time per event sent."""
    groups = {
        f"{kb} KB events, into a mock": [
            Bar.from_spread(_WAYS[way], measured["cpu_ms"]) for way, measured in targets["sink"].items()
        ]
        for kb, targets in results.items()
    }
    return draw_bars("Sending: CPU per event (less is better)", "ms", groups)


def end_to_end(results: Mapping[str, Any]) -> str:
    """Return the table of events per second, from the first sent until the queue is empty."""
    rows = [
        [f"{kb} KB, {design_title(name)}", *(format_spread(measured[what]) for what in _END_TO_END)]
        for kb, designs in results.items()
        for name, measured in designs.items()
    ]
    return markdown_table(["", *_END_TO_END.values()], rows)


_END_TO_END = {
    "events_per_second": "events/s",
    "workers_cpu_ms": "CPU ms per event, Lambda workers",
    "emulator_cpu_ms": "CPU ms per event, emulator",
}


def end_to_end_chart(results: Mapping[str, Any]) -> str:
    """Return the chart of events per second."""
    groups = {
        f"{kb} KB events": [
            Bar.from_spread(design_title(name), measured["events_per_second"])
            for name, measured in designs.items()
        ]
        for kb, designs in results.items()
    }
    return draw_bars("End to end on the embedded stack (more is better)", "events/s", groups)


def latency(results: Mapping[str, Any]) -> str:
    """Return the tables of latencies at each rate, of the first event, and of a burst."""
    rates = [
        [
            f"{_rate(results, rate)}, {design_title(name)}",
            *(format_spread(measured[what][percent]) for what in _LATENCIES for percent in _PERCENTILES),
        ]
        for rate, designs in results["rates"].items()
        for name, measured in designs.items()
    ]
    burst = results["burst"]
    others = [
        [
            design_title(name),
            *(format_spread(results["cold"][name][what]) for what in ("cold_stored_ms", "cold_alert_ms")),
            *(format_spread(burst[name][what]) for what in ("rate", "last_alert_seconds")),
        ]
        for name in results["cold"]
    ]
    head = [f"{text}, {percent}" for text in _LATENCIES.values() for percent in _PERCENTILES]
    return "\n\n".join(
        [
            markdown_table(["events/s", *head], rates),
            markdown_table(
                [
                    "",
                    "first event after a deploy: stored, ms",
                    "alerted, ms",
                    f"{burst['count']:,} at once: events/s",
                    "last large order's alert after, s",
                ],
                others,
            ),
        ]
    )


_LATENCIES = {"stored_ms": "stored, ms", "alert_ms": "alert, ms"}
_PERCENTILES = ("p50", "p95", "p99")


def _rate(results: Mapping[str, Any], rate: str) -> str:
    return f"{results['top_rate']:,.0f} ({rate} of the slowest)" if rate == TOP else rate


def latency_chart(results: Mapping[str, Any]) -> str:
    """Return the chart of the 95th percentiles from send to alert."""
    groups = {
        f"{_rate(results, rate)} events/s": [
            Bar.from_spread(design_title(name), measured["alert_ms"]["p95"])
            for name, measured in designs.items()
        ]
        for rate, designs in results["rates"].items()
    }
    return draw_bars("From send to alert, 95th percentile (less is better)", "ms", groups)


def growth(results: Mapping[str, Any]) -> str:
    """Return the tables of cost by batch size and of throughput by workers."""
    batches = [
        [f"{size}, {design_title(name)}", format_spread(measured["cpu_ms"]), f"{measured['calls']:g}"]
        for size, designs in results["batches"].items()
        for name, measured in designs.items()
    ]
    workers = [
        [f"{count}, {design_title(name)}", format_spread(measured["events_per_second"])]
        for count, designs in results["workers"].items()
        for name, measured in designs.items()
    ]
    return "\n\n".join(
        [
            markdown_table(["events in a batch, 1 KB", "CPU ms per event", "calls per event"], batches),
            markdown_table(["workers, 1 KB", "events/s"], workers),
        ]
    )


def growth_chart(results: Mapping[str, Any]) -> str:
    """Return the chart of CPU time per event by batch size."""
    groups = {
        f"batches of {size}": [
            Bar.from_spread(design_title(name), measured["cpu_ms"]) for name, measured in designs.items()
        ]
        for size, designs in results["batches"].items()
    }
    return draw_bars("Handler CPU per event of 1 KB by batch size (less is better)", "ms", groups)


def load_test(results: Mapping[str, Any]) -> str:
    """Return the table of the load test."""
    verified = results["verify"]
    peaks = results["peak_mb"]
    rows = [
        ["events", f"{results['count']:,} of {results['kb']} KB"],
        ["first sent to queue drained", f"{results['seconds']:,.1f} s"],
        ["of which sending", f"{results['sending_seconds']:,.1f} s"],
        ["first sent to all archived and verified", f"{results['archived_seconds']:,.1f} s"],
        ["events/s", f"{results['events_per_second']:,.0f}"],
        ["bytes sent", f"{results['bytes_sent'] / _MB:,.0f} MB"],
        ["bytes stored", f"{results['bytes_stored'] / _MB:,.0f} MB"],
        *([f"peak memory of {name}", _mb(peaks.get(key))] for key, name in _PEAKS.items()),
        ["`make verify`", "passed" if verified["holds"] else f"{verified['findings']} discrepancies"],
        ["its time", f"{verified['seconds']:,.1f} s"],
    ]
    return markdown_table(["", "measured"], rows)


def scale(results: Mapping[str, Any]) -> str:
    """Return the table of the commands whose memory must not grow."""
    rows = [
        [what, *(_seconds_and_memory(commands[name]) for commands in results.values())]
        for name, what in _SCALED.items()
    ]
    return markdown_table(["", *(f"{int(count):,} events" for count in results)], rows)


_SCALED = {
    "verify --manifest": "`make verify`: the rows of the run",
    "verify --all": "`make verify ALL=1`: every row and body",
    "erase --dry-run": "`make erase DRY_RUN=1`: the search for a customer",
    "restore --auto-approve": "`make restore` into an empty events table",
}


def _seconds_and_memory(measured: Mapping[str, Any]) -> str:
    return f"{measured['seconds']:,.1f} s, {_mb(measured['peak_mb'])}"


_PEAKS = {
    "producer": "the producer",
    "emulator": "the emulator",
    "processor": "the processor's largest worker",
    "archiver": "the archiver's largest worker",
    "verify": "`make verify`",
}


def _mb(peak: float | None) -> str:
    return "not available" if peak is None else f"{peak:,.0f} MB"


def stack_times(results: Mapping[str, Any]) -> str:
    """Return the table of the project's own commands."""
    rows = [[name, f"{measured['seconds']:,.1f} s"] for name, measured in results.items()]
    return markdown_table(["command", "once"], rows)


def archive(results: Mapping[str, Any]) -> str:
    """Return the tables of the archiver's CPU time and bytes, and of throughput with and without it."""
    cpu = [
        [f"{kb} KB", format_spread(measured["cpu_ms"]), format_spread(measured["share"])]
        for kb, measured in results["handler"].items()
    ]
    rates = [
        [
            f"{name} the archive",
            *(
                format_spread(measured[what])
                for what in ("events_per_second", "workers_cpu_ms", "emulator_cpu_ms")
            ),
            format_spread(measured["archived_per_second"]) if name == "with" else "",
        ]
        for name, measured in results["end_to_end"].items()
    ]
    return "\n\n".join(
        [
            markdown_table(["events of", "CPU ms per event, archiver", "bytes archived of those sent"], cpu),
            markdown_table(
                [
                    "1 KB",
                    "events/s processed",
                    "CPU ms per event, Lambda workers",
                    "CPU ms per event, emulator",
                    "events/s archived",
                ],
                rates,
            ),
        ]
    )


TABLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "handler": handler,
    "parts": microbenchmarks,
    "footprint": footprint,
    "cold_start": cold,
    "producer": producer,
    "end_to_end": end_to_end,
    "latency": latency,
    "growth": growth,
    "archive": archive,
    "headline": load_test,
    "scale": scale,
    "stack_times": stack_times,
}
CHARTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "handler": handler_chart,
    "cold_start": cold_chart,
    "producer": producer_chart,
    "end_to_end": end_to_end_chart,
    "latency": latency_chart,
    "growth": growth_chart,
}
