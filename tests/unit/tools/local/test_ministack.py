import os
import resource
import socket
import time
from pathlib import Path

import pytest

from tools.core.errors import ToolError
from tools.local import emulators, ministack, ministack_server, processes
from tools.local.emulator import Emulator

DIES = '#!/bin/sh\necho "first line"\necho "cannot go on: the disk is full"\nexit 3\n'
HANGS = '#!/bin/sh\necho "thinking"\nexec sleep 600\n'
SHOWS_ENVIRONMENT = "#!/bin/sh\nenv\nexit 1\n"


def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str) -> None:
    python = tmp_path / "python"
    python.write_text(script)
    python.chmod(0o755)
    monkeypatch.setattr(ministack, "EMULATOR_PYTHON", python)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


def test_a_taken_port_is_reported_with_its_owner_and_a_remedy(state_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ToolError) as refused:
            emulators.start("ministack", state_dir, port, {})
    assert f"Port {port} is taken by pid {os.getpid()}" in str(refused.value)
    assert "make up PORT=" in str(refused.value)
    assert Emulator.load(state_dir) is None


def test_an_emulator_that_dies_is_reported_with_the_end_of_its_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_dir: Path
) -> None:
    stand_in(monkeypatch, tmp_path, DIES)
    with pytest.raises(ToolError) as failed:
        ministack.start(state_dir, processes.free_port(), {})
    assert "exit code 3" in str(failed.value)
    assert "cannot go on: the disk is full" in str(failed.value)
    assert "emulator.log" in str(failed.value)


def test_an_emulator_that_never_answers_is_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_dir: Path
) -> None:
    stand_in(monkeypatch, tmp_path, HANGS)
    monkeypatch.setattr(ministack, "START_SECONDS", 0.3)
    began = time.monotonic()
    with pytest.raises(ToolError, match=r"did not answer .*\n?.*thinking"):
        ministack.start(state_dir, processes.free_port(), {})
    started = Emulator.load(state_dir)
    assert started is not None
    assert processes.start_mark(int(started.name)) is None
    assert time.monotonic() - began < 5


def test_the_users_environment_does_not_reach_the_function(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_dir: Path
) -> None:
    for name in (
        "AWS_PROFILE",
        "AWS_SECRET_ACCESS_KEY",
        "PYTHONPATH",
        "HTTPS_PROXY",
        "LOG_LEVEL",
        "PERSIST_STATE",
    ):
        monkeypatch.setenv(name, "from the person")
    stand_in(monkeypatch, tmp_path, SHOWS_ENVIRONMENT)
    with pytest.raises(ToolError):
        ministack.start(state_dir, processes.free_port(), {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"})
    log = (state_dir / "emulator.log").read_text()
    assert "from the person" not in log
    assert {"AUTH=true", "BIND_HOST=127.0.0.1", "AWS_ENDPOINT_URL=http://127.0.0.1:1"} <= set(
        log.splitlines()
    )
    assert f"HOME={Path.home()}" not in log.splitlines()


def test_the_command_line_of_the_emulator_names_the_directory_of_its_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_dir: Path
) -> None:
    stand_in(monkeypatch, tmp_path, '#!/bin/sh\necho "$@"\nexit 1\n')
    with pytest.raises(ToolError):
        ministack.start(state_dir, processes.free_port(), {})
    assert (state_dir / "emulator.log").read_text().split()[-1] == str(state_dir)


def test_too_few_open_files_are_refused_instead_of_hanging(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_dir: Path
) -> None:
    stand_in(monkeypatch, tmp_path, DIES)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 64))
    with pytest.raises(ToolError, match="lets a program open 64 files") as refused:
        ministack.start(state_dir, processes.free_port(), {})
    assert refused.value.hint == "ulimit -n 128"


def test_a_missing_emulator_is_not_a_traceback(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, state_dir: Path
) -> None:
    monkeypatch.setattr(ministack, "EMULATOR_PYTHON", tmp_path / "absent")
    with pytest.raises(ToolError, match="make up"):
        ministack.start(state_dir, processes.free_port(), {})


def test_another_process_with_the_emulators_pid_is_not_the_emulator() -> None:
    assert not ministack.is_running(
        Emulator("ministack", "http://127.0.0.1:1", 1, str(os.getpid()), "another start")
    )


def test_polling_the_streams_continues_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds: list[int] = []

    def poll() -> None:
        rounds.append(1)
        if len(rounds) == 3:
            raise KeyboardInterrupt  # nothing else ends it
        raise ValueError("a bug")

    monkeypatch.setattr(ministack_server, "_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt):
        ministack_server.poll_forever(poll, ministack_server.Batches(lambda *_: []))
    assert len(rounds) == 3


def test_the_credentials_of_a_functions_session_are_made_from_a_secret_of_each_start() -> None:
    made: list[str] = []

    def credentials(config: dict[str, str]) -> dict[str, str]:
        made.append(config["Role"])
        return {}

    config = {
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
        "Role": "arn:aws:iam::0:role/r",
    }
    for make in (first := ministack_server.salted(credentials), first, ministack_server.salted(credentials)):
        make(config)
    assert made[0] == made[1] != made[2]
    assert {role.rpartition("/")[2] for role in made} == {"r"}
    assert all(len(role.rpartition("/")[0]) >= 32 for role in made)
    assert config["Role"] == "arn:aws:iam::0:role/r"


def test_without_sessions_a_function_gets_the_stacks_own_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHESTACK")
    make = ministack_server.salted(lambda config: {"AWS_ACCESS_KEY_ID": "000000000000"})
    assert make({}) == {"AWS_ACCESS_KEY_ID": "AKIAOFTHESTACK"}


def test_a_batch_of_stream_records_ends_at_six_megabytes() -> None:
    records = [{"payload": "x" * 2_000_000} for _ in range(7)]
    batches = ministack_server.Batches(lambda table, position, limit: records[position : position + limit])
    assert len(batches("events", 0, 100)) == 3
    assert batches.full
    batches.full = False
    assert len(batches("events", 5, 100)) == 2
    assert not batches.full


def test_a_record_that_is_a_batch_of_its_own_is_delivered() -> None:
    huge = [{"payload": "x" * 7_000_000}] * 2
    batches = ministack_server.Batches(lambda table, position, limit: huge)
    assert batches("events", 0, 100) == huge[:1]
