"""Render the results of all named queries as one HTML page without scripts, fonts or network access."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tools.analytics import charts
from tools.analytics.archive import SyncResult
from tools.analytics.database import Database, QueryResult
from tools.analytics.named_queries import NamedQuery, named_queries
from tools.analytics.output import display_text
from tools.core.archive_range import ArchiveRange
from tools.core.console import plural
from tools.core.text import escape_html as escape

_STYLE = (Path(__file__).parent / "report.css").read_text("utf-8")
# A longer table starts collapsed.
_EXPANDED_ROWS = 8
_MAX_ROWS = 1000
_MAX_BARS = 12
_MAX_BARS_PER_PANEL = 6
_EVENTS = "SELECT count(*), count(DISTINCT customer_id), max(received_at) FROM events"
_REJECTED = "SELECT count(*), max(received_at) FROM rejected"


def render_report(
    database: Database, synced: SyncResult, selected: ArchiveRange, source: str, now: datetime
) -> str:
    """Return the page. ``source`` names the archive, ``now`` is the time of the report."""
    ((events, customers, newest_event),) = database.query(_EVENTS).rows
    ((rejected, newest_rejected),) = database.query(_REJECTED).rows
    newest = max((time for time in (newest_event, newest_rejected) if time), default=None)
    share = f"{100 * rejected / (events + rejected):.1f}% of all" if events + rejected else "of none"
    cards = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label in (
            (display_text(events), f"stored, of {plural(customers, 'customer')}"),
            (display_text(rejected), f"rejected, {share}"),
            (_age_text(now, newest), "since the newest message was received"),
            (_size_text(synced.size), f"compressed, in {plural(len(synced.objects), 'object')}"),
        )
    )
    sections = "".join(_section(query, database.query(query.sql)) for query in _ordered_queries())
    about = (
        f"Messages received from {selected.since:%Y-%m-%d %H:%M} to {selected.until:%Y-%m-%d %H:%M} UTC, "
        f"archived in {source}. Report of {now:%Y-%m-%d %H:%M:%S} UTC. "
        f"{_freshness(newest, synced.last_modified)}"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>rt-pipeline: archive</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>rt-pipeline archive</h1>"
        f'<p class="about">{escape(about)}</p><div class="cards">{cards}</div>{sections}'
        "</main></body></html>\n"
    )


def _ordered_queries() -> list[NamedQuery]:
    """Return the queries with a chart first, in the order of `_CHARTS`."""
    order = list(_CHARTS)
    return sorted(
        named_queries(), key=lambda query: order.index(query.name) if query.name in order else len(order)
    )


def _section(query: NamedQuery, result: QueryResult) -> str:
    content = '<p class="none">No rows in this range.</p>'
    if result.rows:
        chart = _CHARTS[query.name](result) if query.name in _CHARTS else ""
        content = chart + _table(result)
    sql = f"<details><summary>SQL</summary><pre>{escape(query.sql.strip())}</pre></details>"
    return f'<section id="{escape(query.name)}"><h2>{escape(query.title)}</h2>{content}{sql}</section>'


def _table(result: QueryResult) -> str:
    numeric = [
        all(not isinstance(row[index], str | datetime | list) for row in result.rows)
        for index in range(len(result.columns))
    ]

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="n">{escape(value)}</{tag}>' if is_number else f"<{tag}>{escape(value)}</{tag}>"
            for value, is_number in zip(values, numeric, strict=True)
        )

    head = cells("th", [name.replace("_", " ") for name in result.columns])
    rows = "".join(
        f"<tr>{cells('td', [display_text(value) for value in row])}</tr>" for row in result.rows[:_MAX_ROWS]
    )
    expanded = " open" if len(result.rows) <= _EXPANDED_ROWS else ""
    count = plural(len(result.rows), "row")
    caption = "Table" if len(result.rows) <= _MAX_ROWS else f"Table of the first {display_text(_MAX_ROWS)}"
    return (
        f"<details{expanded}><summary>{caption}, {count}</summary>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</details>"
    )


def _values(result: QueryResult, *columns: str) -> list[tuple[Any, ...]]:
    """Return the rows, reduced to these columns."""
    indexes = [result.columns.index(name) for name in columns]
    return [tuple(row[index] for index in indexes) for row in result.rows]


def _series(result: QueryResult, group: str, value: str) -> dict[str, dict[datetime, float]]:
    """Return the values by group and hour."""
    series: dict[str, dict[datetime, float]] = {}
    for hour, name, number in _values(result, "hour_utc", group, value):
        if number is not None:
            series.setdefault(str(name), {})[hour] = float(number)
    return dict(sorted(series.items()))


def _revenue(result: QueryResult) -> str:
    return charts.draw_panels(_series(result, "currency", "revenue"), "", shared_scale=False)


def _large_orders(result: QueryResult) -> str:
    groups: dict[str, list[charts.Bar]] = {}
    for customer, currency, count, total in _values(
        result, "customer_id", "currency", "large_orders", "total"
    ):
        if total is None:
            continue
        label = f"{display_text(total)} in {plural(count, 'order')}" if count > 1 else display_text(total)
        groups.setdefault(str(currency), []).append((str(customer), float(total), label))
    largest = {
        name: sorted(bars, key=lambda bar: -bar[1])[:_MAX_BARS_PER_PANEL]
        for name, bars in sorted(groups.items())
    }
    return charts.draw_bar_panels(largest)


def _rejection_reasons(result: QueryResult) -> str:
    return charts.draw_stack(_series(result, "rule", "rejected_events"), "")


def _payment_failures(result: QueryResult) -> str:
    return charts.draw_panels(_series(result, "method", "failed_percent"), "%", shared_scale=True)


def _funnel(result: QueryResult) -> str:
    rows = _values(result, "step", "sessions", "percent_of_widest")[:_MAX_BARS]
    return charts.draw_bars(
        [
            (str(step), float(sessions), f"{display_text(sessions)} ({float(percent):.1f}%)")
            for step, sessions, percent in rows
        ]
    )


# A named query without an entry is shown as a table only.
_CHARTS: Mapping[str, Callable[[QueryResult], str]] = {
    "revenue_per_hour": _revenue,
    "large_orders_by_customer": _large_orders,
    "payment_failure_rate": _payment_failures,
    "activity_funnel": _funnel,
    "rejection_reasons": _rejection_reasons,
}


def _freshness(received: datetime | None, archived: datetime | None) -> str:
    if received is None or archived is None:
        return ""
    return (
        f"The newest event was received {received:%Y-%m-%d %H:%M:%S} UTC; the newest object was written "
        f"{archived.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
    )


def _age_text(now: datetime, time: datetime | None) -> str:
    if time is None:
        return "-"
    seconds = max(0.0, (now - time.replace(tzinfo=UTC)).total_seconds())
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size_text(count: int) -> str:
    for size, unit in ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
