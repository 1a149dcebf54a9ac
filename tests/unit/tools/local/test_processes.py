import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.local import processes

DEADLINE_SECONDS = 10
SLEEP = "import time; time.sleep(600)"
# A leader that starts one more process, as MiniStack does its Lambda workers. The child says that it runs,
# because Linux shows an empty command line for a moment after a program was started.
WITH_CHILD = (
    "import subprocess, sys, time\n"
    "code = 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'\n"
    "subprocess.Popen([sys.executable, '-c', code, sys.argv[1]])\n"
    "time.sleep(600)\n"
)


@pytest.fixture(params=["proc", "ps"], autouse=True)
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Select the source of process data: /proc on Linux, ps and lsof on macOS."""
    tools = {"proc": processes.HAS_PROC, "ps": shutil.which("ps")}
    if not tools[request.param]:
        pytest.skip(f"there is no {request.param} here")
    monkeypatch.setattr(processes, "HAS_PROC", request.param == "proc")
    return str(request.param)


@pytest.fixture
def spawn() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            start_new_session=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        for member in processes.group_members(process.pid):
            os.kill(member, signal.SIGKILL)
        process.communicate()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def child_of(leader: subprocess.Popen[str]) -> int:
    assert leader.stdout is not None
    return int(leader.stdout.readline())


def test_a_process_keeps_its_mark_and_a_dead_process_has_none(
    spawn: Callable[..., subprocess.Popen[str]],
) -> None:
    process = spawn(SLEEP)
    mark = processes.start_mark(process.pid)
    assert mark is not None
    assert processes.start_mark(process.pid) == mark
    process.kill()
    wait_until(lambda: processes.start_mark(process.pid) is None)


def test_a_mark_does_not_depend_on_the_time_zone(
    spawn: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    process = spawn(SLEEP)
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    mark = processes.start_mark(process.pid)
    monkeypatch.setenv("TZ", "America/New_York")
    assert processes.start_mark(process.pid) == mark


def test_a_leader_is_also_known_by_the_directory_in_its_command_line(
    spawn: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    leader = spawn(SLEEP, str(tmp_path))
    processes.stop_group(leader.pid, "a mark in local time", tmp_path, grace_seconds=1)
    assert processes.start_mark(leader.pid) is None


def test_stopping_a_group_stops_the_leader_and_its_children(
    spawn: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    leader = spawn(WITH_CHILD, "")
    child = child_of(leader)
    mark = processes.start_mark(leader.pid)
    assert mark
    processes.stop_group(leader.pid, mark, tmp_path, grace_seconds=5)
    assert processes.start_mark(leader.pid) is None
    wait_until(lambda: processes.start_mark(child) is None)


def test_a_process_that_ignores_sigterm_is_killed(
    spawn: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    stubborn = spawn(
        f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); {SLEEP}"
    )
    child_of(stubborn)
    processes.stop_group(stubborn.pid, processes.start_mark(stubborn.pid) or "", tmp_path, grace_seconds=0.2)
    assert processes.start_mark(stubborn.pid) is None


def test_a_process_that_reuses_the_pid_is_never_signalled(
    spawn: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    stranger = spawn(WITH_CHILD, "")
    child = child_of(stranger)
    processes.stop_group(stranger.pid, "the mark of another start", tmp_path, grace_seconds=0.2)
    assert processes.start_mark(stranger.pid) is not None
    assert processes.start_mark(child) is not None


def test_workers_that_outlived_their_leader_are_stopped(
    spawn: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    leader = spawn(WITH_CHILD, str(tmp_path / "tmp" / "worker.py"))
    child = child_of(leader)
    mark = processes.start_mark(leader.pid) or ""
    leader.kill()
    leader.wait()
    processes.stop_group(leader.pid, mark, tmp_path, grace_seconds=1)
    wait_until(lambda: processes.start_mark(child) is None)


def test_a_port_with_a_listener_is_not_free_and_its_owner_is_named(source: str) -> None:
    if source == "ps" and not shutil.which("lsof"):
        pytest.skip("there is no lsof here")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not processes.port_is_free(port)
        assert f"pid {os.getpid()} " in (processes.port_holder(port) or "")


def test_a_free_port_has_no_owner() -> None:
    port = processes.free_port()
    assert processes.port_is_free(port)
    assert processes.port_holder(port) is None
