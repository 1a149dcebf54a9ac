"""The SQL over DynamoDB's exports finds what make verify finds."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from archiver.batch import Batch
from archiver.buckets import Buckets
from common.deadline import CallLimits, Deadline
from tests.unit.archiver import factories
from tools.analytics.database import connect
from tools.core.paths import ROOT

TABLES = {"events": "event_id", "rejected": "message_id", "duplicates": "message_id"}
DOCS = ROOT / "docs" / "reliability.md"
SQL = (ROOT / "tools" / "analytics" / "exports.sql").read_text("utf-8")


class Pipeline:
    """Items by table, which are archived when they are added, and the exports of what is left of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tables: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}

    def add(self, table: str, item: Mapping[str, Any], *, archived: bool = True) -> dict[str, Any]:
        self.tables[table].append({**item, "alert_pending": {"S": "large_order"}})
        if archived:
            number = sum(map(len, self.tables.values()))
            buckets = Buckets(self, "", "", Deadline(lambda: 60_000, CallLimits(1, 1)))
            Batch("events", "rejected", "duplicates", buckets).archive(
                [factories.record(item, table, number)]
            )
        return self.tables[table][-1]

    def put(self, bucket: str, key: str, data: bytes, content_type: str) -> None:
        path = self.directory / "archive" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def get(self, bucket: str, key: str) -> bytes:
        raise AssertionError("no payload of these tests is in S3")

    def findings(self, exported_at: str = "2026-11-23 00:00:00") -> list[tuple[str, ...]]:
        connection = connect(self.directory / "archive")
        for table, items in self.tables.items():
            # One file for each partition of the table; one of an empty partition is empty.
            data = self.directory / table / "AWSDynamoDB" / "01700000000000-a1b2c3d4" / "data"
            data.mkdir(parents=True, exist_ok=True)
            for number, part in enumerate((items[::2], items[1::2], [])):
                text = "".join(json.dumps({"Item": item}, default=_base64) + "\n" for item in part)
                (data / f"{number}.json.gz").write_bytes(gzip.compress(text.encode()))
            connection.execute(
                f"CREATE VIEW {table}_export_lines AS SELECT line FROM read_csv('{data}/*.json.gz', "
                "columns = {line: 'VARCHAR'}, auto_detect = false, header = false, delim = '\x01', "
                "quote = '', escape = '', max_line_size = 1000000)"
            )
        query = SQL.replace("2026-01-01 00:00:00", exported_at)
        return sorted(connection.execute(query).fetchall())


def _base64(binary: bytes) -> str:
    return b64encode(binary).decode()


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    """A pipeline with two of each that has lost nothing."""
    pipeline = Pipeline(tmp_path)
    for number in range(2):
        body = factories.order(event_id=f"e-{number}", note='é\n"}' * 100)
        pipeline.add("events", factories.stored(body))
        pipeline.add("duplicates", factories.duplicate(body))
        pipeline.add("rejected", factories.rejected(f"not JSON {number}"))
    return pipeline


def test_a_pipeline_that_has_lost_nothing_has_no_findings(pipeline: Pipeline) -> None:
    assert pipeline.findings() == []


def test_a_line_that_is_archived_twice_is_no_finding(pipeline: Pipeline) -> None:
    again = pipeline.tables["events"].pop()
    pipeline.add("events", {name: again[name] for name in again if name != "alert_pending"})
    assert pipeline.findings() == []


def test_rows_without_a_line_are_found(pipeline: Pipeline) -> None:
    body = factories.order(event_id="new")
    pipeline.add("events", factories.stored(body), archived=False)
    copy = pipeline.add("duplicates", factories.duplicate(body), archived=False)["message_id"]["S"]
    rejected = pipeline.add("rejected", factories.rejected("{"), archived=False)["message_id"]["S"]
    assert pipeline.findings() == [
        ("not archived", "duplicates", copy),
        ("not archived", "events", "new"),
        ("not archived", "rejected", rejected),
    ]


def test_a_row_with_other_content_than_its_line_is_found_on_both_sides(pipeline: Pipeline) -> None:
    pipeline.tables["events"][0]["content_hash"] = {"S": "0" * 64}
    (copy,) = (
        item["message_id"]["S"] for item in pipeline.tables["duplicates"] if item["event_id"] == {"S": "e-0"}
    )
    assert pipeline.findings() == [
        ("archived and not stored", "events", "e-0"),
        ("dangling", "duplicates", copy),
        ("not archived", "events", "e-0"),
    ]


def test_an_event_that_was_stored_after_the_exports_is_no_finding(pipeline: Pipeline) -> None:
    pipeline.add("events", factories.stored(factories.order(event_id="later")))
    pipeline.tables["events"].pop()
    assert pipeline.findings(exported_at="2026-11-22 14:00:00") == []
    assert pipeline.findings() == [("archived and not stored", "events", "later")]


def test_rejected_events_and_duplicates_that_expired_are_no_finding(pipeline: Pipeline) -> None:
    pipeline.tables["rejected"].clear()
    pipeline.tables["duplicates"].clear()
    assert pipeline.findings() == []


def test_a_message_in_two_tables_is_found(pipeline: Pipeline) -> None:
    event = pipeline.tables["events"][0]
    names = {name: event[name] for name in ("message_id", "content_hash")}
    pipeline.tables["duplicates"][0] |= names
    findings = pipeline.findings()
    assert ("doubled", "events", event["message_id"]["S"]) in findings


@pytest.mark.parametrize("dialect", ["athena", "trino"])
def test_athenas_grammar_accepts_it(dialect: str) -> None:
    (parsed,) = sqlglot.parse(SQL, dialect=dialect)
    assert isinstance(parsed, exp.Union)
    assert {function.name.lower() for function in parsed.find_all(exp.Anonymous)} <= {
        "from_iso8601_timestamp"
    }


def test_the_tables_of_the_page_are_read_as_text_by_athena() -> None:
    statements = re.findall(r"```sql\n(CREATE EXTERNAL TABLE.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert len(statements) == 1
    (parsed,) = sqlglot.parse(statements[0], dialect="athena")
    assert isinstance(parsed, exp.Create)
    assert "events_export_lines" in statements[0]
