from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from producer import cli
from producer.delivery import Result
from producer.errors import ProducerError
from producer.manifest import read_messages, read_run
from producer.options import Options
from producer.own_events import check_file, read_lines
from producer.run import produce, resume
from tests.unit.producer.factories import read_completion
from tests.unit.producer.fake_queue import Entry, FakeQueue, Response, error, session
from tests.waiting import eventually


def event(number: int, **given: Any) -> bytes:
    fields = {
        "event_id": f"own-{number}",
        "event_type": "activity",
        "occurred_at": "2026-11-01T10:00:00Z",
        "customer_id": "c",
        "session_id": "s",
        "action": 'say "hi" \\ grüß\t',
    }
    return json.dumps({**fields, **given}, ensure_ascii=number % 2 == 0).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def write(file: Path, *lines: bytes) -> None:
    file.write_bytes(b"".join(line + b"\n" for line in lines))


def send(queue: FakeQueue, file: Path, **given: Any) -> Result:
    return produce(Options(queue.url, from_file=file, **given), session=session())


def test_each_line_arrives_byte_for_byte(queue: FakeQueue, file: Path) -> None:
    lines = [
        event(0),
        b"  " + event(1) + b" \r",
        event(2, action="x" * 300_000),
        event(3, a="\u2028\U0001f600"),
    ]
    file.write_bytes(b"\n".join(lines))
    assert send(queue, file, refused="send").complete
    assert Counter(body.encode() for body in queue.bodies.values()) == Counter(lines)


def test_the_manifest_says_what_the_pipeline_does_with_each_line(
    queue: FakeQueue, file: Path, tmp_path: Path
) -> None:
    write(file, event(0), event(1, event_type="order"), b"[1]", event(0))
    send(queue, file, refused="send", manifest=tmp_path / "m")
    lines = sorted(read_messages(tmp_path / "m"), key=lambda line: line["index"])
    assert [line["expect"] for line in lines] == ["any", "rejected", "rejected", "any"]
    assert [line["event_id"] for line in lines] == ["own-0", "own-1", None, "own-0"]
    assert read_run(tmp_path / "m").complete


def test_an_event_id_that_needs_escapes_is_recorded(queue: FakeQueue, file: Path, tmp_path: Path) -> None:
    write(file, event(0, event_id='a"b\\\n'), event(1, event_id="x" * 100_000))
    send(queue, file, refused="send", manifest=tmp_path / "m")
    assert {line["event_id"] for line in read_messages(tmp_path / "m")} == {'a"b\\\n', None}


def test_nothing_is_sent_if_the_contract_refuses_a_line(queue: FakeQueue, file: Path) -> None:
    write(file, event(0), b"no event")
    with pytest.raises(ProducerError, match="1 of 2 lines"):
        send(queue, file)
    assert not queue.requests


def test_refused_lines_can_be_skipped(queue: FakeQueue, file: Path, tmp_path: Path) -> None:
    write(file, event(0), b"no event", b"", event(1))
    result = send(queue, file, refused="skip", manifest=tmp_path / "m")
    assert (result.complete, result.sent_total, result.skipped) == (True, 2, 2)
    assert {line["index"] for line in read_messages(tmp_path / "m")} == {0, 3}


def test_a_line_that_sqs_cannot_carry_is_never_sent(queue: FakeQueue, file: Path) -> None:
    write(file, event(0), b"", b"\xff", b'"\x01"', b"x" * 1_048_577, b"no event")
    result = send(queue, file, refused="send")
    assert (result.complete, result.sent_total, result.skipped) == (True, 2, 4)


def test_the_first_pass_counts_lines_by_reason_and_names_the_first_of_each(file: Path) -> None:
    write(file, event(0), event(1, action=""), event(2, action=""), b"{}", b"", event(3, session_id=7))
    check = check_file(file)
    assert (check.lines, check.refused, check.unsendable) == (6, 4, 1)
    assert check.reasons["minLength at $.action"] == 2
    assert check.first_lines["minLength at $.action"] == 2
    assert check.reasons["the line is empty"] == 1


def test_a_hostile_file_cannot_fill_the_memory_with_reasons(file: Path) -> None:
    write(
        file,
        *(b'{"%d":1,"%d":1}' % (n, n) for n in range(10)),
        *(b'{"k%s":1,"k%s":1}' % (b"x" * n, b"x" * n) for n in range(200)),
    )
    check = check_file(file)
    assert len(check.reasons) <= 51
    assert check.refused == 210


def test_a_file_is_read_in_bounded_memory(queue: FakeQueue, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    size = 120_000_000

    def fill() -> None:
        with pipe.open("wb") as writer:
            line = event(0, note="n" * 900_000)
            for _ in range(size // len(line)):
                writer.write(line + b"\n")
            for _ in range(50):
                writer.write(b"x" * 1_000_000)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    writer = threading.Thread(target=fill)
    writer.start()
    check = check_file(pipe)
    writer.join()
    assert check.lines > 130
    assert check.unsendable == 1
    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 40_000_000


def fail_after(requests: int) -> Any:
    def respond(number: int, entries: list[Entry]) -> Response | None:
        return None if number <= requests else error(403, "AccessDenied")

    return respond


def test_a_stopped_run_is_resumed_by_line_number(queue: FakeQueue, file: Path, tmp_path: Path) -> None:
    lines = [event(number) for number in range(60)]
    write(file, b"no event", *lines)
    queue.behaviour = fail_after(2)
    manifest = tmp_path / "m"
    assert not send(queue, file, refused="skip", manifest=manifest).complete
    queue.behaviour = lambda number, entries: None
    assert resume(manifest, session=session()).complete
    assert Counter(body.encode() for body in queue.bodies.values()) == Counter(lines)
    assert read_completion(manifest) is not None


def test_of_a_file_that_grows_the_lines_that_were_checked_are_sent_and_resumed(
    queue: FakeQueue, file: Path, tmp_path: Path
) -> None:
    write(file, *map(event, range(30)))
    with file.open("ab") as log:

        def grow(number: int, _entries: list[Entry]) -> Response | None:
            log.write(event(100 + number) + b"\nno event\n" * 100_000)
            log.flush()
            return None if number <= 1 else error(403, "AccessDenied")

        queue.behaviour = grow
        stopped = send(queue, file, manifest=tmp_path / "m")
    assert not stopped.complete
    assert stopped.sent_total + len(stopped.failed) + stopped.unsent == 30
    queue.behaviour = lambda number, entries: None
    resumed = resume(tmp_path / "m", session=session())
    assert (resumed.complete, resumed.unsent, len(queue.bodies)) == (True, 0, 30)


def test_a_file_that_changed_is_not_resumed(queue: FakeQueue, file: Path, tmp_path: Path) -> None:
    write(file, *map(event, range(30)))
    queue.behaviour = fail_after(1)
    send(queue, file, manifest=tmp_path / "m")
    write(file, *map(event, range(1, 31)))
    with pytest.raises(ProducerError, match="has changed"):
        resume(tmp_path / "m", session=session())


def test_standard_input_is_sent_while_it_is_open(
    queue: FakeQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    results: list[Result] = []
    with os.fdopen(reader, "rb") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        run = threading.Thread(target=lambda: results.append(send(queue, Path("-"), manifest=tmp_path / "m")))
        run.start()
        os.write(writer, event(0) + b"\n" + event(1)[:20])
        eventually(lambda: len(queue.bodies) == 1, within=10, what="the first line is sent")
        os.write(writer, event(1)[20:] + b"\n" + event(2))
        os.close(writer)
        run.join()
    assert results[0].complete
    assert sorted(body.encode() for body in queue.bodies.values()) == sorted(map(event, range(3)))
    with pytest.raises(ProducerError, match="standard input"):
        resume(tmp_path / "m", session=session())


def test_standard_input_ends_at_the_first_refused_line(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.write(writer, event(0) + b"\n" + event(1) + b"\n{}\n" + event(2) + b"\n")
    os.close(writer)
    with os.fdopen(reader, "rb") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        result = send(queue, Path("-"))
    assert not result.complete
    assert result.error
    assert result.error.startswith("Line 3 is not an event: required at $.")
    assert result.sent_total == 2


def test_reading_ends_when_the_run_is_stopped() -> None:
    reader, writer = os.pipe()
    stop = threading.Event()
    lines = read_lines(reader, stop)
    assert next(lines) is None
    stop.set()
    assert list(lines) == []
    os.close(reader)
    os.close(writer)


def test_validate_only_needs_no_queue_and_says_what_is_refused(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(file, event(0), event(1))
    assert cli.main(["--from", str(file), "--validate-only"]) == 0
    assert "2 lines" in capsys.readouterr().out
    write(file, event(0), b"no event")
    assert cli.main(["--from", str(file), "--validate-only"]) == 1
    printed = capsys.readouterr().out
    assert "1  json at $, first in line 2" in printed
    assert "Each line" not in printed
    assert cli.main(["--from", str(file), "--validate-only", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["refused"] == 1
    write(file, b"\x1f\x8b", b"{")
    assert cli.main(["--from", str(file), "--validate-only"]) == 1
    assert "Each line of the file must be an event, a JSON object" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--validate-only"], "--from FILE"),
        (["--from", "nowhere.jsonl", "--validate-only"], "nowhere.jsonl cannot be read"),
        (["--from", "/", "--validate-only"], "/ cannot be read: Is a directory"),
        (["--from", "f", "--validate-only", "--rate", "1"], "--rate cannot be given with --validate-only"),
        (
            ["--queue-url", "http://h/0/q", "--from", "f", "--count", "1"],
            "--count cannot be given with --from",
        ),
        (["--queue-url", "http://h/0/q", "--from", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["--queue-url", "http://h/0/q", "--count", "1", "--refused", "skip"], "--from FILE"),
        (["--queue-url", "http://h/0/q", "--from", "f", "--refused", "no"], "stop, skip, send"),
    ],
)
def test_wrong_arguments_are_explained(
    given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(given) in (1, 2)
    assert message in capsys.readouterr().err
