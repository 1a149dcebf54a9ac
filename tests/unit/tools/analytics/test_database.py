"""What the views make of an archive: every digit, each event once, whatever the gzip; and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.tools.analytics.archive import event_line, key, put, rejected_line
from tools.analytics.database import QueryResult, open_archive
from tools.analytics.report_range import ReportRange
from tools.core.errors import OpsError, UsageError
from tools.core.paths import ROOT


def ask(directory: Path, sql: str, span: ReportRange | None = None) -> QueryResult:
    with open_archive(directory, span) as database:
        return database.query(sql)


def value(directory: Path, sql: str, span: ReportRange | None = None) -> Any:
    ((found,),) = ask(directory, sql, span).rows
    return found


@pytest.mark.parametrize(
    "amount", ["0.1", "0.3", "0", "1000.01", "123456789012345.6789", f"{10**34 - 1}", f"{10**33}.0001"]
)
def test_an_amount_is_the_decimal_that_was_sent(tmp_path: Path, amount: str) -> None:
    put(tmp_path, key(), event_line(f'{{"amount":{amount}}}', amount=amount))
    found = value(tmp_path, "select amount from events")
    assert isinstance(found, Decimal)
    assert found == Decimal(amount)


def test_ten_dimes_are_a_dollar(tmp_path: Path) -> None:
    put(tmp_path, key(), *(event_line("{}", event_id=f"e-{n}", amount="0.1") for n in range(10)))
    assert value(tmp_path, "select sum(amount) from events") == 1


def test_an_amount_within_the_event_is_not_the_amount(tmp_path: Path) -> None:
    put(tmp_path, key("activity"), event_line('{"amount":5,"note":",\\"amount\\":6"}', event_type="activity"))
    assert value(tmp_path, "select amount from events") is None


def test_the_event_is_the_text_that_was_sent(tmp_path: Path) -> None:
    sent = '{"event_id":"e-1", "n":1.10, "big":12345678901234567890.123456789, "s":"ü \\u0041 ,\\"event\\":"}'
    put(tmp_path, key(), event_line(sent))
    assert value(tmp_path, "select event from events") == sent


@pytest.mark.parametrize("odd", ['{"s":"\\ud800"}', '{"n":1e999}', '{"s":"\u2028"}'])
def test_an_event_that_few_readers_take_spoils_no_query(tmp_path: Path, odd: str) -> None:
    put(tmp_path, key(), event_line(odd), event_line('{"s":"fine"}', event_id="e-2"))
    found = ask(
        tmp_path, "select event, json_extract_scalar(event, '$.s') from events order by event_id"
    ).rows
    assert [event for event, _ in found] == [odd, '{"s":"fine"}']
    assert found[1][1] == "fine"


def test_what_is_absent_is_null(tmp_path: Path) -> None:
    put(tmp_path, key("activity"), event_line("{}", event_type="activity"))
    absent = ask(tmp_path, "select amount, currency, large_order, item_count, replayed from events").rows
    assert absent == [(None, None, None, None, False)]


def test_an_event_that_was_archived_twice_is_there_once(tmp_path: Path) -> None:
    line = event_line("{}", amount="5")
    put(tmp_path, key(name="a"), line, line, event_line("{}", event_id="e-2", amount="5"))
    put(tmp_path, key(name="b"), line)
    assert ask(tmp_path, "select count(*), sum(amount) from events").rows == [(2, Decimal(10))]
    assert value(tmp_path, "select count(*) from events_lines") == 4


def test_a_rejected_message_that_was_archived_twice_is_there_once(tmp_path: Path) -> None:
    put(tmp_path, key("invalid_event", name="a"), rejected_line("{"), rejected_line("{", message_id="m-2"))
    put(tmp_path, key("invalid_event", name="b"), rejected_line("{"))
    assert value(tmp_path, "select count(*) from rejected") == 2


def test_a_body_of_any_kind_is_given_back(tmp_path: Path) -> None:
    body = '{"a":\n"\x00\x1f ü \\ ,"body": 🛒'
    put(tmp_path, key("invalid_event"), rejected_line(body))
    # DuckDB's strings may hold it as well.
    assert value(tmp_path, "select body from rejected") == body


def test_each_broken_rule_counts_once_for_a_message(tmp_path: Path) -> None:
    reasons = [
        {"path": "$.a", "rule": "required", "reason": 'is missing "rule":"fake"'},
        {"path": "$.b", "rule": "required", "reason": "is missing"},
        {"path": "$.c", "rule": "type", "reason": "is no string"},
    ]
    put(tmp_path, key("invalid_event"), rejected_line("{}", reasons=reasons))
    assert sorted(value(tmp_path, "select rules from rejected")) == ["required", "type"]


@pytest.mark.parametrize("members", [2, 7, 40])
def test_an_object_may_be_of_many_gzip_members(tmp_path: Path, members: int) -> None:
    lines = [event_line(f'{{"n":{n}}}', event_id=f"e-{n}") for n in range(20)]
    put(tmp_path, key(), *lines, members=members)
    assert value(tmp_path, "select count(*) from events") == 20


def test_a_line_of_several_megabytes_is_read(tmp_path: Path) -> None:
    put(tmp_path, key("invalid_event"), rejected_line("\x01" * 1024 * 1024), members=5)
    assert value(tmp_path, "select length(body) from rejected") == 1024 * 1024


def test_partitions_are_columns(tmp_path: Path) -> None:
    put(tmp_path, key("payment", "2026-11-22T04"), event_line("{}", event_type="payment"))
    put(tmp_path, key("event_id_conflict"), rejected_line("{}"))
    assert ask(tmp_path, "select type, dt, hour from events").rows == [("payment", "2026-11-22", "04")]
    assert value(tmp_path, "select kind from rejected") == "event_id_conflict"


def test_times_are_utc(tmp_path: Path) -> None:
    put(tmp_path, key(), event_line("{}", received_at="2026-11-22T14:03:07.123Z"))
    assert value(tmp_path, "select received_at from events") == datetime(2026, 11, 22, 14, 3, 7, 123000)  # noqa: DTZ001


def test_an_empty_archive_has_the_same_columns(tmp_path: Path) -> None:
    empty, filled = tmp_path / "empty", tmp_path / "filled"
    put(filled, key(), event_line("{}"))
    put(filled, key("invalid_event"), rejected_line("{}"))
    empty.mkdir()
    with open_archive(empty) as nothing, open_archive(filled) as something:
        assert nothing.columns() == something.columns()
        assert nothing.query("select count(*) from events").rows == [(0,)]


def test_a_span_cuts_within_an_hour(tmp_path: Path) -> None:
    for minute in (10, 20, 30):
        line = event_line("{}", event_id=f"e-{minute}", received_at=f"2026-11-22T14:{minute}:00.000Z")
        put(tmp_path, key(name=f"{minute}"), line)
    put(tmp_path, key(hour="2026-11-22T13"), event_line("{}", received_at="2026-11-22T13:20:00.000Z"))
    span = ReportRange(datetime(2026, 11, 22, 14, 20, tzinfo=UTC), datetime(2026, 11, 22, 14, 30, tzinfo=UTC))
    assert value(tmp_path, "select event_id from events", span) == "e-20"


def test_a_directory_may_have_a_quote_in_its_name(tmp_path: Path) -> None:
    put(tmp_path / "it's here", key(), event_line("{}"))
    assert value(tmp_path / "it's here", "select count(*) from events") == 1


def test_what_duckdb_refuses_is_explained_with_the_columns(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nope") as refused:
        ask(tmp_path, "select nope from events")
    assert "events: event_id varchar" in refused.value.hint
    assert "rejected: message_id varchar" in refused.value.hint


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "select 1; select 2",
        "copy (select 1) to '{there}/x.csv'",
        "explain analyze copy (select 1) to '{there}/x.csv'",
        "create table t as select 1",
        "drop view events",
        "attach '{there}/x.db'",
        "export database '{there}/x'",
        "set enable_external_access = true",
        "install httpfs",
        "pragma database_list",
        "call pragma_version()",
    ],
)
def test_a_query_is_one_select_and_changes_nothing(tmp_path: Path, sql: str) -> None:
    put(tmp_path, key(), event_line("{}"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError):
        ask(tmp_path, sql.format(there=tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('{secret}')",
        "select * from read_csv('{secret}')",
        "select * from '{secret}'",
        "select * from glob('{directory}/*')",
        "select * from read_text('{archive}/../secret.txt')",
        "select content from read_blob('/etc/hostname')",
    ],
)
def test_a_query_reads_nothing_but_the_archive(tmp_path: Path, sql: str) -> None:
    archive, secret = tmp_path / "archive", tmp_path / "secret.txt"
    secret.write_text("password")
    put(archive, key(), event_line("{}"))
    with pytest.raises(UsageError):
        ask(archive, sql.format(secret=secret, directory=tmp_path, archive=archive))


def test_a_damaged_object_is_said(tmp_path: Path) -> None:
    put(tmp_path, key(), event_line("{}")).write_bytes(b"this is no gzip")
    with pytest.raises(OpsError, match="DuckDB says"):
        ask(tmp_path, "select count(event_id) from events")


def test_the_line_of_the_documentation_makes_parquet_of_an_archive(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "analytics.md").read_text("utf-8")
    found = re.search(r'python -c "(.*?[^\\])"\n```', text, re.DOTALL)
    assert found is not None
    put(tmp_path / ".stack" / "archive" / "bucket", key(), event_line("{}", amount="123456789012345.6789"))
    program = found[1].replace('\\"', '"')
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=path, check=True, timeout=60)
    made = duckdb.read_parquet(str(tmp_path / "events.parquet")).fetchall()
    assert len(made) == 1
    assert Decimal("123456789012345.6789") in made[0]
