import contextlib
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tools.core import files
from tools.core.errors import ToolError, UsageError
from tools.core.files import exclusive
from tools.core.state import ENVIRONMENT_OUTPUTS, StackState
from tools.local import (
    emulators,
    endpoint,
    lifecycle,
    localstack,
    message_bodies,
    ministack_iam,
    processes,
    shortcut,
    status,
    terraform,
)
from tools.local.build import Artifact
from tools.local.emulator import Emulator

OUTPUTS = {output: output for output in ENVIRONMENT_OUTPUTS.values()}


class FakeEmulator:
    """A fake ministack module: alive from start() to stop() or until a test stops it."""

    def __init__(self) -> None:
        self.alive: set[str] = set()
        self.stopped: list[str] = []
        self.answers = True

    def start(self, state_dir: Path, port: int, _extra: Mapping[str, str]) -> Emulator:
        started = Emulator("ministack", f"http://127.0.0.1:{port}", port, str(len(self.stopped) + 1), "mark")
        self.alive.add(started.name)
        started.save(state_dir)
        return started

    def is_running(self, emulator: Emulator) -> bool:
        return emulator.name in self.alive

    def health(self, _emulator: Emulator) -> str | None:
        return "1.0" if self.answers else None

    def stop(self, emulator: Emulator, _state_dir: Path) -> None:
        self.alive.discard(emulator.name)
        self.stopped.append(emulator.name)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeEmulator:
    fake = FakeEmulator()
    monkeypatch.setitem(emulators.KINDS, "ministack", fake)
    monkeypatch.setattr(localstack, "no_engine", lambda: "no Docker engine answers")
    monkeypatch.setattr(ministack_iam, "mirror", lambda _iam, _stack: None)
    monkeypatch.setattr(lifecycle, "build_all", lambda: {"lambda_zip": "0" * 64})
    return fake


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the endpoints of Terraform's applies; each apply writes a state file."""
    endpoints: list[str] = []

    def apply(state_dir: Path, endpoint: str, *_: Any) -> dict[str, Any]:
        terraform.workdir(state_dir).mkdir(exist_ok=True)
        (terraform.workdir(state_dir) / "terraform.tfstate").write_text('{"resources": []}')
        endpoints.append(endpoint)
        return OUTPUTS

    monkeypatch.setattr(terraform, "apply", apply)
    return endpoints


def up(state_dir: Path, port: int | None = None, emulator: str = "auto") -> tuple[StackState, str]:
    said: list[str] = []
    state = lifecycle.up(state_dir, port, emulator, log=said.append)
    return state, "\n".join(said)


@pytest.fixture
def port() -> int:
    return processes.free_port()


@pytest.fixture(autouse=True)
def zip_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lambda.zip").write_bytes(b"")
    artifact = Artifact(tmp_path / "lambda.zip", {})
    monkeypatch.setattr(lifecycle, "ARTIFACTS", {"lambda_zip": artifact})


@pytest.mark.usefixtures("fake", "applied")
def test_up_takes_no_directory_that_holds_files_of_others(tmp_path: Path, port: int) -> None:
    home = tmp_path / "home"
    (home / "thesis").mkdir(parents=True)
    mode = home.stat().st_mode
    with pytest.raises(UsageError, match=r"holds other files \(thesis\)"):
        up(home, port)
    assert lifecycle.down(home) == ""
    assert (home / "thesis").is_dir()
    assert home.stat().st_mode == mode
    (home / "thesis").rename(home / "manifests")
    up(home, port)


@pytest.mark.parametrize(
    "address", ["http://[::1", "http://127.0.0.1:99999", "http://h/?a", "h:1", "http://"]
)
def test_an_endpoint_that_is_no_address_is_named(tmp_path: Path, address: str) -> None:
    with pytest.raises(ToolError, match="is not an emulator's address"):
        lifecycle.up(tmp_path / "state", endpoint=address)


def test_another_program_that_listens_is_no_emulator(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            for _ in range(2):
                connection, _ = server.accept()
                with connection:
                    connection.sendall(b"SSH-2.0-OpenSSH\r\n")
                    connection.recv(4096)

        threading.Thread(target=greet, daemon=True).start()
        with pytest.raises(ToolError, match="No emulator answers"):
            lifecycle.up(tmp_path / "state", endpoint=f"http://127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.usefixtures("fake", "applied")
def test_the_stack_may_lie_behind_a_link(tmp_path: Path, port: int) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "elsewhere")
    up(link, port)
    assert StackState.load(link)
    assert lifecycle.down(link) == "removed"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize(
    "change",
    [{"kind": "x"}, {"kind": []}, {"name": "x"}, {"name": 1}, {"port": "x"}, {"kind": "endpoint"}],
)
def test_a_damaged_note_of_the_emulator_is_as_none(tmp_path: Path, change: dict[str, object]) -> None:
    Emulator("ministack", "http://127.0.0.1:1", 1, "1", "mark").save(tmp_path)
    whole = json.loads((tmp_path / "emulator.json").read_text())
    assert Emulator.load(tmp_path)
    for text in (json.dumps(whole | change), "[" * 100_000, "[]"):
        (tmp_path / "emulator.json").write_text(text)
        assert Emulator.load(tmp_path) is None


@pytest.mark.usefixtures("fake", "applied")
def test_down_keeps_the_state_if_the_note_of_the_emulator_is_damaged(tmp_path: Path, port: int) -> None:
    state = tmp_path / "state"
    up(state, port)
    (state / "emulator.json").write_text("{")
    with pytest.raises(ToolError, match="not known which emulator to stop") as caught:
        lifecycle.down(state)
    assert str(state) in caught.value.hint
    assert StackState.load(state)


@pytest.mark.usefixtures("fake", "applied")
def test_up_reports_the_emulator_and_the_reason(tmp_path: Path, port: int) -> None:
    state, said = up(tmp_path / "state", port)
    assert state.emulator == "ministack"
    assert "auto: no Docker engine answers" in said
    assert "make down up EMULATOR=localstack" in said
    assert StackState.load(tmp_path / "state") == state


def test_a_second_up_keeps_the_emulator_and_terraforms_state(
    fake: FakeEmulator, applied: list[str], tmp_path: Path, port: int
) -> None:
    up(tmp_path / "state", port)
    shortcut.forget(tmp_path / "state")
    up(tmp_path / "state")
    assert fake.stopped == []
    assert applied == [f"http://127.0.0.1:{port}"] * 2


@pytest.mark.usefixtures("fake")
def test_a_second_up_without_a_change_does_not_start_terraform(
    applied: list[str], tmp_path: Path, port: int
) -> None:
    first, _ = up(tmp_path / "state", port)
    second, said = up(tmp_path / "state")
    assert second == first
    assert len(applied) == 1
    assert "nothing changed since the last make up" in said


def test_after_the_emulator_stopped_a_new_one_starts_without_the_old_state(
    fake: FakeEmulator, applied: list[str], tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(tmp_path / "state", port)
    fake.alive.clear()
    found: list[bool] = []
    apply = terraform.apply

    def look_first(state_dir: Path, *arguments: Any) -> dict[str, Any]:
        found.append((terraform.workdir(state_dir) / "terraform.tfstate").exists())
        return apply(state_dir, *arguments)

    monkeypatch.setattr(terraform, "apply", look_first)
    _, said = up(tmp_path / "state", port)
    assert found == [False]
    assert fake.stopped == ["1"]
    assert "stopped since the last make up" in said
    assert len(applied) == 2


@pytest.mark.usefixtures("applied")
@pytest.mark.parametrize("asked", [{"port": 1}, {"emulator": "localstack"}])
def test_up_refuses_to_turn_a_running_stack_into_another(
    fake: FakeEmulator, tmp_path: Path, port: int, asked: dict[str, Any]
) -> None:
    up(tmp_path / "state", port)
    with pytest.raises(ToolError, match="make down"):
        up(tmp_path / "state", **asked)
    assert fake.alive


@pytest.mark.usefixtures("applied")
def test_an_emulator_that_hangs_is_reported_and_can_be_removed(
    fake: FakeEmulator, tmp_path: Path, port: int
) -> None:
    up(tmp_path / "state", port)
    fake.answers = False
    for command in (lambda: up(tmp_path / "state"), lambda: status.status(tmp_path / "state")):
        with pytest.raises(ToolError, match="does not answer") as hung:
            command()
        assert "To give it up, with all events that it holds: make down up" in hung.value.hint
    assert lifecycle.down(tmp_path / "state")
    assert not fake.alive


@pytest.mark.usefixtures("fake")
def test_a_failed_apply_leaves_the_emulator_up_and_no_stack(
    fake: FakeEmulator, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> dict[str, Any]:
        raise ToolError("terraform apply failed")

    monkeypatch.setattr(terraform, "apply", fail)
    with pytest.raises(ToolError, match="apply failed"):
        up(tmp_path / "state", port)
    assert fake.alive
    with pytest.raises(ToolError, match="Terraform has not finished"):
        status.status(tmp_path / "state")


@pytest.mark.usefixtures("fake", "applied")
def test_down_removes_everything_and_a_second_one_finds_nothing(tmp_path: Path, port: int) -> None:
    up(tmp_path / "state", port)
    assert lifecycle.down(tmp_path / "state")
    assert not (tmp_path / "state").exists()
    assert not lifecycle.down(tmp_path / "state")


@pytest.mark.usefixtures("applied")
def test_down_says_removed_only_where_it_stopped_something(
    fake: FakeEmulator, tmp_path: Path, port: int
) -> None:
    up(tmp_path / "state", port)
    assert lifecycle.down(tmp_path / "state") == "removed"
    up(tmp_path / "state", port)
    fake.alive.clear()
    assert "had already ended" in lifecycle.down(tmp_path / "state")


@pytest.mark.usefixtures("applied")
def test_down_forgets_nothing_of_an_emulator_that_cannot_be_stopped(
    fake: FakeEmulator, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    up(tmp_path / "state", port)
    monkeypatch.setattr(fake, "stop", lambda *_: None)
    with pytest.raises(ToolError, match=rf"on port {port} cannot be stopped"):
        lifecycle.down(tmp_path / "state")
    assert Emulator.load(tmp_path / "state") is not None


@pytest.mark.usefixtures("applied")
def test_a_copy_of_a_stacks_files_is_not_the_stack_and_a_moved_one_is(
    fake: FakeEmulator, tmp_path: Path, port: int
) -> None:
    up(tmp_path / "state", port)
    shutil.copytree(tmp_path / "state", tmp_path / "copy")
    assert f"copy of the files of {tmp_path / 'state'}" in lifecycle.down(tmp_path / "copy")
    assert (fake.stopped, (tmp_path / "copy").exists()) == ([], False)
    shutil.copytree(tmp_path / "state", tmp_path / "copy")
    up(tmp_path / "copy", processes.free_port())
    assert fake.stopped == []
    assert lifecycle.down(tmp_path / "copy") == "removed"
    fake.alive.add("1")
    (tmp_path / "state").rename(tmp_path / "moved")
    assert lifecycle.down(tmp_path / "moved") == "removed"


def test_down_does_not_remove_a_directory_that_up_did_not_create(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert not lifecycle.down(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_down_does_not_signal_a_process_that_reuses_the_emulators_pid(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / lifecycle.MARKER).touch()
    Emulator("ministack", "http://127.0.0.1:1", 1, str(os.getpid()), "an earlier start").save(
        tmp_path / "state"
    )
    assert lifecycle.down(tmp_path / "state")
    assert processes.start_mark(os.getpid()) is not None


def test_two_commands_on_one_stack_take_turns(tmp_path: Path) -> None:
    order: list[str] = []
    inside = threading.Event()

    def second() -> None:
        inside.set()
        with exclusive(tmp_path / "lock", "working"):
            order.append("second")

    with exclusive(tmp_path / "lock", "working"):
        thread = threading.Thread(target=second)
        thread.start()
        assert inside.wait(5)
        order.append("first")
    thread.join(5)
    assert order == ["first", "second"]


def test_a_command_that_has_to_wait_says_so_at_once_and_for_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / lifecycle.MARKER).touch()
    said: list[str] = []

    def look(_seconds: float) -> None:
        said.append(capsys.readouterr().err)

    monkeypatch.setattr(time, "sleep", look)
    monkeypatch.setattr(files, "LOCK_WAIT_SECONDS", 0.1)
    with exclusive(tmp_path / "lock", "working"), pytest.raises(ToolError, match="Let it finish or stop it"):
        lifecycle.up(tmp_path)
    assert said[0].startswith("Another command is running make up or make down on this stack. Waiting for it")


def test_a_stack_that_was_removed_and_made_again_meanwhile_is_left_to_who_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = contextlib.ExitStack()
    holder.enter_context(exclusive(tmp_path / "lock", "working"))

    def make_again(_seconds: float) -> None:
        (tmp_path / "lock").unlink()
        (tmp_path / "lock").touch()
        holder.close()

    monkeypatch.setattr(time, "sleep", make_again)
    with pytest.raises(ToolError, match="was removed"), exclusive(tmp_path / "lock", "working"):
        pass


@pytest.mark.usefixtures("fake")
def test_an_unknown_emulator_is_refused(tmp_path: Path, port: int) -> None:
    with pytest.raises(ToolError, match="EMULATOR=moto is not known"):
        up(tmp_path / "state", port, "moto")


@pytest.mark.usefixtures("fake")
def test_localstack_that_cannot_start_is_refused_with_the_reason(tmp_path: Path, port: int) -> None:
    with pytest.raises(ToolError, match="no Docker engine answers"):
        up(tmp_path / "state", port, "localstack")


@pytest.fixture
def destroyed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the endpoints of Terraform's destroys."""
    endpoints: list[str] = []
    monkeypatch.setattr(terraform, "destroy", lambda _state_dir, at: endpoints.append(at))
    return endpoints


@pytest.mark.usefixtures("fake")
def test_a_running_emulator_is_used_and_outlives_the_stack(
    applied: list[str], destroyed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        endpoint, "version", lambda _endpoint, flavour: "9" if flavour == "ministack" else None
    )
    said: list[str] = []
    for _ in range(2):
        state = lifecycle.up(tmp_path / "state", log=said.append, endpoint="http://127.0.0.1:7")
        shortcut.forget(tmp_path / "state")
    assert "MiniStack at http://127.0.0.1:7, already running" in said[0]
    assert (state.emulator, applied) == ("ministack", ["http://127.0.0.1:7"] * 2)
    assert lifecycle.down(tmp_path / "state")
    assert destroyed == ["http://127.0.0.1:7"]
    assert not (tmp_path / "state").exists()


@pytest.mark.usefixtures("fake", "applied")
def test_the_state_is_kept_if_the_emulator_no_longer_answers(
    destroyed: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "version", lambda _endpoint, _flavour: "9")
    lifecycle.up(tmp_path / "state", log=lambda line: None, endpoint="http://127.0.0.1:7")
    monkeypatch.setattr(endpoint, "version", lambda _endpoint, _flavour: None)
    with pytest.raises(ToolError, match="cannot be destroyed"):
        lifecycle.down(tmp_path / "state")
    assert (tmp_path / "state").exists()
    assert destroyed == []


@pytest.mark.usefixtures("fake", "applied")
def test_an_emulator_that_no_longer_answers_is_not_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "version", lambda _endpoint, _flavour: "9")
    lifecycle.up(tmp_path / "state", log=lambda line: None, endpoint="http://127.0.0.1:7")
    monkeypatch.setattr(endpoint, "version", lambda _endpoint, _flavour: None)
    with pytest.raises(ToolError, match="does not answer"):
        up(tmp_path / "state")


@pytest.mark.usefixtures("fake", "applied")
def test_a_stack_stays_on_its_emulator(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "version", lambda _endpoint, _flavour: "9")
    up(tmp_path / "state", port)
    lifecycle.up(tmp_path / "state", log=lambda line: None, endpoint=f"http://127.0.0.1:{port}")
    with pytest.raises(ToolError, match=r"not on http://127\.0\.0\.1:7\. First: make down"):
        lifecycle.up(tmp_path / "state", endpoint="http://127.0.0.1:7")


@pytest.mark.parametrize("other", [{"port": 4566}, {"emulator": "localstack"}])
def test_an_endpoint_excludes_a_port_and_an_emulator(tmp_path: Path, other: dict[str, Any]) -> None:
    with pytest.raises(ToolError, match="omit PORT and EMULATOR"):
        lifecycle.up(tmp_path / "state", endpoint="http://127.0.0.1:7", **other)


@pytest.mark.usefixtures("fake", "applied")
@pytest.mark.parametrize("kept", [True, False])
def test_a_localstack_that_rewrites_bodies_is_reported_in_one_line_and_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: bool
) -> None:
    monkeypatch.setattr(
        endpoint, "version", lambda _endpoint, flavour: "9" if flavour == "localstack" else None
    )
    monkeypatch.setattr(message_bodies, "are_kept", lambda *_: kept)
    said: list[str] = []
    lifecycle.up(tmp_path / "state", log=said.append, endpoint="http://127.0.0.1:7")
    assert sum("this LocalStack rewrites bodies" in line for line in said) == (0 if kept else 1)
    assert StackState.load(tmp_path / "state").bodies_kept is kept


@pytest.mark.usefixtures("fake", "applied")
def test_up_says_that_the_disk_is_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, port: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=2**20))
    with pytest.raises(ToolError, match="is full: 1 MB free"):
        up(tmp_path / "state", port)
