"""One HTML page of the answers to all named queries, whole in itself: no script, no font, no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from tools.analytics import charts
from tools.analytics.archive import SyncResult
from tools.analytics.database import Database, QueryResult
from tools.analytics.named_queries import NamedQuery, named_queries
from tools.analytics.output import text
from tools.analytics.report_range import ReportRange
from tools.core.console import plural

_STYLE = (Path(__file__).parent / "report.css").read_text("utf-8")
# A table of more rows than a screen has is folded up.
_UNFOLDED = 8
_MOST_ROWS = 1000
_MOST_BARS = 12
_MOST_BARS_IN_A_PANEL = 6
_EVENTS = "SELECT count(*), count(DISTINCT customer_id), max(received_at) FROM events"
_REJECTED = "SELECT count(*), max(received_at) FROM rejected"


def page(database: Database, fetched: SyncResult, span: ReportRange, where: str, now: datetime) -> str:
    """The page; ``where`` says which archive it is about, ``now`` when it was made."""
    ((events, customers, newest_event),) = database.query(_EVENTS).rows
    ((rejected, newest_rejected),) = database.query(_REJECTED).rows
    newest = max((one for one in (newest_event, newest_rejected) if one), default=None)
    share = f"{100 * rejected / (events + rejected):.1f}% of all" if events + rejected else "of none"
    cards = "".join(
        f'<div class="card"><b>{escape(figure)}</b><span>{escape(name)}</span></div>'
        for figure, name in (
            (text(events), f"stored, of {plural(customers, 'customer')}"),
            (text(rejected), f"rejected, {share}"),
            (_age(now, newest), "since the newest of them was received"),
            (_size(fetched.size), f"compressed, in {plural(len(fetched.objects), 'object')}"),
        )
    )
    sections = "".join(_section(one, database.query(one.sql)) for one in _ordered())
    about = (
        f"Received from {span.since:%Y-%m-%d %H:%M} to {span.until:%Y-%m-%d %H:%M} UTC, archived in {where}. "
        f"Made {now:%Y-%m-%d %H:%M:%S} UTC. {_freshness(newest, fetched.newest)}"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><title>rt-pipeline: archive</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>What the pipeline archived</h1>"
        f'<p class="about">{escape(about)}</p><div class="cards">{cards}</div>{sections}'
        "</main></body></html>\n"
    )


def _ordered() -> list[NamedQuery]:
    """Those with a chart first, as they stand below."""
    places = list(_CHARTS)
    return sorted(
        named_queries(), key=lambda one: places.index(one.name) if one.name in places else len(places)
    )


def _section(asked: NamedQuery, answer: QueryResult) -> str:
    if not answer.rows:
        inner = '<p class="none">Nothing in this span.</p>'
    else:
        inner = _CHARTS.get(asked.name, _nothing)(answer) + _table(answer)
    sql = f"<details><summary>SQL</summary><pre>{escape(asked.sql.strip())}</pre></details>"
    return f'<section id="{escape(asked.name)}"><h2>{escape(asked.title)}</h2>{inner}{sql}</section>'


def _table(answer: QueryResult) -> str:
    numbers = [
        all(not isinstance(row[place], str | datetime | list) for row in answer.rows)
        for place in range(len(answer.columns))
    ]

    def cells(tag: str, values: Sequence[str]) -> str:
        return "".join(
            f'<{tag} class="n">{escape(value)}</{tag}>' if number else f"<{tag}>{escape(value)}</{tag}>"
            for value, number in zip(values, numbers, strict=True)
        )

    head = cells("th", [name.replace("_", " ") for name in answer.columns])
    rows = "".join(
        f"<tr>{cells('td', [text(value) for value in row])}</tr>" for row in answer.rows[:_MOST_ROWS]
    )
    unfolded = " open" if len(answer.rows) <= _UNFOLDED else ""
    count = plural(len(answer.rows), "row")
    shown = "Table" if len(answer.rows) <= _MOST_ROWS else f"Table of the first {text(_MOST_ROWS)}"
    return (
        f"<details{unfolded}><summary>{shown}, {count}</summary>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        "</details>"
    )


def _nothing(answer: QueryResult) -> str:
    return ""


def _series(answer: QueryResult, group: str, value: str) -> dict[str, dict[datetime, float]]:
    """The value by group and hour."""
    places = [answer.columns.index(name) for name in ("hour_utc", group, value)]
    found: dict[str, dict[datetime, float]] = {}
    for row in answer.rows:
        hour, name, figure = (row[place] for place in places)
        found.setdefault(str(name), {})[hour] = float(figure)
    return dict(sorted(found.items()))


def _column(answer: QueryResult, row: Sequence[Any], name: str) -> Any:
    return row[answer.columns.index(name)]


def _revenue(answer: QueryResult) -> str:
    return charts.panels(_series(answer, "currency", "revenue"), "", one_scale=False)


def _large_orders(answer: QueryResult) -> str:
    groups: dict[str, list[charts.Bar]] = {}
    for row in answer.rows:
        customer, currency, count, total = (
            _column(answer, row, name) for name in ("customer_id", "currency", "large_orders", "total")
        )
        said = f"{text(total)} in {plural(count, 'order')}" if count > 1 else text(total)
        groups.setdefault(str(currency), []).append((str(customer), float(total), said))
    largest = {
        name: sorted(rows, key=lambda row: -row[1])[:_MOST_BARS_IN_A_PANEL]
        for name, rows in sorted(groups.items())
    }
    return charts.bar_panels(largest)


def _reasons(answer: QueryResult) -> str:
    return charts.stacked(_series(answer, "rule", "rejected_events"), "")


def _failures(answer: QueryResult) -> str:
    return charts.panels(_series(answer, "method", "failed_percent"), "%", one_scale=True)


def _funnel(answer: QueryResult) -> str:
    rows = []
    for row in answer.rows[:_MOST_BARS]:
        action, customers, percent = (
            _column(answer, row, name) for name in ("action", "customers", "percent_of_widest")
        )
        rows.append((str(action), float(customers), f"{text(customers)} ({float(percent):.1f}%)"))
    return charts.bars(rows)


# A named query without an entry is a table alone.
_CHARTS: Mapping[str, Callable[[QueryResult], str]] = {
    "revenue_per_hour": _revenue,
    "large_orders_by_customer": _large_orders,
    "payment_failure_rate": _failures,
    "activity_funnel": _funnel,
    "rejection_reasons": _reasons,
}


def _freshness(newest: datetime | None, written: datetime | None) -> str:
    if newest is None or written is None:
        return ""
    return (
        f"The newest event was received {newest:%Y-%m-%d %H:%M:%S} UTC; the newest object was written "
        f"{written.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
    )


def _age(now: datetime, newest: datetime | None) -> str:
    if newest is None:
        return "-"
    seconds = max(0.0, (now - newest.replace(tzinfo=UTC)).total_seconds())
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: int) -> str:
    for size, unit in ((1024**3, "GB"), (1024**2, "MB"), (1024, "KB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"
