"""LocalStack in Docker, through docker compose v2 or docker-compose 1.29."""

import hashlib
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.paths import COMPOSE_FILE
from tools.core.text import quote
from tools.local import endpoint, processes
from tools.local.emulator import Emulator
from tools.local.ministack import HEALTH_SECONDS, port_taken

IMAGE = "localstack/localstack"
# The last image that starts without a token.
DEFAULT_VERSION = "4.14.0"
ENGINE_SECONDS = 5
DEFAULT_SOCKET = "/var/run/docker.sock"
PULL_SIZE = "1.2 GB"
START_SECONDS = 120
STOP_SECONDS = 60
NO_TOKEN_EXIT_CODE = 55  # testcontainers-python #985


def not_ready() -> str | None:
    """Return why LocalStack cannot be started without a pull, or None if it can. Takes at most 20 s."""
    return no_engine() or no_compose() or no_image()


def image() -> str:
    """Return the image with its version: LOCALSTACK_VERSION, or the last version that needs no token."""
    return f"{IMAGE}:{os.environ.get('LOCALSTACK_VERSION') or DEFAULT_VERSION}"


def no_engine() -> str | None:
    """Return why no Docker engine can be used, or None if one can. Takes at most 5 s."""
    engine = _docker("version", "--format", "{{.Server.Version}}", seconds=ENGINE_SECONDS)
    return "no Docker engine answers" if engine.returncode != 0 else None


def engine() -> str:
    """Return the address at which the docker command looks for its engine. Takes at most 5 s."""
    shown = _docker("context", "inspect", "--format", "{{.Endpoints.docker.Host}}", seconds=ENGINE_SECONDS)
    return os.environ.get("DOCKER_HOST") or shown.stdout.strip() or f"unix://{DEFAULT_SOCKET}"


def socket() -> str:
    """Return the engine's socket as containers see it, which docker-compose.yml mounts into LocalStack."""
    return os.environ.get("DOCKER_SOCK") or DEFAULT_SOCKET


def no_compose() -> str | None:
    """Return why compose cannot be used, or None if it can. Takes at most 10 s."""
    if _compose_command() is None:
        return "Docker has neither docker compose nor docker-compose"
    return None


def no_image() -> str | None:
    """Return that the image must be pulled first, or None if it is present. Takes at most 5 s."""
    present = _docker("image", "inspect", image(), seconds=ENGINE_SECONDS).returncode == 0
    return None if present else f"the image {image()} is not on this machine"


def pull() -> None:
    """Pull the image if it is not present. Docker shows its own progress.

    Raises ToolError if Docker cannot pull it.
    """
    if no_image() is None:
        return
    print(f"pulling {image()}: {PULL_SIZE}, once", flush=True)
    try:
        # No time limit, because Docker shows the progress of a slow download.
        code = subprocess.run(["docker", "pull", image()], stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        raise ToolError(f"docker pull {image()} cannot run: {error}") from None
    if code != 0:
        raise ToolError(f"Docker cannot pull {image()}; its message is above.")


def start(state_dir: Path, port: int, extra_environment: Mapping[str, str]) -> Emulator:
    """Start LocalStack on 127.0.0.1:``port`` and wait until it is healthy. Raises ToolError."""
    name = _container(state_dir)
    emulator = Emulator("localstack", f"http://{processes.LOOPBACK}:{port}", port, name, "")
    # Saved before the container exists, so that `make down` removes it after an interruption.
    emulator.save(state_dir)
    done = _compose(state_dir, port, "up", "--detach", extra=extra_environment)
    if done.returncode != 0:
        if not processes.port_is_free(port):
            raise ToolError(port_taken(port))
        raise ToolError(f"docker compose could not start LocalStack:\n{done.stderr.strip()}")
    _wait_until_healthy(emulator)
    emulator = Emulator("localstack", emulator.endpoint, port, name, _started_at(name) or "")
    emulator.save(state_dir)
    return emulator


def is_running(emulator: Emulator) -> bool:
    """Return whether the container runs and was not restarted, because a restart loses its content."""
    return bool(emulator.mark) and _started_at(emulator.name) == emulator.mark


def stop(emulator: Emulator, state_dir: Path) -> None:
    """Remove the container, its volumes and network, and the Lambda containers that it started.

    Raises ToolError if Docker refuses.
    """
    # LocalStack stops first, so that it starts no more Lambda containers. If it was killed, some are left,
    # and Docker cannot remove their network.
    done = _compose(state_dir, emulator.port, "stop", "--timeout", "10")
    listing = _docker("ps", "-aq", "--filter", f"name=^{emulator.name}-lambda-", seconds=STOP_SECONDS)
    if listing.stdout.split():
        _docker("rm", "--force", *listing.stdout.split(), seconds=STOP_SECONDS)
    if done.returncode == 0:
        done = _compose(state_dir, emulator.port, "down", "--volumes", "--timeout", "10")
    if done.returncode != 0:
        raise ToolError(
            f"docker compose could not remove LocalStack:\n{done.stderr.strip()}\n"
            "Start the Docker engine and try again. If the engine no longer exists: "
            f"rm -r {quote(str(state_dir))}"
        )


def health(emulator: Emulator) -> str | None:
    """Return the version of the LocalStack that answers, or None."""
    return endpoint.version(emulator.endpoint, "localstack", seconds=HEALTH_SECONDS)


def last_lines(state_dir: Path, count: int) -> str:
    """Return the last lines of LocalStack's log."""
    done = _docker("logs", "--tail", str(count), _container(state_dir), seconds=ENGINE_SECONDS)
    return done.stdout + done.stderr


def _wait_until_healthy(emulator: Emulator) -> None:
    deadline = time.monotonic() + START_SECONDS
    while health(emulator) is None:
        state = _inspect(emulator.name, "{{.State.Status}} {{.State.ExitCode}}")
        if state and state.startswith("exited"):
            code = int(state.split()[1])
            if code == NO_TOKEN_EXIT_CODE:
                raise ToolError(
                    "LocalStack ended with exit code 55: this version needs a token. "
                    f"Set LOCALSTACK_AUTH_TOKEN, or unset LOCALSTACK_VERSION for {DEFAULT_VERSION}. "
                    "Then: make down up"
                )
            raise ToolError(f"LocalStack ended with exit code {code}. Its log: docker logs {emulator.name}")
        if time.monotonic() > deadline:
            raise ToolError(
                f"LocalStack did not answer within {START_SECONDS} s. Its log: docker logs {emulator.name}"
            )
        time.sleep(0.3)


def _container(state_dir: Path) -> str:
    return f"rt-pipeline-{hashlib.sha256(str(state_dir).encode()).hexdigest()[:8]}"


def _started_at(container: str) -> str | None:
    return _inspect(container, "{{if .State.Running}}{{.Id}} {{.State.StartedAt}}{{end}}")


def _inspect(container: str, template: str) -> str | None:
    done = _docker("inspect", "--type", "container", "--format", template, container, seconds=ENGINE_SECONDS)
    return done.stdout.strip() or None if done.returncode == 0 else None


def _compose_command() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if _run([*command, "version"], ENGINE_SECONDS).returncode == 0:
            return command
    return None


def _compose(
    state_dir: Path, port: int, *arguments: str, extra: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    command = _compose_command()
    if command is None:
        raise ToolError("Neither docker compose nor docker-compose answers. Is the Docker engine running?")
    name = _container(state_dir)
    environment = {"LOCALSTACK_DOCKER_NAME": name, "LOCALSTACK_PORT": str(port), **(extra or {})}
    files = ["--project-name", name, "--file", str(COMPOSE_FILE)]
    return _run([*command, *files, *arguments], START_SECONDS, environment)


def _docker(*arguments: str, seconds: float) -> "subprocess.CompletedProcess[str]":
    return _run(["docker", *arguments], seconds)


def _run(
    command: list[str], seconds: float, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(
            command,
            env=os.environ | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} is not on PATH")
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", f"no answer within {seconds:.0f} s")
