"""`make query` and `make report`, with an archive in memory."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.unit.tools.analytics.archive_files import event_line, object_key, rejected_line, write_object
from tests.unit.tools.analytics.fakes import FakeS3
from tests.unit.tools.fakes import pipeline
from tools.analytics import __main__ as command
from tools.analytics.named_queries import named_queries
from tools.core.resources import Resources


@pytest.fixture
def received() -> datetime:
    """The time when the archived messages were received: an hour ago."""
    return datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def s3(tmp_path: Path, received: datetime) -> FakeS3:
    """An archive with an event of each type and a rejected message."""
    received_at, hour = f"{received:%Y-%m-%dT%H:%M:%S}.000Z", f"{received:%Y-%m-%dT%H}"
    order = event_line("{}", amount="1234.5", currency="EUR", large_order=True, received_at=received_at)
    payment = event_line('{"method":"card","status":"failed"}', amount="0.1", received_at=received_at)
    activity = event_line('{"action":"<script>alert(1)</script>"}', received_at=received_at)
    source = tmp_path / "source"
    write_object(source, object_key("order", hour), order)
    write_object(source, object_key("payment", hour), payment)
    write_object(source, object_key("activity", hour), activity)
    write_object(source, object_key("invalid_event", hour), rejected_line("{", received_at=received_at))
    fake = FakeS3()
    fake.put_all(source)
    return fake


@pytest.fixture(autouse=True)
def fake_pipeline(s3: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command find a pipeline with this archive."""
    state = tmp_path / "state"

    def find(environment: Mapping[str, str]) -> Resources:
        endpoint = environment.get("AWS_ENDPOINT_URL", "http://127.0.0.1:1") or None
        resources = pipeline(endpoint=endpoint, state_dir=state, s3=s3)
        return replace(resources, archive_bucket=environment["ARCHIVE_BUCKET"])

    monkeypatch.setattr(Resources, "find", find)
    monkeypatch.setattr("tools.core.resources.CACHE_DIR", tmp_path / "cache")


def run(name: str, **variables: str) -> int:
    return command.main([name], {"ARCHIVE_BUCKET": "archive", **variables})


def test_a_query_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select event_id, amount from events where type = 'order'") == 0
    printed = capsys.readouterr()
    assert "event_id" in printed.out
    assert "1,234.50" in printed.out
    assert printed.err.endswith("1 row.\n")


def test_csv_has_every_digit(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run("query", Q="select event_id, amount, null as n from events where type='order'", FORMAT="csv") == 0
    )
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows == [["event_id", "amount", "n"], ["e-1", "1234.5000", ""]]


def test_json_has_one_object_per_line_and_exact_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select 0.10 as a, true as b, ['x'] as c, {'d': 1.5} as e", FORMAT="json") == 0
    line = capsys.readouterr().out
    assert json.loads(line, parse_float=str) == {"a": "0.10", "b": True, "c": ["x"], "e": {"d": "1.5"}}


def test_json_1_is_the_format_json_as_on_other_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select 1 as n", JSON="1") == 0
    assert json.loads(capsys.readouterr().out) == {"n": 1}


def test_two_formats_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select 1 as n", JSON="1", FORMAT="csv") == 2
    assert "FORMAT=csv and JSON=1 name two formats" in capsys.readouterr().err
    assert run("query", Q="select 1 as n", JSON="1", FORMAT="json") == 0


def test_a_long_table_is_cut_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select range as n from range(25000)") == 0
    printed = capsys.readouterr()
    assert " 999 " in printed.out
    assert " 1,000 \u2502" not in printed.out
    assert "there are more" in printed.err


@pytest.mark.parametrize("form", ["csv", "json"])
def test_csv_and_json_print_every_row_once(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select range as n from range(25000)", FORMAT=form) == 0
    numbers = [int(number) for number in re.findall(r"\d+", capsys.readouterr().out)]
    assert numbers == list(range(25_000))


def test_a_query_that_fails_half_way_reports_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    sql = "select case when range = 24000 then error('too far') else 'fine' end as n from range(25000)"
    assert run("query", Q=sql, FORMAT="csv") == 2
    assert "too far" in capsys.readouterr().err


@pytest.mark.parametrize(("endpoint", "place"), [("http://127.0.0.1:1", "state"), ("", "cache")])
def test_the_cache_of_a_local_stack_is_private_and_part_of_its_state(
    endpoint: str, place: str, tmp_path: Path
) -> None:
    assert run("query", Q="select 1", AWS_ENDPOINT_URL=endpoint) == 0
    (created,) = (path for path in (tmp_path / "state", tmp_path / "cache") if path.exists())
    assert created == tmp_path / place
    assert stat.S_IMODE((created / "archive" / "archive").stat().st_mode) == 0o700


def test_a_named_query_prints_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", NAME="revenue_per_hour", FORMAT="csv") == 0
    assert capsys.readouterr().out.splitlines()[1].endswith("EUR,1,1234.5000")


def test_control_characters_in_events_do_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select chr(27) || '[2J' as \"[bold]x\"") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]x" in out


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "Which query?"),
        ({"Q": "select 1", "NAME": "revenue_per_hour"}, "Which query?"),
        ({"NAME": "nothing"}, "NAME=nothing is unknown"),
        ({"Q": "select 1", "FORMAT": "xml"}, "FORMAT=xml is unknown"),
        ({"Q": "select 1", "SINCE": "soon"}, "SINCE=soon"),
        ({"Q": "select x"}, "DuckDB says"),
        ({"Q": "drop view events"}, "one SELECT"),
    ],
)
def test_invalid_arguments_are_explained_without_a_traceback(
    variables: dict[str, str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("query", **variables) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_invalid_arguments_cause_no_aws_request(s3: FakeS3) -> None:
    assert run("query", NAME="nothing") == 2
    assert run("query", Q="select 1", SINCE="soon") == 2
    assert s3.listed_prefixes == []


def test_an_empty_range_is_reported(s3: FakeS3, capsys: pytest.CaptureFixture[str]) -> None:
    s3.objects.clear()
    assert run("query", Q="select 1") == 1
    assert "is archived in s3://archive" in capsys.readouterr().err


def test_a_pipeline_without_an_archive_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select 1", ARCHIVE_BUCKET="") == 1
    assert "has no archive" in capsys.readouterr().err


def test_a_missing_bucket_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select 1", ARCHIVE_BUCKET="elsewhere") == 1
    assert "taken down" in capsys.readouterr().err


class Page(HTMLParser):
    """Parse a page: the ids of its sections, its unclosed tags, and the resources that it loads."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "rect"}:
            self.open.append(tag)
        named = dict(attrs)
        self.loads += [str(named[name]) for name in ("src", "href", "data") if name in named]
        self.loads += [tag] if tag in {"script", "link", "img", "iframe"} else []
        self.ids += [str(named["id"])] if "id" in named else []

    def handle_endtag(self, tag: str) -> None:
        if tag != "rect":
            assert self.open.pop() == tag


def report(tmp_path: Path, **variables: str) -> str:
    target = tmp_path / "pages" / "report.html"
    assert run("report", OUT=str(target), **variables) == 0
    return target.read_text("utf-8")


def test_the_report_has_a_section_for_every_named_query(tmp_path: Path) -> None:
    page = report(tmp_path)
    assert set(Page(page).ids) == {query.name for query in named_queries()}
    assert all(query.title in page for query in named_queries())
    assert "1,234.50" in page
    assert "s3://archive" in page


def test_the_report_loads_no_external_resource(tmp_path: Path) -> None:
    page = report(tmp_path)
    assert Page(page).loads == []
    assert "url(" not in page
    assert "@import" not in page


def test_the_report_escapes_event_content(tmp_path: Path) -> None:
    page = report(tmp_path)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_the_report_is_well_formed_html(tmp_path: Path) -> None:
    assert Page(report(tmp_path)).open == []


def test_the_report_shows_the_age_of_its_newest_event(tmp_path: Path, received: datetime) -> None:
    page = report(tmp_path)
    age = re.search(r"<b>(\d+\.\d) min</b>", page)
    assert age is not None
    # A slow machine may need minutes from the fixture to here.
    assert 60 <= float(age[1]) <= 65
    assert f"The newest event was received {received:%Y-%m-%d %H:%M:%S} UTC" in page


def test_a_named_query_without_rows_says_so(s3: FakeS3, tmp_path: Path) -> None:
    for name in [name for name in s3.objects if "type=payment" in name]:
        del s3.objects[name]
    assert report(tmp_path).count("No rows in this range.") == 1


def test_a_report_path_that_is_a_directory_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("report", OUT=str(tmp_path)) == 2
    assert "is a directory" in capsys.readouterr().err


@pytest.mark.parametrize(("raw", "mark"), [("0", "'"), ("1", "")])
@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_a_text_cell_of_csv_is_no_formula_unless_raw(
    first: str, raw: str, mark: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = f"select '{first}cmd|x' as a, -5 as b, -0.5 as c, -1e300 as d, [-1] as e, '' as f"
    assert run("query", Q=sql, FORMAT="csv", RAW=raw) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))
    assert rows[1:] == [[f"{mark}{first}cmd|x", "-5", "-0.5", "-1e+300", "[-1]", ""]]


def test_a_bare_carriage_return_forges_no_row_of_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select 'a' || chr(13) || 'b' as a, 1 as n", FORMAT="csv") == 0
    assert capsys.readouterr().out == 'a,n\n"a\rb",1\n'


def test_json_has_null_for_what_is_no_number(capsys: pytest.CaptureFixture[str]) -> None:
    sql = "select 'nan'::double as a, 'inf'::double as b, ['-inf'::double] as c, {'x': 'nan'::float} as d"
    assert run("query", Q=sql, FORMAT="json") == 0
    assert json.loads(capsys.readouterr().out) == {"a": None, "b": None, "c": [None], "d": {"x": None}}


def test_raw_is_yes_or_no(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("query", Q="select 1", RAW="maybe") == 2
    assert "RAW=maybe" in capsys.readouterr().err
    assert run("query", Q="select 1", JSON="yes") == 2
    assert "JSON=yes" in capsys.readouterr().err


def test_only_this_user_may_read_the_report(tmp_path: Path) -> None:
    target = tmp_path / "pages" / "report.html"
    target.parent.mkdir()
    target.touch(mode=0o644)
    report(tmp_path)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("out", ["file/report.html", "/dev/full"])
def test_a_report_that_cannot_be_written_is_an_os_error(out: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"Not a directory|File exists|No space left"):
        run("report", OUT=str(tmp_path / out))
