from collections.abc import Callable
from pathlib import Path

import pytest

from tools.core.errors import StackError
from tools.local import localstack, processes

# Stands in for docker, `docker compose` and the registry: it answers by the first two words it is given.
DOCKER = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$1 $2" in
{cases}
esac
exit 1
"""
ENGINE = '"version --format") echo 28; exit 0;;'
COMPOSE = '"compose version") exit 0;;'
IMAGE = '"image inspect") exit 0;;'
REGISTRY = '"manifest inspect") exit 0;;'
PULL = '"pull --quiet") exit 0;;'
COMPOSE_UP = '"compose --project-name") exit 0;;'


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Puts a docker on PATH that can do just what is asked for; returns the file of the calls it got."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def make(*cases: str) -> Path:
        script = tmp_path / "docker"
        script.write_text(DOCKER.replace("{cases}", "\n".join(cases)))
        script.chmod(0o755)
        return tmp_path / "calls"

    make()
    return make


def test_without_an_engine_the_reason_says_so(docker: Callable[..., Path]) -> None:
    docker()
    assert localstack.unavailable() == "no Docker engine answers"


def test_without_compose_the_reason_says_so(docker: Callable[..., Path]) -> None:
    docker(ENGINE)
    assert "compose" in (localstack.unavailable() or "")


def test_an_image_that_is_here_is_not_pulled(docker: Callable[..., Path]) -> None:
    calls = docker(ENGINE, COMPOSE, IMAGE)
    assert localstack.unavailable() is None
    assert "pull" not in calls.read_text()


def test_an_image_whose_registry_is_out_of_reach_is_not_waited_for(docker: Callable[..., Path]) -> None:
    calls = docker(ENGINE, COMPOSE)
    assert "registry cannot be reached" in (localstack.unavailable() or "")
    assert "pull" not in calls.read_text()


def test_an_image_that_can_be_had_is_pulled(docker: Callable[..., Path]) -> None:
    calls = docker(ENGINE, COMPOSE, REGISTRY, PULL)
    assert localstack.unavailable() is None
    assert f"pull --quiet localstack/localstack:{localstack.DEFAULT_VERSION}" in calls.read_text()


def test_the_version_that_was_asked_for_is_looked_for(
    docker: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_VERSION", "2026.9")
    calls = docker(ENGINE, COMPOSE, IMAGE)
    localstack.unavailable()
    assert "image inspect localstack/localstack:2026.9" in calls.read_text()


def test_whoever_starts_it_without_compose_pulls_the_image_later(docker: Callable[..., Path]) -> None:
    calls = docker(ENGINE, REGISTRY)
    assert localstack.unavailable_without_compose() is None
    assert "pull" not in calls.read_text()
    docker(ENGINE)
    assert "registry cannot be reached" in (localstack.unavailable_without_compose() or "")


@pytest.mark.parametrize(("code", "words"), [(55, "LOCALSTACK_AUTH_TOKEN"), (1, "docker logs rt-pipeline-")])
def test_a_container_that_ends_is_reported(
    docker: Callable[..., Path], tmp_path: Path, code: int, words: str
) -> None:
    docker(COMPOSE, COMPOSE_UP, f'"inspect --type") echo exited {code}; exit 0;;')
    with pytest.raises(StackError, match=words):
        localstack.start(tmp_path, processes.free_port(), {})


def test_two_stacks_have_two_containers(docker: Callable[..., Path], tmp_path: Path) -> None:
    calls = docker(COMPOSE, COMPOSE_UP, '"inspect --type") echo exited 1; exit 0;;')
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with pytest.raises(StackError):
            localstack.start(tmp_path / name, processes.free_port(), {})
    projects = {line.split()[2] for line in calls.read_text().splitlines() if "--project-name" in line}
    assert len(projects) == 2
