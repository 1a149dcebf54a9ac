"""Random text in every field from outside, through every command that prints it."""

from __future__ import annotations

import csv
import io
import json
import random
import re
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import duckdb
import pytest
from rich.cells import cell_len

from dashboards.state import Alarm, Alert
from dashboards.view.screen import render
from tests import fuzz
from tests.unit.dashboards.builders import NOW, reading, state
from tests.unit.tools.fakes import FakeDynamoDB, FakeLogs, FakeS3, FakeSQS, pipeline
from tests.unit.tools.ops import factories
from tools.analytics import output, report
from tools.analytics.charts import Axis
from tools.analytics.database import Database, QueryResult
from tools.analytics.named_queries import find_query
from tools.core.console import out
from tools.core.resources import Resources
from tools.core.text import strip_control_chars
from tools.ops.__main__ import main

# A line that begins with this was forged: every text from outside holds it after each kind of line break.
FORGED = "FORGED"
_TAGS = {"", "b", "details", "div", "h2", "i", "pre", "section", "span", "summary"}
_TAGS |= {"table", "tbody", "td", "th", "thead", "tr"}
Printed = Callable[[], str]


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """Return what was printed since the last call, once it is sure that no text from outside controls it."""

    def read() -> str:
        captured = capsys.readouterr()
        for text in captured:
            assert strip_control_chars(text, keep="\n") == text
            assert not [line for line in text.split("\n") if line.startswith(FORGED)]
        return captured.out + captured.err

    return read


def hostile(numbers: random.Random) -> str:
    """Return random text that would forge a line wherever a kind of line break reached the terminal."""
    breaks = "".join(f"{char}{FORGED}" for char in numbers.sample("\n\r\v\f\x85\u2028\u2029", 2))
    return fuzz.text(numbers) + breaks + fuzz.text(numbers)


def literals(cells: list[str]) -> str:
    """Return the columns c0, c1, ... of a SELECT, with these texts."""
    return ", ".join(f"'{cell.replace(chr(39), chr(39) * 2)}' AS c{n}" for n, cell in enumerate(cells))


def pipeline_of(numbers: random.Random) -> tuple[Resources, str]:
    """Return a pipeline whose rows and logs are hostile, and the id of its stored event."""
    dynamodb, logs = FakeDynamoDB(), FakeLogs()
    event_id = hostile(numbers)
    dynamodb.put(
        "events",
        event_id={"S": event_id},
        event_type={"S": hostile(numbers)},
        type_bucket={"S": "order#0"},
        customer_id={"S": hostile(numbers)},
        currency={"S": hostile(numbers)},
        amount={"N": "1"},
        received_at={"S": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}.000Z"},
        content_hash={"S": hostile(numbers)},
        message_id={"S": hostile(numbers)},
        alert_pending={"S": hostile(numbers)},
        payload={"B": b"{}"},
        payload_bytes={"N": "2"},
        payload_encoding={"S": "identity"},
    )
    for _ in range(3):
        factories.put_rejected(dynamodb, hostile(numbers), b"{", hostile(numbers))
    for item in dynamodb.tables["rejected"].values():
        item |= {
            "kind": {"S": hostile(numbers)},
            "event_id": {"S": hostile(numbers)},
            "event_type": {"S": hostile(numbers)},
            "content_hash": {"S": hostile(numbers)},
            "payload_bytes": {"N": "1"},
            "summary": {"L": [{"S": hostile(numbers)}, {"S": hostile(numbers)}]},
        }
    now = int(time.time() * 1000)
    logs.write(now, hostile(numbers))
    names = {name: hostile(numbers) for name in ("message", "traceback", "why", hostile(numbers))}
    logs.write(now, json.dumps({"level": hostile(numbers), **names}))
    return pipeline(dynamodb=dynamodb, logs=logs, s3=FakeS3(), sqs=FakeSQS()), event_id


@pytest.mark.fuzz
@pytest.mark.timeout(fuzz.SECONDS + 60)
def test_no_command_lets_text_from_outside_forge_lines(
    printed: Printed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # So wide that no row breaks between its fields: then each line has a known cause.
    monkeypatch.setattr(out, "_width", 100_000)
    for seed in fuzz.seeds(48):
        with fuzz.case(seed) as numbers:
            resources, event_id = pipeline_of(numbers)
            monkeypatch.setattr(Resources, "find", lambda found=resources: found)
            rejected = resources.client("dynamodb").tables["rejected"]
            assert main(["events"]) == 0
            assert printed().count("\n") == 3
            assert main(["rejected"]) == 0
            assert printed().count("\n") == 1 + 3 * 3 + 3
            assert main(["rejected", f"--id={next(iter(rejected))}"]) == 0
            assert printed().count("\n") == 5
            # To a pipe the document goes as it was stored; JSON escapes what would end a line.
            assert main(["get", f"--event-id={event_id}"]) == 0
            assert capsys.readouterr().out.startswith('{\n  "event": {}')
            for missing in (hostile(numbers), rejected[next(iter(rejected))]["event_id"]["S"]):
                assert main(["get", f"--event-id={missing}"]) == 1
                assert printed().count("\n") == 2
            assert main(["logs"]) == 0
            assert main(["logs", f"--event-id={hostile(numbers)}"]) == 0
            assert main(["replay", "--dry-run"]) in (0, 1)
            assert main(["verify", "--wait", "0"]) == 1
            printed()


@pytest.mark.fuzz
@pytest.mark.timeout(fuzz.SECONDS + 60)
def test_no_query_lets_text_from_outside_forge_rows(printed: Printed) -> None:
    database = Database(duckdb.connect())
    for seed in fuzz.seeds(600):
        with fuzz.case(seed) as numbers:
            cells = [hostile(numbers).replace("\0", "") for _ in range(3)]
            output.print_rows(database, f"SELECT {literals(cells)}", "table")
            lines = printed().split("\n")
            assert len({cell_len(line) for line in lines if line.startswith(("┏", "┃", "│"))}) == 1


@pytest.mark.fuzz
@pytest.mark.timeout(fuzz.SECONDS + 60)
def test_csv_and_json_lose_nothing_and_csv_runs_no_formula(capsys: pytest.CaptureFixture[str]) -> None:
    database = Database(duckdb.connect())
    for seed in fuzz.seeds(1_400):
        with fuzz.case(seed) as numbers:
            cells = [hostile(numbers).replace("\0", "") for _ in range(3)]
            columns = literals(cells)
            output.print_rows(database, f"SELECT {columns}, -1.5 AS n", "csv", raw=True)
            text = capsys.readouterr().out
            header, row = csv.reader(io.StringIO(text, newline=""))
            assert (header, row) == (["c0", "c1", "c2", "n"], [*cells, "-1.5"])
            output.print_rows(database, f"SELECT {columns}, -1.5 AS n", "csv")
            (_, row) = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))
            assert row[3] == "-1.5"
            for shown, cell in zip(row, cells, strict=False):
                assert shown[0] not in "=+-@\t\r"
                assert shown.removeprefix("'") == cell.removeprefix("'")
            output.print_rows(database, f"SELECT {columns}", "json")
            assert list(json.loads(capsys.readouterr().out).values()) == cells


@pytest.mark.fuzz
@pytest.mark.timeout(fuzz.SECONDS + 60)
def test_the_report_shows_text_from_outside_without_markup() -> None:
    query = find_query("activity_funnel")
    for seed in fuzz.seeds(3_500):
        with fuzz.case(seed) as numbers:
            row = (hostile(numbers), 5, 50.0, hostile(numbers), {"key": hostile(numbers)})
            names = ("step", "sessions", "percent_of_widest", hostile(numbers), "other")
            axis = Axis.of([], datetime(2026, 11, 27, tzinfo=UTC))
            section = report._section(query, QueryResult(names, [row]), axis)
            assert strip_control_chars(section, keep="\n") == section
            assert not re.search(
                r"<(?!/?(section|h2|div|span|b|details|summary|table|t[hdr]|tbody|thead|pre|caption|svg|rect|i)\b)",
                section,
            )


@pytest.mark.fuzz
@pytest.mark.timeout(fuzz.SECONDS + 60)
def test_no_text_from_outside_tears_the_screen() -> None:
    for seed in fuzz.seeds(400):
        with fuzz.case(seed) as numbers:
            current = replace(
                state(),
                name=hostile(numbers),
                location=hostile(numbers),
                alerts=reading((Alert(NOW, hostile(numbers), hostile(numbers), hostile(numbers)),)),
                alarms=reading(tuple(Alarm(hostile(numbers), hostile(numbers), NOW) for _ in range(3))),
            )
            width, height = numbers.randint(60, 200), numbers.randint(20, 60)
            first, *lines = render(current, width, height).lines
            assert {line.cell_len for line in lines} == {width}
            assert all(strip_control_chars(line.plain) == line.plain for line in (first, *lines))
