"""Run LocalStack in a separate container for the tests, configured by docker-compose.yml."""

from __future__ import annotations

import os
import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tests import logs
from tools.core.errors import ToolError
from tools.core.paths import COMPOSE_FILE
from tools.local import endpoint, localstack, processes

PORT = 4566
START_SECONDS = 120


def service(environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return LocalStack's service in docker-compose.yml, with its variables replaced as compose does."""
    import yaml

    def value(variable: re.Match[str]) -> str:
        return environment.get(variable["name"]) or variable["default"]

    text = re.sub(r"\$\{(?P<name>\w+):-(?P<default>[^}]*)\}", value, COMPOSE_FILE.read_text())
    described: dict[str, Any] = yaml.safe_load(text)["services"]["localstack"]
    return described


def container(image: str, name: str, port: int) -> Any:
    """Create the container of docker-compose.yml on 127.0.0.1:``port``, without starting it."""
    from docker.types import Mount
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # The reaper needs another image. The tests remove the container, unless they are killed by SIGKILL.
    testcontainers_config.ryuk_disabled = True
    # docker-py does not know the contexts of the docker command, which Colima and others use.
    if (engine := localstack.engine()) != f"unix://{localstack.DEFAULT_SOCKET}":
        testcontainers_config.tc_properties.setdefault("tc.host", engine)
    config = service({**os.environ, "LOCALSTACK_DOCKER_NAME": name, "LOCALSTACK_PORT": str(port)})
    created: Any = DockerContainer(image).with_name(name).with_envs(**config["environment"])
    # docker-py accepts an address with the port, and testcontainers passes it on.
    created.ports[PORT] = (processes.LOOPBACK, port)
    mounts = [
        Mount(
            each["target"],
            str(COMPOSE_FILE.parent / each["source"]),
            type=each["type"],
            read_only=each.get("read_only", False),
        )
        for each in config["volumes"]
    ]
    return created.with_kwargs(mounts=mounts)


@contextmanager
def running(image: str) -> Iterator[str]:
    """Run LocalStack and yield its address. Raises ToolError if it does not start."""
    from docker.errors import DockerException

    port = processes.free_port()
    address = f"http://{processes.LOOPBACK}:{port}"
    try:
        # Creating it needs the engine.
        started = container(image, f"rt-pipeline-tests-{uuid.uuid4().hex[:8]}", port)
        started.start()
    except (DockerException, OSError) as error:
        raise ToolError(
            f"{image} cannot be started at {localstack.engine()}: {error}\n"
            "Without it: make test TARGET=ministack"
        ) from None
    try:
        _wait_until_healthy(started, image, address)
        yield address
    finally:
        logs.keep("localstack", *started.get_logs())
        started.stop()


def _wait_until_healthy(started: Any, image: str, address: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while endpoint.version(address, "localstack") is None:
        if time.monotonic() > deadline:
            lines = b"\n".join(started.get_logs()).decode(errors="replace").splitlines()
            raise ToolError(
                f"{image} did not answer within {START_SECONDS} s. The end of its log:\n"
                + "\n".join(lines[-15:])
            )
        time.sleep(0.3)
