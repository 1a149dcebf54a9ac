"""Configure and run the container of LocalStack, without a Docker engine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, DockerException
from testcontainers.core.config import testcontainers_config

from tests import localstack_container, logs
from tools.core.errors import ToolError
from tools.local import endpoint, localstack


class Container(SimpleNamespace):
    """A fake of testcontainers' class."""

    def __init__(self, **told: Any) -> None:
        super().__init__(started=0, stopped=0, **told)

    def start(self) -> None:
        """Start, or fail like Docker without the image."""
        if self.fails:
            raise APIError("no such image")
        self.started += 1

    def stop(self) -> None:
        """Remove the container."""
        self.stopped += 1

    def get_logs(self) -> tuple[bytes, bytes]:
        """Return its stdout and stderr."""
        return b"License activation failed", b""


@pytest.fixture(autouse=True)
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the directory for the container's log."""
    monkeypatch.setattr(logs, "DIRECTORY", tmp_path)
    return tmp_path / "localstack.log"


def stand_in(monkeypatch: pytest.MonkeyPatch, *, fails: bool = False, answers: bool = True) -> Container:
    made = Container(fails=fails)
    monkeypatch.setattr(localstack_container, "container", lambda *_: made)
    monkeypatch.setattr(endpoint, "version", lambda *_: "4.14.0" if answers else None)
    monkeypatch.setattr(localstack_container, "START_SECONDS", 0)
    return made


def test_it_runs_as_long_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    made = stand_in(monkeypatch)
    with localstack_container.running("image:1") as address:
        assert address.startswith("http://127.0.0.1:")
        assert (made.started, made.stopped) == (1, 0)
    assert made.stopped == 1


def test_its_log_is_kept(monkeypatch: pytest.MonkeyPatch, log: Path) -> None:
    stand_in(monkeypatch)
    with pytest.raises(KeyError), localstack_container.running("image:1"):
        raise KeyError
    assert log.read_bytes() == b"License activation failed"


def test_an_engine_that_docker_py_cannot_reach_is_an_error_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise DockerException("Error while fetching server API version")

    # As testcontainers does where docker-py finds no engine, though the docker command does.
    monkeypatch.setattr(localstack_container, "container", refuse)
    with (
        pytest.raises(ToolError, match=r"image:1 cannot be started(.|\n)*TARGET=ministack"),
        localstack_container.running("image:1"),
    ):
        pass


def test_docker_py_uses_the_engine_of_the_docker_command(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, str] = {}

    def refuse(_: str) -> None:
        raise DockerException("Error while fetching server API version")

    monkeypatch.setattr(testcontainers_config, "tc_properties", settings)
    monkeypatch.setattr("testcontainers.core.container.DockerContainer", refuse)
    for address in ("unix:///var/run/docker.sock", "unix:///home/a/.colima/docker.sock"):
        monkeypatch.setattr(localstack, "engine", lambda address=address: address)
        with (
            pytest.raises(ToolError, match=rf"image:1 cannot be started at {address}"),
            localstack_container.running("image:1"),
        ):
            pass
        assert settings.get("tc.host") == (address if "colima" in address else None)


def test_an_image_that_cannot_be_pulled_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(monkeypatch, fails=True)
    with (
        pytest.raises(ToolError, match=r"image:1 cannot be started(.|\n)*TARGET=ministack"),
        localstack_container.running("image:1"),
    ):
        pass


def test_a_container_that_does_not_answer_is_removed_and_its_log_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = stand_in(monkeypatch, answers=False)
    with (
        pytest.raises(ToolError, match="License activation failed"),
        localstack_container.running("image:1"),
    ):
        pass
    assert made.stopped == 1
