"""The named queries return the right rows on DuckDB, in SQL that Athena accepts."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

import contract
from tests.unit.tools.analytics.archive_files import event_line, object_key, rejected_line, write_object
from tools.analytics.database import open_archive
from tools.analytics.named_queries import NamedQuery, find_query, named_queries
from tools.analytics.views import VIEWS
from tools.core.errors import UsageError

NAMED = [pytest.param(query, id=query.name) for query in named_queries()]
HOUR_14, HOUR_15 = datetime(2026, 11, 22, 14), datetime(2026, 11, 22, 15)  # noqa: DTZ001


def order(event_id: str, amount: str, currency: str = "EUR", hour: int = 14, **fields: Any) -> str:
    return event_line(
        '{"session_id":"s-1"}' if event_id == "o-1" else "{}",
        event_id=event_id,
        amount=amount,
        currency=currency,
        received_at="2026-11-22T16:30:00.000Z" if hour == 15 else "2026-11-22T14:30:00.000Z",
        **{"occurred_at": f"2026-11-22T{hour}:10:00.000Z", "large_order": False, **fields},
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("archive")
    large = [
        order("o-4", "2000.10", large_order=True, customer_id="cust-7"),
        order("o-5", "3000.20", large_order=True, customer_id="cust-7"),
        order("o-6", "9000", "USD", large_order=True, customer_id="cust-8"),
    ]
    write_object(
        directory, object_key(), order("o-1", "0.1"), order("o-2", "0.2"), order("o-3", "7.5", "USD"), *large
    )
    # The same batch again, as the archiver may write it.
    write_object(directory, object_key(name="again"), *large)
    write_object(directory, object_key(hour="2026-11-22T15"), order("o-7", "1", hour=15))
    payments = [("card", "captured")] * 3 + [("card", "failed"), ("paypal", "refunded")]
    write_object(
        directory,
        object_key("payment"),
        *(
            event_line(
                f'{{"method":"{method}","status":"{status}"}}',
                event_id=f"p-{n}",
                event_type="payment",
                amount="1",
            )
            for n, (method, status) in enumerate(payments)
        ),
    )
    actions = ["add_to_cart", "page_view", "page_view", "page_view", "begin_checkout", "page_view", "waves"]
    write_object(
        directory,
        object_key("activity"),
        *(
            event_line(f'{{"session_id":"s-{n % 4}","action":"{action}"}}', event_id=f"a-{n}")
            for n, action in enumerate(actions)
        ),
    )
    missing = {"path": "$.amount", "rule": "required", "reason": "is missing"}
    wrong = {"path": "$.items", "rule": "type", "reason": "is no array"}
    write_object(directory, object_key("invalid_event"), rejected_line("{}", reasons=[missing, wrong]))
    write_object(
        directory,
        object_key("invalid_event", name="b"),
        rejected_line("{}", message_id="m-2", reasons=[missing]),
    )
    return directory


def run_query(archive: Path, name: str) -> list[tuple[Any, ...]]:
    with open_archive(archive) as database:
        return list(database.query(find_query(name).sql).rows)


def test_revenue_is_exact_and_counts_orders_only(archive: Path) -> None:
    assert run_query(archive, "revenue_per_hour") == [
        (HOUR_14, "EUR", 4, Decimal("5000.60")),
        (HOUR_14, "USD", 2, Decimal("9007.50")),
        (HOUR_15, "EUR", 1, Decimal(1)),
    ]


def test_large_orders_are_grouped_by_customer_with_most_orders_first(archive: Path) -> None:
    newest = datetime(2026, 11, 22, 14, 30)  # noqa: DTZ001
    assert run_query(archive, "large_orders_by_customer") == [
        ("cust-7", "EUR", 2, Decimal("5000.30"), Decimal("3000.20"), newest),
        ("cust-8", "USD", 1, Decimal(9000), Decimal(9000), newest),
    ]


@pytest.mark.parametrize("name", ["revenue_per_hour", "large_orders_by_customer"])
def test_amounts_beyond_the_contract_have_rows_of_their_own_and_never_overflow(
    archive: Path, tmp_path: Path, name: str
) -> None:
    """Contract 1.0.0 allowed 9e33, and the sum of two of them exceeds DECIMAL(38, 4)."""
    before = run_query(archive, name)
    old = {"amount": "9" + "0" * 33, "currency": "EUR", "large_order": True, "schema_version": "1.0.0"}
    lines = [event_line({}, event_id=f"old-{n}", customer_id="cust-old", **old) for n in range(2)]
    shutil.copytree(archive, tmp_path, dirs_exist_ok=True)
    write_object(tmp_path, object_key(name="old"), *lines)
    rows = run_query(tmp_path, name)
    assert [row for row in rows if "old" not in str(row)] == before
    assert sorted(row[1] for row in rows if "old" in str(row)) == [
        "EUR (event_id old-0)", "EUR (event_id old-1)",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["revenue_per_hour", "large_orders_by_customer"])
def test_the_largest_amounts_of_the_contract_are_summed(tmp_path: Path, name: str) -> None:
    largest = contract.declared_fields("order")["amount"]["exclusiveMaximum"] - Decimal("0.0001")
    fields = {"amount": str(largest), "currency": "EUR", "large_order": True}
    write_object(tmp_path, object_key(), *(event_line({}, event_id=f"e-{n}", **fields) for n in range(1000)))
    (row,) = run_query(tmp_path, name)
    assert 1000 * largest in row


def test_a_rejected_event_counts_for_each_rule_that_it_violates(archive: Path) -> None:
    assert run_query(archive, "rejection_reasons") == [(HOUR_14, "required", 2), (HOUR_14, "type", 1)]


def test_the_failure_rate_is_a_share_of_all_payments_with_a_method(archive: Path) -> None:
    assert run_query(archive, "payment_failure_rate") == [
        (HOUR_14, "card", 4, 1, 25.0),
        (HOUR_14, "paypal", 1, 0, 0.0),
    ]


@pytest.mark.parametrize("occurred_at", ["0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "soon", "99999", ""])
def test_an_order_without_a_sensible_time_counts_when_it_was_received(
    tmp_path: Path, occurred_at: str
) -> None:
    write_object(tmp_path, object_key(), order("o-1", "1", occurred_at=occurred_at))
    assert run_query(tmp_path, "revenue_per_hour") == [(HOUR_14, "EUR", 1, Decimal(1))]


def test_the_funnel_lists_its_steps_in_order_and_then_other_actions(archive: Path) -> None:
    assert run_query(archive, "activity_funnel") == [
        ("page_view", 4, 3, 100.0),
        ("add_to_cart", 1, 1, 33.3),
        ("begin_checkout", 1, 1, 33.3),
        ("order", 1, 1, 33.3),
        ("waves", 1, 1, 33.3),
    ]


@pytest.mark.parametrize("query", NAMED)
def test_every_named_query_has_a_title_and_is_one_select(query: NamedQuery) -> None:
    assert re.fullmatch(r"[A-Z].+[^.]", query.title)
    assert query.sql.startswith("SELECT")
    assert ";" not in query.sql


@pytest.mark.parametrize("query", NAMED)
def test_every_named_query_runs_on_an_empty_archive(query: NamedQuery, tmp_path: Path) -> None:
    with open_archive(tmp_path) as database:
        assert database.query(query.sql).rows == []


@pytest.mark.parametrize("dialect", ["athena", "trino"])
@pytest.mark.parametrize(
    "sql", [*(query.sql for query in named_queries()), *(view.sql() for view in VIEWS.values())]
)
def test_athenas_grammar_accepts_the_sql(sql: str, dialect: str) -> None:
    (parsed,) = sqlglot.parse(sql, dialect=dialect)
    assert isinstance(parsed, exp.Select)
    # The parser accepts every unknown function name.
    assert {function.name.lower() for function in parsed.find_all(exp.Anonymous)} <= _TRINO


# Functions of Trino's documentation (trino.io/docs/current/functions) that sqlglot has no class for.
_TRINO = {"json_format", "from_iso8601_timestamp", "count_if", "array_distinct", "regexp_extract_all"}


@pytest.mark.parametrize("query", NAMED)
def test_a_named_query_reads_the_views_only(query: NamedQuery) -> None:
    (parsed,) = sqlglot.parse(query.sql, dialect="athena")
    assert parsed is not None
    assert {table.name for table in parsed.find_all(exp.Table)} <= set(VIEWS)


def test_an_unknown_name_is_refused_with_the_known_names() -> None:
    with pytest.raises(UsageError, match="NAME=revenue") as refused:
        find_query("revenue")
    assert all(query.name in refused.value.hint for query in named_queries())
