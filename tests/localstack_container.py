"""LocalStack in a container of the tests' own, through testcontainers, as docker-compose.yml has it."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests import logs
from tools.core.errors import StackError
from tools.core.paths import COMPOSE_FILE
from tools.local import endpoint, processes

PORT = 4566
START_SECONDS = 120


def service(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return LocalStack's service in docker-compose.yml, with its variables replaced as compose does."""
    import yaml

    def value(variable: re.Match[str]) -> str:
        return environment.get(variable["name"]) or variable["default"]

    text = re.sub(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}", value, COMPOSE_FILE.read_text())
    found: dict[str, Any] = yaml.safe_load(text)["services"]["localstack"]
    return found


def container(image: str, name: str, port: int) -> Any:
    """The container as docker-compose.yml has it, reachable on 127.0.0.1:``port`` alone; not yet started."""
    from docker.types import Mount
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # Its reaper is an image more to pull. The container is removed here; only a kill -9 leaves it behind.
    testcontainers_config.ryuk_disabled = True
    said = service({**os.environ, "LOCALSTACK_DOCKER_NAME": name, "LOCALSTACK_PORT": str(port)})
    made: Any = DockerContainer(image).with_name(name).with_envs(**said["environment"])
    # docker-py takes an address beside the port; testcontainers hands it on as it is.
    made.ports[PORT] = (processes.LOOPBACK, port)
    mounts = [
        Mount(
            each["target"],
            str(COMPOSE_FILE.parent / each["source"]),
            type=each["type"],
            read_only=each.get("read_only", False),
        )
        for each in said["volumes"]
    ]
    return made.with_kwargs(mounts=mounts)


@contextmanager
def running(image: str) -> Iterator[str]:
    """LocalStack for a while; its address. Raises StackError where it does not come up."""
    from docker.errors import DockerException

    port = processes.free_port()
    address = f"http://{processes.LOOPBACK}:{port}"
    try:
        # Making it asks the engine already; docker-py finds engines by other ways than the docker command.
        made = container(image, f"rt-pipeline-tests-{uuid.uuid4().hex[:8]}", port)
        made.start()
    except (DockerException, OSError) as error:
        raise StackError(
            f"{image} cannot be started: {error}\nWithout it: make test TARGET=ministack"
        ) from None
    try:
        _wait_until_healthy(made, image, address)
        yield address
    finally:
        logs.keep("localstack", *made.get_logs())
        made.stop()


def _wait_until_healthy(made: Any, image: str, address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while endpoint.version(address, "localstack") is None:
        if time.monotonic() > deadline:
            said = b"\n".join(made.get_logs()).decode(errors="replace").splitlines()
            raise StackError(
                f"{image} did not answer within {START_SECONDS} s. The last it said:\n"
                + "\n".join(said[-15:])
            )
        time.sleep(0.3)
