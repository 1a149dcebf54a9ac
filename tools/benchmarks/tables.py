"""Results as Markdown tables and SVG charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.benchmarks import cold_start, senders
from tools.benchmarks.chart import Bar, bars, number
from tools.benchmarks.designs import by_name

_WAYS = {
    senders.OURS: "this producer",
    senders.SINGLE: "send_message loop",
    senders.BATCHED: "send_message_batch loop",
    "prepared-1": "one finished request, 1 connection",
    "prepared-2": "one finished request, 2 connections",
    "prepared-4": "one finished request, 4 connections",
}
_MB = 1024 * 1024


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns after the first are right-aligned."""
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def shown(spread: Mapping[str, float]) -> str:
    """A median, and the lowest and highest round."""
    return f"{number(spread['median'])} ({number(spread['low'])} to {number(spread['high'])})"


def handler(results: Mapping[str, Any]) -> str:
    """CPU per event."""
    names = list(next(iter(results.values())))
    rows = [[by_name(name).title, *(shown(results[kb][name]["cpu_ms"]) for kb in results)] for name in names]
    return table(["CPU ms per event", *(f"{kb} KB" for kb in results)], rows)


def handler_chart(results: Mapping[str, Any]) -> str:
    """CPU per event, as a chart."""
    groups = {
        f"{kb} KB events": [
            Bar.of(by_name(name).title, measured["cpu_ms"]) for name, measured in designs.items()
        ]
        for kb, designs in results.items()
    }
    return bars("Handler CPU per event (less is better)", "ms", groups)


def parts(results: Mapping[str, Any]) -> str:
    """CPU per event of single parts of the work."""
    names = list(next(iter(results.values())))
    rows = [[name, *(shown(results[kb][name]) for kb in results)] for name in names]
    return table(["CPU ms per event", *(f"{kb} KB" for kb in results)], rows)


# The sizes in between are for the cost model.
_SHOWN = ("1", "20", "200", "1000")


def footprint(results: Mapping[str, Any]) -> str:
    """What a batch of valid events sends and stores."""
    rows = []
    for kb in [size for size in results if size in _SHOWN] or results:
        for name, kinds in results[kb].items():
            valid = kinds["valid"]
            calls = ", ".join(f"{count} {operation}" for operation, count in valid["requests"].items())
            stored = f"{valid['item_bytes']:,}"
            rows.append([f"{kb} KB, {by_name(name).title}", f"{valid['batch']}", calls, stored])
    return table(["events of", "in a batch", "requests for the batch", "bytes stored per event"], rows)


def cold(results: Mapping[str, Any]) -> str:
    """Import time and memory."""
    rows = [
        [f"{by_name(name).title}, {form}", *(shown(measured[what]) for what in _COLD)]
        for form in (cold_start.SOURCE, cold_start.BYTECODE)
        for name, forms in results.items()
        for measured in [forms[form]]
    ]
    return table(["zip", *_COLD.values()], rows)


_COLD = {"import_cpu_ms": "import CPU ms", "import_ms": "import wall ms", "peak_mb": "peak MB"}


def cold_chart(results: Mapping[str, Any]) -> str:
    """Import time, as a chart."""
    groups = {
        f"zip with {form}": [
            Bar.of(by_name(name).title, forms[form]["import_cpu_ms"]) for name, forms in results.items()
        ]
        for form in (cold_start.SOURCE, cold_start.BYTECODE)
    }
    return bars("Cold start: CPU of the import (less is better)", "ms", groups)


def producer(results: Mapping[str, Any]) -> str:
    """CPU, wall time and throughput of the ways to send."""
    rows = [
        [
            f"{kb} KB into the {target}, {_WAYS[way]}",
            *(shown(measured[what]) for what in ("cpu_ms", "wall_ms", "events_per_second")),
        ]
        for kb, targets in results.items()
        for target, ways in targets.items()
        for way, measured in ways.items()
    ]
    return table(["", "CPU ms per event", "wall ms per event", "events/s"], rows)


def producer_chart(results: Mapping[str, Any]) -> str:
    """CPU per event sent, as a chart."""
    groups = {
        f"{kb} KB events, into a sink": [
            Bar.of(_WAYS[way], measured["cpu_ms"]) for way, measured in targets["sink"].items()
        ]
        for kb, targets in results.items()
    }
    return bars("Sending: CPU per event (less is better)", "ms", groups)


def end_to_end(results: Mapping[str, Any]) -> str:
    """Events per second, from the first sent to the queue drained."""
    rows = [
        [f"{kb} KB, {by_name(name).title}", *(shown(measured[what]) for what in _END_TO_END)]
        for kb, designs in results.items()
        for name, measured in designs.items()
    ]
    return table(["", *_END_TO_END.values()], rows)


_END_TO_END = {
    "events_per_second": "events/s",
    "workers_cpu_ms": "CPU ms per event, Lambda workers",
    "emulator_cpu_ms": "CPU ms per event, emulator",
}


def end_to_end_chart(results: Mapping[str, Any]) -> str:
    """Events per second, as a chart."""
    groups = {
        f"{kb} KB events": [
            Bar.of(by_name(name).title, measured["events_per_second"]) for name, measured in designs.items()
        ]
        for kb, designs in results.items()
    }
    return bars("End to end on the embedded stack (more is better)", "events/s", groups)


def headline(results: Mapping[str, Any]) -> str:
    """The headline run."""
    verdict = results["verify"]
    workers = [peak for name, peak in results["peak_mb"].items() if name.startswith("worker")]
    rows = [
        ["events", f"{results['count']:,} of {results['kb']} KB"],
        ["first sent to queue drained", f"{results['seconds']:,.1f} s"],
        ["of which sending", f"{results['sending_seconds']:,.1f} s"],
        ["events/s", f"{results['events_per_second']:,.0f}"],
        ["bytes sent", f"{results['bytes_sent'] / _MB:,.0f} MB"],
        ["bytes stored", f"{results['bytes_stored'] / _MB:,.0f} MB"],
        ["peak memory of the producer", _mb(results["peak_mb"].get("producer"))],
        ["peak memory of the emulator", _mb(results["peak_mb"].get("emulator"))],
        ["peak memory of the largest Lambda worker", _mb(max(workers, default=None))],
        ["`make verify`", "holds" if verdict["holds"] else f"{verdict['findings']} findings"],
    ]
    return table(["", "measured"], rows)


def _mb(peak: float | None) -> str:
    return "not to be had here" if peak is None else f"{peak:,.0f} MB"


def stack_times(results: Mapping[str, Any]) -> str:
    """Seconds of the project's own commands."""
    rows = [[name, f"{measured['seconds']:,.1f} s"] for name, measured in results.items()]
    return table(["command", "once"], rows)


def archive(results: Mapping[str, Any]) -> str:
    """The archiver's CPU and bytes, and the rates of a stack with and without it."""
    cpu = [
        [f"{kb} KB", shown(measured["cpu_ms"]), shown(measured["share"])]
        for kb, measured in results["handler"].items()
    ]
    rates = [
        [
            f"{name} the archive",
            *(shown(measured[what]) for what in ("events_per_second", "workers_cpu_ms", "emulator_cpu_ms")),
            shown(measured["archived_per_second"]) if name == "with" else "",
        ]
        for name, measured in results["end_to_end"].items()
    ]
    return "\n\n".join(
        [
            table(["events of", "CPU ms per event, archiver", "bytes archived of those sent"], cpu),
            table(
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


_TB = 1024**4
TABLES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "handler": handler,
    "parts": parts,
    "footprint": footprint,
    "cold_start": cold,
    "producer": producer,
    "end_to_end": end_to_end,
    "archive": archive,
    "headline": headline,
    "stack_times": stack_times,
}
CHARTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "handler": handler_chart,
    "cold_start": cold_chart,
    "producer": producer_chart,
    "end_to_end": end_to_end_chart,
}
