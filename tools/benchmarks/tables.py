"""Format results as Markdown tables and SVG charts. ``tables.json`` has their words."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks.chart import draw_bars, format_number
from tools.benchmarks.designs import design_title
from tools.benchmarks.measure import BYTECODE, SOURCE, TOP_RATE

Results = Mapping[str, Any]

_WORDS: dict[str, Any] = json.loads(Path(__file__).with_name("tables.json").read_text("utf-8"))
_MB = 1024 * 1024
# Only the cost model needs the other sizes.
_FOOTPRINT_SIZES = ("1", "20", "200", "1000")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]], align: str = "---:") -> str:
    """Return a Markdown table. All columns but the first are right-aligned."""
    rule = ["---", *[align] * (len(head) - 1)]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def formatted_table(spec: Sequence[Any], rows: Mapping[str, Results], corner: str = "") -> str:
    """Return a table of rows by label. ``spec`` is the corner, and by heading what formats a row's values."""
    columns: Mapping[str, str] = spec[1]
    cells = [[label, *(text.format_map(row) for text in columns.values())] for label, row in rows.items()]
    return markdown_table([corner or spec[0], *columns], cells)


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of texts, which are left-aligned."""
    return markdown_table(head, [[cell.replace("|", "\\|") for cell in row] for row in rows], "---")


def find(results: Results, path: str) -> Any:
    """Return the value at a path of keys, such as ``200.ours.cpu_ms``. Raises KeyError."""
    for key in path.split("."):
        results = results[key]
    return results


def _spreads(corner: str, columns: Mapping[str, str], rows: Mapping[str, Results]) -> str:
    """Return a table of medians with the lowest and the highest round. ``columns`` are headings by path."""
    cells = [[label, *(_format(find(row, path)) for path in columns)] for label, row in rows.items()]
    return markdown_table([corner, *columns.values()], cells)


def _format(value: Any) -> str:
    if not isinstance(value, Mapping):
        return value if isinstance(value, str) else f"{value:g}"
    median, low, high = (format_number(value[name]) for name in ("median", "low", "high"))
    return f"{median} ({low} to {high})"


def _table(name: str, rows: Mapping[str, Results]) -> str:
    corner, columns = _WORDS["tables"][name]
    return _spreads(corner, columns, rows)


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
    return _spreads("CPU ms per event", columns, rows)


def _parts(results: Results) -> str:
    return _spreads("CPU ms per event", {kb: f"{kb} KB" for kb in results}, _turned(results))


def _footprint(results: Results) -> str:
    rows = []
    for kb in [size for size in results if size in _FOOTPRINT_SIZES] or results:
        for name, kinds in results[kb].items():
            valid = kinds["valid"]
            calls = ", ".join(f"{count} {operation}" for operation, count in valid["requests"].items())
            stored = f"{valid['item_bytes']:,}"
            rows.append([f"{kb} KB, {design_title(name)}", f"{valid['batch']}", calls, stored])
    return markdown_table(
        ["events of", "in a batch", "requests for the batch", "bytes stored per event"], rows
    )


def _cold_start(results: Results) -> str:
    rows = {
        f"{design_title(name)}, {form}": forms[form]
        for form in (SOURCE, BYTECODE)
        for name, forms in results.items()
    }
    return _table("cold_start", rows)


def _producer(results: Results) -> str:
    rows = {
        # The results call the mock a sink, as it was once named.
        f"{kb} KB into the {target.replace('sink', 'mock')}, {_WORDS['ways'][way]}": measured
        for kb, targets in results.items()
        for target, ways in targets.items()
        for way, measured in ways.items()
    }
    return _table("producer", rows)


def _latency(results: Results) -> str:
    burst = results["burst"]
    rows = {design_title(name): cold | burst[name] for name, cold in results["cold"].items()}
    table = _table("burst", rows).replace("$count", f"{burst['count']:,}")
    return f"{_table('rates', _labelled(_rates(results)))}\n\n{table}"


def _rates(results: Results) -> dict[str, Results]:
    """Return the results by rate, the highest of which is a share of what the slowest design does."""
    top = f"{results['top_rate']:,.0f} ({TOP_RATE} of the slowest)"
    return {top if rate == TOP_RATE else rate: designs for rate, designs in results["rates"].items()}


def _growth(results: Results) -> str:
    return "\n\n".join(_table(name, _labelled(results[name])) for name in ("batches", "workers"))


def _archive(results: Results) -> str:
    sizes = {f"{kb} KB": measured for kb, measured in results["handler"].items()}
    stacks = {f"{name} the archive": measured for name, measured in results["end_to_end"].items()}
    stacks["without the archive"] |= {"archived_per_second": ""}
    return f"{_table('archiver', sizes)}\n\n{_table('archive', stacks)}"


def _headline(results: Results) -> str:
    verify, peaks = results["verify"], results["peak_mb"]
    values = {
        **results,
        **{
            name: _mb(peaks.get(name)) for name in ("producer", "emulator", "processor", "archiver", "verify")
        },
        "mb_sent": results["bytes_sent"] / _MB,
        "mb_stored": results["bytes_stored"] / _MB,
        "verified": "passed" if verify["holds"] else f"{verify['findings']} discrepancies",
        "verify_seconds": verify["seconds"],
    }
    rows = [[label, text.format(**values)] for label, text in _WORDS["headline"].items()]
    return markdown_table(["", "measured"], rows)


def _scale(results: Results) -> str:
    rows = [
        [
            what,
            *(f"{each[name]['seconds']:,.1f} s, {_mb(each[name]['peak_mb'])}" for each in results.values()),
        ]
        for name, what in _WORDS["scale"].items()
    ]
    return markdown_table(["", *(f"{int(count):,} events" for count in results)], rows)


def _mb(peak: float | None) -> str:
    return "not available" if peak is None else f"{peak:,.0f} MB"


def _stack_times(results: Results) -> str:
    rows = [[name, f"{measured['seconds']:,.1f} s"] for name, measured in results.items()]
    return markdown_table(["command", "once"], rows)


TABLES: Mapping[str, Callable[[Results], str]] = {
    "handler": _handler,
    "parts": _parts,
    "footprint": _footprint,
    "cold_start": _cold_start,
    "producer": _producer,
    "end_to_end": lambda results: _table("end_to_end", _labelled(results, " KB")),
    "latency": _latency,
    "growth": _growth,
    "archive": _archive,
    "headline": _headline,
    "scale": _scale,
    "stack_times": _stack_times,
}
CHARTS: Mapping[str, Mapping[str, str]] = _WORDS["charts"]
# How a chart groups results, if not as they are.
_GROUPS: Mapping[str, Callable[[Results], Mapping[str, Results]]] = {
    "cold_start": _turned,
    "producer": lambda results: _turned(results)["sink"],
    "latency": _rates,
    "growth": lambda results: results["batches"],
}


def draw_chart(name: str, results: Results) -> str:
    """Return the chart of a benchmark: a group of bars for each group of results."""
    chart = CHARTS[name]
    label = _WORDS["ways"].__getitem__ if name == "producer" else design_title
    groups = _GROUPS[name](results) if name in _GROUPS else results
    bars = {
        chart["heading"].format(group): {
            label(candidate): find(measured, chart["metric"]) for candidate, measured in candidates.items()
        }
        for group, candidates in groups.items()
    }
    return draw_bars(chart["title"], chart.get("unit", "ms"), bars)
