"""LocalStack in a container of the tests' own, through testcontainers."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from stack import endpoint, processes
from stack.errors import StackError
from tests import logs

PORT = 4566
START_SECONDS = 120
SOCKET = "/var/run/docker.sock"
# docker-compose.yml says the same, and why.
SETTINGS = {
    "ENFORCE_IAM": "1",
    "LAMBDA_IGNORE_ARCHITECTURE": "1",
    "LAMBDA_RUNTIME_ENVIRONMENT_TIMEOUT": "180",
    "DISABLE_EVENTS": "1",
}


def container(image: str, name: str, port: int) -> Any:
    """The container as docker-compose.yml has it, reachable on 127.0.0.1:``port`` alone; not yet started."""
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # Its reaper is an image more to pull. The container is removed here; only a kill -9 leaves it behind.
    testcontainers_config.ryuk_disabled = True
    made: Any = DockerContainer(image).with_name(name)
    # docker-py takes an address beside the port; testcontainers hands it on as it is.
    made.ports[PORT] = (processes.LOOPBACK, port)
    made.with_volume_mapping(os.environ.get("DOCKER_SOCK") or SOCKET, SOCKET, "rw")
    return made.with_envs(
        **SETTINGS,
        MAIN_CONTAINER_NAME=name,
        LOCALSTACK_AUTH_TOKEN=os.environ.get("LOCALSTACK_AUTH_TOKEN", ""),
    )


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
