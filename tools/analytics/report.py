"""Render the results of all named queries as one HTML page without scripts, fonts or network access."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from string import Template
from typing import Any

from tools.analytics import charts
from tools.analytics.archive import SyncResult
from tools.analytics.database import Database, QueryResult
from tools.analytics.named_queries import NamedQuery, named_queries
from tools.analytics.output import display_text
from tools.core.archive_range import ArchiveRange
from tools.core.console import plural
from tools.core.text import escape_html as escape
from tools.core.text import format_bytes, format_millis

_STYLE = Path(__file__).with_suffix(".css").read_text("utf-8")
_PAGE = Template(Path(__file__).with_suffix(".html").read_text("utf-8"))
# The page needs its own style and nothing else. Styles of single elements would be refused too.
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    f"style-src 'sha256-{b64encode(sha256(_STYLE.encode()).digest()).decode()}'"
)
_MAX_ROWS = 1000
_HOUR = "hour_utc"
_MAX_BARS = 12
_MAX_BARS_PER_PANEL = 6
_EVENTS = "SELECT count(*), count(DISTINCT customer_id), max(received_at) FROM events"
_REJECTED = "SELECT count(*), max(received_at) FROM rejected"


@dataclass(frozen=True)
class Source:
    """The pipeline of the page, where its archive is, the range, and when the page is made."""

    name: str
    location: str
    selected: ArchiveRange
    now: datetime

    @property
    def until(self) -> datetime:
        """Return the end of what the page shows. A range without an end is read beyond now."""
        return min(self.selected.until, self.now)


def render_report(database: Database, synced: SyncResult, source: Source) -> str:
    """Return the page."""
    ((events, customers, newest_event),) = database.query(_EVENTS).rows
    ((rejected, newest_rejected),) = database.query(_REJECTED).rows
    newest = max((time for time in (newest_event, newest_rejected) if time), default=None)
    age = "-"
    if newest:
        since = source.now - newest.replace(tzinfo=UTC)
        age = format_millis(max(0, since // timedelta(milliseconds=1)))
    share = f"{100 * rejected / (events + rejected):.1f}% of all" if events + rejected else "of none"
    cards = "".join(
        f'<div class="card"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label in (
            (display_text(events), f"stored, of {plural(customers, 'customer')}"),
            (display_text(rejected), f"rejected, {share}"),
            (age, "since the newest message was received"),
            (format_bytes(synced.size), f"compressed, in {plural(len(synced.objects), 'object')}"),
        )
    )
    results = {query: database.query(query.sql) for query in _ordered_queries()}
    axis = charts.Axis.of(_hours(results.values()), source.until.replace(tzinfo=None))
    sections = "".join(_section(query, result, axis) for query, result in results.items())
    span = f"{source.selected.since:%Y-%m-%d %H:%M} to {source.until:%Y-%m-%d %H:%M} UTC"
    title = escape(f"{source.name}, {span}")
    about = (
        f"Messages received in this time, archived in {source.location}. Made {source.now:%Y-%m-%d %H:%M:%S} "
        f"UTC. {_freshness(newest, synced.last_modified)} All charts have the hours {axis.span}; a grey "
        "band marks hours without a value."
    )
    return _PAGE.substitute(
        policy=_POLICY, style=_STYLE, title=title, about=escape(about), cards=cards, sections=sections
    )


def _hours(results: Iterable[QueryResult]) -> list[datetime]:
    """Return the hours of all results that have a column of hours."""
    return [hour for result in results if _HOUR in result.columns for (hour,) in _values(result, _HOUR)]


def _ordered_queries() -> list[NamedQuery]:
    """Return the queries with a chart first, in the order of `_CHARTS`."""
    order = list(_CHARTS)
    return sorted(
        named_queries(), key=lambda query: order.index(query.name) if query.name in order else len(order)
    )


def _section(query: NamedQuery, result: QueryResult, axis: charts.Axis) -> str:
    content = '<p class="none">No rows in this range.</p>'
    if result.rows:
        chart = _CHARTS[query.name](query.title, result, axis) if query.name in _CHARTS else ""
        content = chart + _table(query.title, result, axis.end.year)
    title = escape(query.title)
    sql = (
        f'<details><summary>SQL</summary><pre tabindex="0" role="region" aria-label="SQL: {title}">'
        f"{escape(query.sql.strip())}</pre></details>"
    )
    return f'<section id="{escape(query.name)}"><h2>{title}</h2>{content}{sql}</section>'


def _table(title: str, result: QueryResult, year: int) -> str:
    columns = list(zip(*result.rows, strict=True))
    kinds = ["" if any(isinstance(each, str | list) for each in column) else " class=n" for column in columns]
    kinds = [
        " class=t" if isinstance(column[0], datetime) else kind
        for column, kind in zip(columns, kinds, strict=True)
    ]

    def cells(tag: str, values: Iterable[str]) -> str:
        name = tag.partition(" ")[0]
        return "".join(
            f"<{tag}{kind}>{escape(value)}</{name}>" for value, kind in zip(values, kinds, strict=True)
        )

    head = cells('th scope="col"', [name.replace("_", " ") for name in result.columns])
    rows = "".join(
        f"<tr>{cells('td', (_cell_text(value, year) for value in row))}</tr>"
        for row in result.rows[:_MAX_ROWS]
    )
    count = plural(len(result.rows), "row")
    caption = f"The first {display_text(_MAX_ROWS)} of {count}" if len(result.rows) > _MAX_ROWS else count
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="Table: {escape(title)}"><table>'
        f"<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _cell_text(value: Any, year: int) -> str:
    if isinstance(value, datetime):
        # As on the axes: longer times make the table too wide for a phone.
        return f"{value:%d %b %H:%M}" if value.year == year else f"{value:%d %b %Y %H:%M}"
    return display_text(value)


def _values(result: QueryResult, *columns: str) -> list[tuple[Any, ...]]:
    """Return the rows, reduced to these columns."""
    indexes = [result.columns.index(name) for name in columns]
    return [tuple(row[index] for index in indexes) for row in result.rows]


def _series(result: QueryResult, group: str, value: str) -> dict[str, dict[datetime, float]]:
    """Return the values by group and hour."""
    series: dict[str, dict[datetime, float]] = {}
    for hour, name, number in _values(result, _HOUR, group, value):
        if number is not None:
            series.setdefault(str(name), {})[hour] = float(number)
    return dict(sorted(series.items()))


def _revenue(title: str, result: QueryResult, axis: charts.Axis) -> str:
    return charts.draw_panels(title, _series(result, "currency", "revenue"), axis, "", shared=False)


def _large_orders(title: str, result: QueryResult, axis: charts.Axis) -> str:
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


def _rejection_reasons(title: str, result: QueryResult, axis: charts.Axis) -> str:
    return charts.draw_stack(title, _series(result, "rule", "rejected_events"), axis)


def _payment_failures(title: str, result: QueryResult, axis: charts.Axis) -> str:
    return charts.draw_panels(title, _series(result, "method", "failed_percent"), axis, "%", shared=True)


def _funnel(title: str, result: QueryResult, axis: charts.Axis) -> str:
    rows = _values(result, "step", "sessions", "percent_of_widest")[:_MAX_BARS]
    return charts.draw_bars(
        [
            (str(step), float(sessions), f"{display_text(sessions)} ({float(percent or 0):.1f}%)")
            for step, sessions, percent in rows
        ]
    )


# A named query without an entry is shown as a table only.
_CHARTS: Mapping[str, Callable[[str, QueryResult, charts.Axis], str]] = {
    "revenue_per_hour": _revenue,
    "activity_funnel": _funnel,
    "large_orders_by_customer": _large_orders,
    "payment_failure_rate": _payment_failures,
    "rejection_reasons": _rejection_reasons,
}


def _freshness(received: datetime | None, archived: datetime | None) -> str:
    if received is None or archived is None:
        return ""
    return (
        f"The newest event was received {received:%Y-%m-%d %H:%M:%S} UTC; the newest object was written "
        f"{archived.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC."
    )
