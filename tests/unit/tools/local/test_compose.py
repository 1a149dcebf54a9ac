"""docker-compose.yml is pinned, on loopback only, has health checks, and is valid for both composes."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import localstack_container
from tools.core.paths import COMPOSE_FILE, REQUIREMENTS
from tools.local import localstack, message_bodies

FILE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
EACH = pytest.mark.parametrize("name", SERVICES)


def defaults(text: str) -> str:
    """Return the text with the defaults of all variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def locked(package: str) -> str:
    """Return the version of a package in the locks."""
    for lock in ("emulator", "dev"):
        found = re.search(rf"^{package}==(\S+)", (REQUIREMENTS / f"{lock}.txt").read_text(), re.MULTILINE)
        if found:
            return found[1]
    raise AssertionError(f"{package} is in no lock")


def test_without_a_profile_there_is_localstack_alone() -> None:
    assert [name for name, service in SERVICES.items() if "profiles" not in service] == ["localstack"]


def test_it_uses_only_features_of_docker_compose_1_29() -> None:
    assert set(FILE) == {"services"}


@EACH
def test_an_image_is_pinned(name: str) -> None:
    tag = defaults(SERVICES[name]["image"]).partition(":")[2]
    assert re.match(r"\d+\.\d+", tag)


@EACH
def test_a_port_is_published_on_loopback_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name]["ports"])


@EACH
def test_a_service_has_a_health_check(name: str) -> None:
    assert set(SERVICES[name]["healthcheck"]) == {"test", "interval", "timeout", "start_period", "retries"}


def test_all_services_can_run_at_once() -> None:
    outside = [defaults(port).split(":")[1] for service in SERVICES.values() for port in service["ports"]]
    assert len(set(outside)) == len(outside)


def test_only_localstack_gets_the_docker_socket_for_its_lambda_containers() -> None:
    holders = [name for name, service in SERVICES.items() if "docker.sock" in str(service.get("volumes"))]
    assert holders == ["localstack"]


def test_the_versions_equal_those_in_the_locks() -> None:
    images = {name: defaults(service["image"]) for name, service in SERVICES.items()}
    assert images["localstack"] == f"{localstack.IMAGE}:{localstack.DEFAULT_VERSION}"
    assert images["ministack"] == f"ministackorg/ministack:{locked('ministack')}"


def test_the_fault_proxy_installs_the_version_of_the_chaos_tests_and_only_what_has_a_known_hash() -> None:
    (mount,) = SERVICES["faults"]["volumes"]
    assert mount["read_only"]
    assert f"--require-hashes --requirement {mount['target']} &&" in SERVICES["faults"]["command"][-1]
    lock = (COMPOSE_FILE.parent / mount["source"]).read_text()
    assert f"microburst=={locked('microburst')} \\\n    --hash=sha256:" in lock
    for service in SERVICES.values():
        assert not re.search(r"pip install(?!.*--require-hashes)", str(service.get("command", "")))


def test_queue_urls_name_the_port_that_is_published() -> None:
    said = localstack_container.service({"LOCALSTACK_PORT": "4711"})
    assert said["ports"] == ["127.0.0.1:4711:4566"]
    assert said["environment"]["LOCALSTACK_HOST"] == "127.0.0.1:4711"
    assert said["environment"]["SQS_ENDPOINT_STRATEGY"] == "off"


def test_the_init_scripts_are_mounted_where_localstack_executes_them() -> None:
    scripts = [each for each in SERVICES["localstack"]["volumes"] if each["target"].endswith(".py")]
    for script in scripts:
        assert (COMPOSE_FILE.parent / script["source"]).is_file()
        assert script["target"] == f"/etc/localstack/init/start.d/{Path(script['source']).name}"
        assert script["read_only"]
    assert {Path(script["source"]).name for script in scripts} == {message_bodies.SCRIPT, "drain_queues.py"}


def test_the_container_of_the_tests_is_made_of_the_same_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DOCKER_SOCK", "LOCALSTACK_DOCKER_NAME", "LOCALSTACK_PORT"):
        monkeypatch.delenv(name, raising=False)
    # A client would ask the engine for its version.
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda: None)
    made = localstack_container.container("image:1", "a-name", 4711)
    said = localstack_container.service({"LOCALSTACK_DOCKER_NAME": "a-name", "LOCALSTACK_PORT": "4711"})
    assert made.env == said["environment"]
    mounts = {each["Target"]: (each["Source"], each["ReadOnly"]) for each in made._kwargs["mounts"]}
    assert mounts["/var/run/docker.sock"] == ("/var/run/docker.sock", False)
    script = f"/etc/localstack/init/start.d/{message_bodies.SCRIPT}"
    assert mounts[script] == (str(COMPOSE_FILE.parent / "tools" / "local" / message_bodies.SCRIPT), True)


@pytest.mark.parametrize("command", [["docker", "compose"], ["docker-compose"]], ids=" ".join)
def test_compose_itself_finds_it_valid(command: list[str]) -> None:
    try:
        version = subprocess.run([*command, "version"], capture_output=True, check=False, timeout=30)
    except FileNotFoundError:
        pytest.skip(f"there is no {command[0]} on this machine")
    if version.returncode != 0:
        pytest.skip(f"{' '.join(command)} does not work on this machine")
    done = subprocess.run(
        [*command, "--file", str(COMPOSE_FILE), "config", "--quiet"],
        env={**os.environ, "COMPOSE_PROFILES": "ministack,faults"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
