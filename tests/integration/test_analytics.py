"""End to end: sent events can be queried and appear in the report."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.integration.conftest import OUTCOME_SECONDS, Pipeline
from tests.integration.running_ops import analytics, ops
from tests.integration.test_pipeline import event_id, order
from tests.waiting import eventually

# A double would round it.
AMOUNT = "123456789012345.6789"


def rows(pipeline: Pipeline, sql: str) -> list[list[str]]:
    """Return the rows of a query; none if the archive is still empty."""
    result = analytics(pipeline, "query", Q=sql, FORMAT="csv", SINCE="1h")
    return list(csv.reader(io.StringIO(result.stdout)))[1:]


def test_a_query_returns_an_event_to_the_last_digit(pipeline: Pipeline) -> None:
    body = order(AMOUNT)
    pipeline.send(body)
    sql = f"select amount, event from events where event_id = '{event_id(body)}'"
    (row,) = eventually(lambda: rows(pipeline, sql), within=OUTCOME_SECONDS, what="the event can be queried")
    assert row == [AMOUNT, body]


def test_an_event_that_is_archived_twice_is_counted_once(pipeline: Pipeline) -> None:
    body = order("0.10")
    pipeline.send(body)
    sql = f"select count(*), sum(amount) from events where event_id = '{event_id(body)}'"
    lines = f'select 1 from events_lines where strpos(line, \'"event_id":"{event_id(body)}"\') > 0'
    eventually(lambda: rows(pipeline, lines), within=OUTCOME_SECONDS, what="the event is archived")
    assert ops(pipeline, "rearchive", SINCE="1h").returncode == 0
    assert len(rows(pipeline, lines)) > 1
    assert rows(pipeline, sql) == [["1", "0.1000"]]


def test_the_report_of_a_running_stack_names_its_archive(pipeline: Pipeline, tmp_path: Path) -> None:
    body = order("0.10")
    pipeline.send(body)
    sql = f"select 1 from events where event_id = '{event_id(body)}'"
    eventually(lambda: rows(pipeline, sql), within=OUTCOME_SECONDS, what="the event can be queried")
    page = tmp_path / "report.html"
    result = analytics(pipeline, "report", OUT=str(page))
    assert result.returncode == 0, result.stderr
    assert str(page) in result.stdout
    assert pipeline.state.endpoint in page.read_text("utf-8")
    assert pipeline.state.outputs["archive_bucket"] in page.read_text("utf-8")
