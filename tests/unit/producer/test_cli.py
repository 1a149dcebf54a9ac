from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from producer import cli
from producer.manifest import read_messages
from producer.send.target import _LOCAL_CONNECTIONS
from tests.unit.producer.fake_queue import FakeQueue, error, run_fake_queue
from tests.waiting import eventually

SCRIPT = Path(cli.__file__).parent / "send_test_events.py"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Use test credentials, and write manifests to the test's directory."""
    for name, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(cli, "MANIFESTS", tmp_path / "manifests")
    # The command installs a signal handler, which would remain after the test.
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)


def arguments(queue: FakeQueue, tmp_path: Path, *more: str) -> list[str]:
    return ["--queue-url", queue.url, "--count", "100", "--manifest", str(tmp_path / "m"), *more]


def test_the_command_sends_and_prints_a_table_and_the_manifest(
    queue: FakeQueue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments(queue, tmp_path, "--large-ratio", "0.1")) == 0
    out, err = capsys.readouterr()
    assert "large orders" in out
    assert f"Manifest: {tmp_path / 'm'}" in err
    assert len(queue.bodies) == 100


def test_the_queue_can_come_from_the_environment(
    queue: FakeQueue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUEUE_URL", queue.url)
    assert cli.main(["--count", "10"]) == 0
    assert len(queue.bodies) == 10
    assert len(list((tmp_path / "manifests").glob("*.jsonl"))) == 1


def test_the_endpoint_can_come_from_the_environment(
    queue: FakeQueue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", queue.endpoint)
    other_host = "http://sqs.us-east-1.nowhere.invalid/000000000000/events"
    queue.url = other_host
    assert cli.main(arguments(queue, tmp_path)) == 0
    assert len(queue.bodies) == 100


def test_json_is_the_only_standard_output(
    queue: FakeQueue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments(queue, tmp_path, "--json", "--invalid-ratio", "0.1")) == 0
    assert json.loads(capsys.readouterr().out)["sent"]["invalid"] == 10


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--count", "10"], "make -s env"),
        (["--queue-url", "http://h/0/q"], "--count 1000"),
        (["--queue-url", "http://h/0/q", "--count", "10", "--batch-size", "11"], "1 to 10"),
        (["--resume", "m", "--count", "10"], "--count cannot be given with --resume"),
        (["--resume", "m", "--seed", "1"], "--seed cannot be given with --resume"),
    ],
)
def test_the_error_for_invalid_arguments_names_the_correction(
    given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(given) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("given", [["--invalid-ratio", "many"], ["--count", "ten"], ["--no-such-option"]])
def test_the_error_for_unreadable_arguments_names_the_option(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(given)
    assert ended.value.code == 2
    assert given[0] in capsys.readouterr().err


def test_a_missing_queue_prints_one_message_and_no_table(
    queue: FakeQueue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = f"{queue.endpoint}/000000000000/other"
    assert cli.main(arguments(queue, tmp_path, "--queue-url", missing)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"There is no queue {missing}\n")


def test_an_unreachable_endpoint_prints_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with run_fake_queue() as stopped:
        pass
    assert cli.main(arguments(stopped, tmp_path)) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "nothing listens there" in err
    assert len(err.splitlines()) == 3


def test_unknown_credentials_print_one_message(
    queue: FakeQueue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.behaviour = lambda number, entries: error(403, "InvalidClientTokenId", "The token is invalid.")
    assert cli.main(arguments(queue, tmp_path)) == 1
    assert "SQS does not accept the AWS credentials" in capsys.readouterr().err


def test_failed_messages_are_listed_and_the_status_is_1(
    queue: FakeQueue, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queue.behaviour = lambda number, entries: (
        200,
        {
            "Failed": [
                {"Id": each["Id"], "Code": "InvalidMessageContents", "SenderFault": True} for each in entries
            ]
        },
    )
    assert cli.main(arguments(queue, tmp_path)) == 1
    err = capsys.readouterr().err
    sent = [json.loads(entry["MessageBody"])["event_id"] for each in queue.requests for entry in each]
    assert all(event_id in err for event_id in sent)


def test_resume_finishes_a_run(queue: FakeQueue, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queue.behaviour = lambda number, entries: None if number < 4 else error(403, "AccessDenied")
    assert cli.main(arguments(queue, tmp_path)) == 1
    assert f"--resume {tmp_path / 'm'}" in capsys.readouterr().err
    queue.behaviour = lambda number, entries: None
    # The Makefile passes the queue again.
    assert cli.main(["--queue-url", queue.url, "--resume", str(tmp_path / "m")]) == 0
    assert len(queue.bodies) == len(set(queue.bodies.values())) == 100


def start_script(*given: str, cwd: Path) -> subprocess.Popen[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *given],
        cwd=cwd,
        env={**environment, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_script_runs_from_anywhere(queue: FakeQueue, tmp_path: Path) -> None:
    process = start_script(*arguments(queue, tmp_path), cwd=tmp_path)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, len(queue.bodies)) == (0, 100), err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_cleanly_and_the_manifest_is_exact(
    queue: FakeQueue, tmp_path: Path, number: signal.Signals
) -> None:
    process = start_script(*arguments(queue, tmp_path, "--count", "100000", "--rate", "300"), cwd=tmp_path)
    eventually(lambda: len(queue.bodies) > 20, within=60, what="the first messages")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "You stopped the run" in err
    assert "not sent" in out
    assert "Traceback" not in err
    assert {line["message_id"] for line in read_messages(tmp_path / "m")} == queue.bodies.keys()


def test_a_killed_run_can_be_resumed_from_its_manifest(queue: FakeQueue, tmp_path: Path) -> None:
    process = start_script(*arguments(queue, tmp_path, "--count", "2000", "--rate", "300"), cwd=tmp_path)
    eventually(lambda: len(queue.bodies) > 50, within=60, what="the first messages")
    process.kill()
    process.communicate(timeout=60)
    assert cli.main(["--resume", str(tmp_path / "m"), "--rate", "0"]) == 0
    sent = list(queue.bodies.values())
    assert len(set(sent)) == 2000
    # Only the requests in flight at the kill can be sent twice: one per connection.
    assert len(sent) - 2000 <= _LOCAL_CONNECTIONS * 10


def test_manifests_are_written_to_the_state_directory_of_the_stack(tmp_path: Path) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", "from producer import cli; print(cli.MANIFESTS)"],
        env={**os.environ, "STACK_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.strip() == str(tmp_path / "manifests")


def test_a_manifest_that_is_missing_was_not_to_be_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--resume", str(tmp_path / "gone.jsonl")]) == 1
    assert "cannot be opened: No such file or directory" in capsys.readouterr().err
