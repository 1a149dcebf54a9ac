"""The named queries: right answers on DuckDB, and SQL that Athena takes."""

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
from tests.unit.tools.analytics.archive import event_line, key, put, rejected_line
from tools.analytics.database import PARTITIONS, open_archive, view_sql
from tools.analytics.named_queries import NamedQuery, named_queries, named_query
from tools.core.errors import UsageError

NAMED = [pytest.param(one, id=one.name) for one in named_queries()]
HOUR_14, HOUR_15 = datetime(2026, 11, 22, 14), datetime(2026, 11, 22, 15)  # noqa: DTZ001


def order(event_id: str, amount: str, currency: str = "EUR", hour: int = 14, **fields: Any) -> str:
    return event_line(
        "{}",
        event_id=event_id,
        amount=amount,
        currency=currency,
        received_at=f"2026-11-22T{hour}:30:00.000Z",
        **{"large_order": False, **fields},
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("archive")
    large = [
        order("o-4", "2000.10", large_order=True, customer_id="cust-7"),
        order("o-5", "3000.20", large_order=True, customer_id="cust-7"),
        order("o-6", "9000", "USD", large_order=True, customer_id="cust-8"),
    ]
    put(directory, key(), order("o-1", "0.1"), order("o-2", "0.2"), order("o-3", "7.5", "USD"), *large)
    # A batch that was archived twice.
    put(directory, key(name="again"), *large)
    put(directory, key(hour="2026-11-22T15"), order("o-7", "1", hour=15))
    payments = [("card", "captured")] * 3 + [("card", "failed"), ("paypal", "refunded")]
    put(
        directory,
        key("payment"),
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
    actions = ["add_to_cart", "page_view", "page_view", "page_view", "begin_checkout", "waves"]
    put(
        directory,
        key("activity"),
        *(
            event_line(f'{{"action":"{action}"}}', event_id=f"a-{n}", customer_id=f"cust-{n % 3}")
            for n, action in enumerate(actions)
        ),
    )
    missing = {"path": "$.amount", "rule": "required", "reason": "is missing"}
    wrong = {"path": "$.items", "rule": "type", "reason": "is no array"}
    put(directory, key("invalid_event"), rejected_line("{}", reasons=[missing, wrong]))
    put(directory, key("invalid_event", name="b"), rejected_line("{}", message_id="m-2", reasons=[missing]))
    return directory


def answers(archive: Path, name: str) -> list[tuple[Any, ...]]:
    with open_archive(archive) as database:
        return list(database.query(named_query(name).sql).rows)


def test_revenue_is_that_of_orders_to_the_cent_and_by_currency(archive: Path) -> None:
    assert answers(archive, "revenue_per_hour") == [
        (HOUR_14, "EUR", 4, Decimal("5000.60")),
        (HOUR_14, "USD", 2, Decimal("9007.50")),
        (HOUR_15, "EUR", 1, Decimal(1)),
    ]


def test_large_orders_come_by_customer_most_orders_first(archive: Path) -> None:
    newest = datetime(2026, 11, 22, 14, 30)  # noqa: DTZ001
    assert answers(archive, "large_orders_by_customer") == [
        ("cust-7", "EUR", 2, Decimal("5000.30"), Decimal("3000.20"), newest),
        ("cust-8", "USD", 1, Decimal(9000), Decimal(9000), newest),
    ]


@pytest.mark.parametrize("name", ["revenue_per_hour", "large_orders_by_customer"])
def test_amounts_beyond_the_contract_have_rows_of_their_own_and_never_overflow(
    archive: Path, tmp_path: Path, name: str
) -> None:
    """Contract 1.0.0 allowed 9e33, and two of them are more than DECIMAL(38, 4) holds."""
    before = answers(archive, name)
    old = {"amount": "9" + "0" * 33, "currency": "EUR", "large_order": True, "schema_version": "1.0.0"}
    lines = [event_line({}, event_id=f"old-{n}", customer_id="cust-old", **old) for n in range(2)]
    shutil.copytree(archive, tmp_path, dirs_exist_ok=True)
    put(tmp_path, key(name="old"), *lines)
    rows = answers(tmp_path, name)
    assert [row for row in rows if "old" not in str(row)] == before
    assert sorted(row[1] for row in rows if "old" in str(row)) == [
        "EUR (event_id old-0)", "EUR (event_id old-1)",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["revenue_per_hour", "large_orders_by_customer"])
def test_amounts_at_the_bound_of_the_contract_are_summed(tmp_path: Path, name: str) -> None:
    largest = contract.declared_fields("order")["amount"]["exclusiveMaximum"] - Decimal("0.0001")
    said = {"amount": str(largest), "currency": "EUR", "large_order": True}
    put(tmp_path, key(), *(event_line({}, event_id=f"e-{n}", **said) for n in range(1000)))
    (row,) = answers(tmp_path, name)
    assert 1000 * largest in row


def test_a_rejected_event_counts_for_each_rule_that_it_broke(archive: Path) -> None:
    assert answers(archive, "rejection_reasons") == [(HOUR_14, "required", 2), (HOUR_14, "type", 1)]


def test_the_failure_rate_is_of_all_payments_by_a_method(archive: Path) -> None:
    assert answers(archive, "payment_failure_rate") == [
        (HOUR_14, "card", 4, 1, 25.0),
        (HOUR_14, "paypal", 1, 0, 0.0),
    ]


def test_the_funnel_has_its_steps_in_order_and_then_the_rest(archive: Path) -> None:
    assert answers(archive, "activity_funnel") == [
        ("page_view", 3, 3, 100.0),
        ("add_to_cart", 1, 1, 33.3),
        ("begin_checkout", 1, 1, 33.3),
        ("waves", 1, 1, 33.3),
    ]


@pytest.mark.parametrize("asked", NAMED)
def test_every_question_has_a_title_and_is_one_select(asked: NamedQuery) -> None:
    assert re.fullmatch(r"[A-Z].+[^.]", asked.title)
    assert asked.sql.startswith("SELECT")
    assert ";" not in asked.sql


@pytest.mark.parametrize("asked", NAMED)
def test_every_question_can_be_asked_of_an_empty_archive(asked: NamedQuery, tmp_path: Path) -> None:
    with open_archive(tmp_path) as database:
        assert database.query(asked.sql).rows == []


@pytest.mark.parametrize("dialect", ["athena", "trino"])
@pytest.mark.parametrize("sql", [*(one.sql for one in named_queries()), *map(view_sql, PARTITIONS)])
def test_athena_s_grammar_takes_it(sql: str, dialect: str) -> None:
    (parsed,) = sqlglot.parse(sql, dialect=dialect)
    assert isinstance(parsed, exp.Select)
    # What a parser does not know it takes for a function of somebody's own.
    assert {one.name.lower() for one in parsed.find_all(exp.Anonymous)} <= _TRINO


# Functions of Trino's documentation (trino.io/docs/current/functions) that sqlglot has no class for.
_TRINO = {"json_format", "from_iso8601_timestamp", "count_if", "array_distinct", "regexp_extract_all"}


@pytest.mark.parametrize("asked", NAMED)
def test_a_question_asks_of_the_views_alone_and_for_columns_that_they_have(asked: NamedQuery) -> None:
    (parsed,) = sqlglot.parse(asked.sql, dialect="athena")
    assert parsed is not None
    assert {table.name for table in parsed.find_all(exp.Table)} <= set(PARTITIONS)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="NAME=revenue") as refused:
        named_query("revenue")
    assert all(one.name in refused.value.hint for one in named_queries())
