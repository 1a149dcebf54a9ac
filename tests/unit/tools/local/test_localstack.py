import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tools.core.errors import ToolError
from tools.local import emulators, localstack, processes
from tools.local.emulator import Emulator

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
PULL = '"pull localstack/localstack:4.14.0") echo "4f4fb700ef54: Pull complete"; exit 0;;'
COMPOSE_UP = '"compose --project-name") exit 0;;'


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Put a docker with the given abilities on a PATH of its own; return the file of its calls."""
    path = tmp_path / "path"
    path.mkdir()
    # What the script itself needs; this machine's own docker and compose are not to be found.
    (path / "dirname").symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.delenv("LOCALSTACK_VERSION", raising=False)

    def make(*cases: str) -> Path:
        script = path / "docker"
        script.write_text(DOCKER.replace("{cases}", "\n".join(cases)))
        script.chmod(0o755)
        return path / "calls"

    make()
    return make


def test_without_an_engine_that_is_the_reason(docker: Callable[..., Path]) -> None:
    docker()
    assert localstack.not_ready() == "no Docker engine answers"


def test_the_engine_is_that_of_the_docker_commands_context(
    docker: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert localstack.engine() == "unix:///var/run/docker.sock"
    docker('"context inspect") echo unix:///home/a/.colima/docker.sock; exit 0;;')
    assert localstack.engine() == "unix:///home/a/.colima/docker.sock"
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/user/1000/podman/podman.sock")
    assert localstack.engine() == "unix:///run/user/1000/podman/podman.sock"


def test_without_compose_that_is_the_reason(docker: Callable[..., Path]) -> None:
    docker(ENGINE)
    assert "compose" in (localstack.not_ready() or "")


def test_the_older_compose_is_accepted(docker: Callable[..., Path]) -> None:
    calls = docker(ENGINE, IMAGE)
    older = calls.with_name("docker-compose")
    older.write_text("#!/bin/sh\nexit 0\n")
    older.chmod(0o755)
    assert localstack.not_ready() is None


def test_auto_uses_localstack_where_its_image_is_here(docker: Callable[..., Path]) -> None:
    docker(ENGINE, COMPOSE, IMAGE)
    assert emulators.choose("auto") == ("localstack", "auto: Docker answers and has the image")


@pytest.mark.parametrize("found", [[], [ENGINE], [ENGINE, COMPOSE, PULL]], ids=len)
def test_auto_never_pulls(docker: Callable[..., Path], found: list[str]) -> None:
    calls = docker(*found)
    assert emulators.choose("auto")[0] == "ministack"
    assert "pull" not in calls.read_text()


def test_a_present_image_is_not_pulled(docker: Callable[..., Path]) -> None:
    calls = docker(ENGINE, COMPOSE, IMAGE)
    assert emulators.choose("localstack") == ("localstack", "EMULATOR=localstack")
    assert "pull" not in calls.read_text()


def test_requested_localstack_is_pulled_with_dockers_own_progress(
    docker: Callable[..., Path], capfd: pytest.CaptureFixture[str]
) -> None:
    docker(ENGINE, COMPOSE, PULL)
    assert emulators.choose("localstack") == ("localstack", "EMULATOR=localstack")
    shown = capfd.readouterr().out
    assert shown.index("pulling localstack/localstack:4.14.0") < shown.index("4f4fb700ef54: Pull complete")


def test_an_image_that_cannot_be_pulled_is_an_error(docker: Callable[..., Path]) -> None:
    docker(ENGINE, COMPOSE)
    with pytest.raises(ToolError, match=r"cannot pull localstack/localstack:4\.14\.0"):
        emulators.choose("localstack")


def test_localstack_without_docker_is_an_error_with_a_remedy(docker: Callable[..., Path]) -> None:
    docker()
    with pytest.raises(ToolError, match=r"no Docker engine answers\. .*EMULATOR=ministack"):
        emulators.choose("localstack")


def test_the_requested_version_is_looked_up(
    docker: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCALSTACK_VERSION", "2026.9")
    calls = docker(ENGINE, COMPOSE, IMAGE)
    localstack.not_ready()
    assert "image inspect localstack/localstack:2026.9" in calls.read_text()


@pytest.mark.parametrize(("code", "words"), [(55, "LOCALSTACK_AUTH_TOKEN"), (1, "docker logs rt-pipeline-")])
def test_a_container_that_exits_is_reported(
    docker: Callable[..., Path], tmp_path: Path, code: int, words: str
) -> None:
    docker(COMPOSE, COMPOSE_UP, f'"inspect --type") echo exited {code}; exit 0;;')
    with pytest.raises(ToolError, match=words):
        localstack.start(tmp_path, processes.free_port(), {})


def test_two_stacks_have_two_containers(docker: Callable[..., Path], tmp_path: Path) -> None:
    calls = docker(COMPOSE, COMPOSE_UP, '"inspect --type") echo exited 1; exit 0;;')
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with pytest.raises(ToolError):
            localstack.start(tmp_path / name, processes.free_port(), {})
    projects = {line.split()[2] for line in calls.read_text().splitlines() if "--project-name" in line}
    assert len(projects) == 2


def test_lambda_containers_of_a_killed_localstack_are_removed_before_its_network(
    docker: Callable[..., Path], tmp_path: Path
) -> None:
    calls = docker(COMPOSE, COMPOSE_UP, '"ps -aq") echo one; echo two; exit 0;;', '"rm --force") exit 0;;')
    localstack.stop(Emulator("localstack", "http://127.0.0.1:1", 1, "stack", "mark"), tmp_path)
    done = [line for line in calls.read_text().splitlines() if not line.endswith("version")]
    words = ("stop --timeout", "name=^stack-lambda-", "rm --force one two", "down --volumes")
    assert [word in line for word, line in zip(words, done, strict=True)] == [True] * 4


def test_a_refusal_by_docker_is_an_error(docker: Callable[..., Path], tmp_path: Path) -> None:
    calls = docker(COMPOSE)
    with pytest.raises(ToolError, match="could not remove LocalStack"):
        localstack.stop(Emulator("localstack", "http://127.0.0.1:1", 1, "stack", "mark"), tmp_path)
    assert "down --volumes" not in calls.read_text()
