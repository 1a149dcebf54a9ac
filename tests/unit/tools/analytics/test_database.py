"""The views have every digit, each event once, and no access to anything else."""

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

from archiver.lines import duplicate_line
from tests.unit.archiver import factories
from tests.unit.tools.analytics.archive_files import event_line, object_key, rejected_line, write_object
from tools.analytics.database import QueryResult, open_archive
from tools.core.archive_range import ArchiveRange
from tools.core.errors import ToolError, UsageError
from tools.core.paths import ROOT


def run_query(directory: Path, sql: str, selected: ArchiveRange | None = None) -> QueryResult:
    with open_archive(directory, selected) as database:
        return database.query(sql)


def query_value(directory: Path, sql: str, selected: ArchiveRange | None = None) -> Any:
    ((value,),) = run_query(directory, sql, selected).rows
    return value


@pytest.mark.parametrize(
    "amount", ["0.1", "0.3", "0", "1000.01", "123456789012345.6789", f"{10**34 - 1}", f"{10**33}.0001"]
)
def test_an_amount_has_every_digit_that_was_sent(tmp_path: Path, amount: str) -> None:
    write_object(tmp_path, object_key(), event_line(f'{{"amount":{amount}}}', amount=amount))
    archived = query_value(tmp_path, "select amount from events")
    assert isinstance(archived, Decimal)
    assert archived == Decimal(amount)


def test_amounts_are_summed_exactly(tmp_path: Path) -> None:
    write_object(
        tmp_path, object_key(), *(event_line("{}", event_id=f"e-{n}", amount="0.1") for n in range(10))
    )
    assert query_value(tmp_path, "select sum(amount) from events") == 1


def test_an_amount_inside_the_event_is_not_the_column(tmp_path: Path) -> None:
    write_object(
        tmp_path,
        object_key("activity"),
        event_line('{"amount":5,"note":",\\"amount\\":6"}', event_type="activity"),
    )
    assert query_value(tmp_path, "select amount from events") is None


def test_the_event_is_the_text_that_was_sent(tmp_path: Path) -> None:
    sent = '{"event_id":"e-1", "n":1.10, "big":12345678901234567890.123456789, "s":"ü \\u0041 ,\\"event\\":"}'
    write_object(tmp_path, object_key(), event_line(sent))
    assert query_value(tmp_path, "select event from events") == sent


@pytest.mark.parametrize("odd", ['{"s":"\\ud800"}', '{"n":1e999}', '{"s":"\u2028"}'])
def test_an_event_with_unusual_json_breaks_no_query(tmp_path: Path, odd: str) -> None:
    write_object(tmp_path, object_key(), event_line(odd), event_line('{"s":"fine"}', event_id="e-2"))
    rows = run_query(
        tmp_path, "select event, json_extract_scalar(event, '$.s') from events order by event_id"
    ).rows
    assert [event for event, _ in rows] == [odd, '{"s":"fine"}']
    assert rows[1][1] == "fine"


def test_missing_columns_are_null_or_their_default(tmp_path: Path) -> None:
    write_object(tmp_path, object_key("activity"), event_line("{}", event_type="activity"))
    absent = run_query(
        tmp_path, "select amount, currency, large_order, item_count, replayed from events"
    ).rows
    assert absent == [(None, None, None, None, False)]


def test_an_event_that_was_archived_twice_is_one_row(tmp_path: Path) -> None:
    line = event_line("{}", amount="5")
    write_object(tmp_path, object_key(name="a"), line, line, event_line("{}", event_id="e-2", amount="5"))
    write_object(tmp_path, object_key(name="b"), line)
    assert run_query(tmp_path, "select count(*), sum(amount) from events").rows == [(2, Decimal(10))]
    assert query_value(tmp_path, "select count(*) from events_lines") == 4


def test_a_rejected_message_that_was_archived_twice_is_one_row(tmp_path: Path) -> None:
    write_object(
        tmp_path,
        object_key("invalid_event", name="a"),
        rejected_line("{"),
        rejected_line("{", message_id="m-2"),
    )
    write_object(tmp_path, object_key("invalid_event", name="b"), rejected_line("{"))
    assert query_value(tmp_path, "select count(*) from rejected") == 2


def test_a_rejected_body_is_the_text_that_was_sent(tmp_path: Path) -> None:
    body = '{"a":\n"\x00\x1f ü \\ ,"body": 🛒'
    write_object(tmp_path, object_key("invalid_event"), rejected_line(body))
    assert query_value(tmp_path, "select body from rejected") == body


def test_each_violated_rule_is_listed_once(tmp_path: Path) -> None:
    reasons = [
        {"path": "$.a", "rule": "required", "reason": 'is missing "rule":"fake"'},
        {"path": "$.b", "rule": "required", "reason": "is missing"},
        {"path": "$.c", "rule": "type", "reason": "is no string"},
    ]
    write_object(tmp_path, object_key("invalid_event"), rejected_line("{}", reasons=reasons))
    assert sorted(query_value(tmp_path, "select rules from rejected")) == ["required", "type"]


def test_objects_of_zstd_and_of_gzip_are_one_archive(tmp_path: Path) -> None:
    new = object_key(name="new").removesuffix(".json.gz") + ".jsonl.zst"
    write_object(
        tmp_path, object_key(name="old"), event_line("{}", event_id="a"), event_line("{}", event_id="b")
    )
    write_object(tmp_path, new, event_line("{}", event_id="b"), event_line("{}", event_id="c"))
    assert query_value(tmp_path, "select string_agg(event_id, '' order by event_id) from events") == "abc"


def test_a_duplicate_has_a_view_without_a_body(tmp_path: Path) -> None:
    item = factories.duplicate(factories.order(event_id="e-1"))
    line = duplicate_line(item, lambda key: b"").text.decode().removesuffix("\n")
    write_object(tmp_path, object_key("duplicates"), line, line)
    assert run_query(tmp_path, "select event_id, content_hash, dt from duplicates").rows == [
        ("e-1", item["content_hash"]["S"], "2026-11-22")
    ]


@pytest.mark.parametrize("members", [2, 7, 40])
def test_an_object_may_have_many_gzip_members(tmp_path: Path, members: int) -> None:
    lines = [event_line(f'{{"n":{n}}}', event_id=f"e-{n}") for n in range(20)]
    write_object(tmp_path, object_key(), *lines, members=members)
    assert query_value(tmp_path, "select count(*) from events") == 20


def test_a_line_of_several_megabytes_is_read(tmp_path: Path) -> None:
    write_object(tmp_path, object_key("invalid_event"), rejected_line("\x01" * 1024 * 1024), members=5)
    assert query_value(tmp_path, "select length(body) from rejected") == 1024 * 1024


def test_partitions_are_columns(tmp_path: Path) -> None:
    write_object(tmp_path, object_key("payment", "2026-11-22T04"), event_line("{}", event_type="payment"))
    write_object(tmp_path, object_key("event_id_conflict"), rejected_line("{}"))
    assert run_query(tmp_path, "select type, dt, hour from events").rows == [("payment", "2026-11-22", "04")]
    assert query_value(tmp_path, "select kind from rejected") == "event_id_conflict"


def test_times_are_utc(tmp_path: Path) -> None:
    write_object(tmp_path, object_key(), event_line("{}", received_at="2026-11-22T14:03:07.123Z"))
    assert query_value(tmp_path, "select received_at from events") == datetime(2026, 11, 22, 14, 3, 7, 123000)  # noqa: DTZ001


def test_an_empty_archive_has_the_same_columns(tmp_path: Path) -> None:
    empty, filled = tmp_path / "empty", tmp_path / "filled"
    write_object(filled, object_key(), event_line("{}"))
    write_object(filled, object_key("invalid_event"), rejected_line("{}"))
    empty.mkdir()
    with open_archive(empty) as nothing, open_archive(filled) as something:
        assert nothing.columns() == something.columns()
        assert nothing.query("select count(*) from events").rows == [(0,)]


def test_a_range_can_begin_within_an_hour(tmp_path: Path) -> None:
    for minute in (10, 20, 30):
        line = event_line("{}", event_id=f"e-{minute}", received_at=f"2026-11-22T14:{minute}:00.000Z")
        write_object(tmp_path, object_key(name=f"{minute}"), line)
    write_object(
        tmp_path, object_key(hour="2026-11-22T13"), event_line("{}", received_at="2026-11-22T13:20:00.000Z")
    )
    selected = ArchiveRange(
        datetime(2026, 11, 22, 14, 20, tzinfo=UTC), datetime(2026, 11, 22, 14, 30, tzinfo=UTC)
    )
    assert query_value(tmp_path, "select event_id from events", selected) == "e-20"


def test_a_directory_may_have_a_quote_in_its_name(tmp_path: Path) -> None:
    write_object(tmp_path / "it's here", object_key(), event_line("{}"))
    assert query_value(tmp_path / "it's here", "select count(*) from events") == 1


def test_a_refused_query_is_explained_with_the_columns(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nope") as refused:
        run_query(tmp_path, "select nope from events")
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
def test_anything_but_one_select_is_refused_and_changes_nothing(tmp_path: Path, sql: str) -> None:
    write_object(tmp_path, object_key(), event_line("{}"))
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError):
        run_query(tmp_path, sql.format(there=tmp_path))
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
def test_a_query_cannot_read_other_files(tmp_path: Path, sql: str) -> None:
    archive, secret = tmp_path / "archive", tmp_path / "secret.txt"
    secret.write_text("password")
    write_object(archive, object_key(), event_line("{}"))
    with pytest.raises(UsageError):
        run_query(archive, sql.format(secret=secret, directory=tmp_path, archive=archive))


def test_a_damaged_object_is_reported(tmp_path: Path) -> None:
    write_object(tmp_path, object_key(), event_line("{}")).write_bytes(b"this is no gzip")
    with pytest.raises(ToolError, match="DuckDB says"):
        run_query(tmp_path, "select count(event_id) from events")


def test_the_export_in_the_documentation_writes_parquet(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "analytics.md").read_text("utf-8")
    match = re.search(r'python -c "(.*?[^\\])"\n```', text, re.DOTALL)
    assert match is not None
    write_object(
        tmp_path / ".stack" / "archive" / "bucket",
        object_key(),
        event_line("{}", amount="123456789012345.6789"),
    )
    program = match[1].replace('\\"', '"')
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=path, check=True, timeout=60)
    exported = duckdb.read_parquet(str(tmp_path / "events.parquet")).fetchall()
    assert len(exported) == 1
    assert Decimal("123456789012345.6789") in exported[0]


@pytest.mark.parametrize("name", ["a[b]c", "[!x]", "a*", "a?", "it's", 'a"b', "a{b,c}", "100%", "größer 你"])
def test_the_path_of_the_archive_is_no_pattern(tmp_path: Path, name: str) -> None:
    write_object(tmp_path / name, object_key(), event_line("{}"))
    # What the pattern would match instead.
    for other in ("abc", "ab", "b", "x", "ax"):
        write_object(tmp_path / other, object_key(), event_line("{}", event_id="other"))
    assert query_value(tmp_path / name, "select string_agg(event_id) from events") == "e-1"


@pytest.mark.parametrize(
    "sql",
    [
        "select from_iso8601_timestamp('2026-11-22T15:03:06+01:00') as t",
        "with q as (select timestamptz '2026-11-22 14:03:06Z' as t) select t from q order by t; -- the end",
        "values (timestamptz '2026-11-22 14:03:06Z')",
    ],
)
def test_a_time_with_a_zone_is_returned_in_utc(tmp_path: Path, sql: str) -> None:
    assert query_value(tmp_path, sql) == datetime(2026, 11, 22, 14, 3, 6)  # noqa: DTZ001


def test_times_with_a_zone_keep_their_columns_and_nesting(tmp_path: Path) -> None:
    time = "timestamptz '2026-11-22 14:03:06Z'"
    result = run_query(tmp_path, f'select 1 as a, [{time}] as a, {{\'t\': {time}}} as "x""y"')
    moment = datetime(2026, 11, 22, 14, 3, 6)  # noqa: DTZ001
    assert (list(result.columns), result.rows) == (["a", "a", 'x"y'], [(1, [moment], {"t": moment})])
