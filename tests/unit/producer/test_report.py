from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from producer.delivery import Result
from producer.report import Report, as_json, closing_lines, progress_note, summary_table
from producer.send.run_stats import Failure, Progress


def result(**given: Any) -> Result:
    fields: dict[str, Any] = {
        "run_id": "run-1",
        "seed": 7,
        "queue_url": "http://sqs/0/q",
        "manifest": Path("m.jsonl"),
        "count": 1000,
        "sent_before": 0,
        "sent": {"order": 380, "payment": 190, "activity": 380, "invalid": 50, "duplicate": 0},
        "large_orders": 19,
        "bytes": 1_024_000,
        "seconds": 2.0,
        "retries": 0,
        "failed": [],
        "unsent": 0,
        "interrupted": False,
        "error": None,
    }
    return Result(**{**fields, **given})


def print_table(run_result: Result) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(summary_table(run_result))
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def progress(seconds: float = 2.0, **given: int) -> Progress:
    return Progress(
        **{"total": 1000, "sent": 100, "failed": 0, "retries": 0, "bytes": 2048, **given}, seconds=seconds
    )


def test_the_table_has_the_messages_by_kind_the_bytes_and_the_rate() -> None:
    table = print_table(result())
    for row in (
        ["orders", "380"],
        ["large orders", "19"],
        ["invalid", "50"],
        ["all", "1,000"],
        ["bytes", "1000.0 KB"],
        ["events/s", "500"],
    ):
        assert any(all(cell in line for cell in row) for line in table.splitlines()), row


def test_the_table_mentions_failures_only_if_there_are_some() -> None:
    assert not {"failed", "not sent", "retried"} & set(print_table(result()).split("  "))
    incomplete = print_table(result(failed=[Failure("e", "r")], unsent=5, retries=7))
    assert all(word in incomplete for word in ("failed", "not sent", "retried"))


def test_every_failed_message_is_listed() -> None:
    lines = list(closing_lines(result(failed=[Failure(f"event-{n}", "no") for n in range(100)])))
    assert sum(line.startswith("  event-") for line in lines) == 100


def test_an_unfinished_run_names_the_option_that_continues_it(tmp_path: Path) -> None:
    path = tmp_path / "my runs.jsonl"
    path.touch()
    assert f"--resume '{path}'" in "\n".join(closing_lines(result(manifest=path, unsent=1, interrupted=True)))


def test_a_finished_run_names_its_manifest(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.touch()
    assert list(closing_lines(result(manifest=path))) == [f"Manifest: {path}"]


def test_a_run_whose_manifest_make_down_removed_does_not_offer_to_continue_it() -> None:
    (line,) = closing_lines(result(unsent=1))
    assert line.startswith("m.jsonl was removed meanwhile")


def test_the_json_has_the_totals_and_the_failures() -> None:
    fields = json.loads(as_json(result(failed=[Failure("event-1", "InternalError")])))
    assert fields["sent"]["total"] == 1000
    assert fields["complete"] is False
    assert fields["failed"] == [{"id": "event-1", "reason": "InternalError"}]
    assert fields["events_per_second"] == 500


def test_the_note_has_the_rate_the_bytes_the_retries_and_the_failures() -> None:
    assert progress_note(progress()) == "50/s  2.0 KB"
    assert progress_note(progress(retries=3, failed=2)) == "50/s  2.0 KB  3 retried  2 failed"
    assert progress_note(progress(seconds=0.0)) == "0/s  2.0 KB"


def show_progress(console: Console, *steps: Progress) -> str:
    with Report(console) as report:
        for step in steps:
            report.update(step)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_terminal_shows_a_bar_with_the_rate() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, color_system=None)
    text = show_progress(console, progress(), progress(sent=1000))
    assert "1000/1000" in text
    assert "500/s" in text


def test_the_bar_fits_on_one_line_of_80_columns() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80, color_system=None)
    text = show_progress(console, progress(sent=25_999, total=26_000, bytes=5 * 10**9, retries=12, failed=3))
    assert "…" not in text


@pytest.mark.parametrize(
    "settings", [{"force_terminal": False}, {"force_terminal": True, "_environ": {"TERM": "dumb"}}]
)
def test_without_a_terminal_a_line_is_printed_every_ten_seconds(settings: dict[str, Any]) -> None:
    console = Console(file=io.StringIO(), width=80, **settings)
    text = show_progress(console, *(progress(seconds=float(second), sent=second) for second in range(31)))
    assert text.splitlines() == [
        "10 of 1,000 sent, 1/s  2.0 KB",
        "20 of 1,000 sent, 1/s  2.0 KB",
        "30 of 1,000 sent, 1/s  2.0 KB",
    ]
