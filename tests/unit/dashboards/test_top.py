from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboards import top
from dashboards.target import find_target
from tools.core.errors import UsageError
from tools.core.paths import ROOT
from tools.core.state import ENVIRONMENT_OUTPUTS

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture
def endpoint() -> Iterator[str]:
    """An address where nothing answers."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture
def exported(endpoint: str) -> dict[str, str]:
    """The names of a pipeline at that address, as `make env` exports them."""
    names = {name: f"p-test-{output}" for name, output in ENVIRONMENT_OUTPUTS.items()}
    urls = {"QUEUE_URL": f"{endpoint}/0/p-test-events", "DLQ_URL": f"{endpoint}/0/p-test-events-dlq"}
    return {**names, **urls, **CREDENTIALS, "FUNCTION_NAME": "p-test-processor", "AWS_ENDPOINT_URL": endpoint}


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "lambda_src")]),
    }
    return subprocess.run(
        [sys.executable, "-m", "dashboards", *arguments],
        env=inherited | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_one_frame_shows_errors_and_the_exit_status_is_1_if_nothing_answers(exported: dict[str, str]) -> None:
    result = run(exported, "--once")
    assert result.returncode == 1
    assert "SQS does not answer" in result.stdout
    assert 'eval "$(make env)"' in result.stderr
    assert "Traceback" not in result.stdout + result.stderr


def test_json_contains_the_error_of_each_source(exported: dict[str, str]) -> None:
    result = run(exported, "--json")
    assert result.returncode == 1
    assert {panel["problem"] for panel in json.loads(result.stdout)["panels"].values()} == {
        "SQS does not answer",
        "log group does not answer",
        "DynamoDB does not answer",
        "CloudWatch does not answer",
    }


def test_one_frame_is_printed_without_a_terminal(exported: dict[str, str]) -> None:
    result = run(exported)
    assert "╭─ Queue" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stdout.endswith("\n")
    assert "--once" in result.stderr


def test_without_a_stack_the_hint_is_how_to_start_one(tmp_path: Path) -> None:
    result = run({"STACK_DIR": str(tmp_path)}, "--once")
    assert result.returncode == 1
    assert "make up" in result.stderr


@pytest.mark.parametrize("interval", ["0", "0.1", "61", "nan", "soon"])
def test_an_invalid_interval_is_refused(interval: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        top.build_parser({}).parse_args(["--interval", interval])
    assert "is not a number of seconds from 0.5 to 60" in capsys.readouterr().err


def test_the_interval_can_come_from_the_environment() -> None:
    assert top.build_parser({"INTERVAL": "2.5"}).parse_args([]).interval == 2.5
    assert top.build_parser({"INTERVAL": ""}).parse_args([]).interval == 1.0


def test_a_profile_without_a_name_is_refused() -> None:
    with pytest.raises(UsageError, match="Which pipeline"):
        find_target(None, "prod", "eu-central-1", {})


def test_a_profile_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="no AWS profile missing"):
        find_target("rt-pipeline-prod", "missing", "eu-central-1", {})


def test_a_name_without_a_region_asks_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="Which region"):
        find_target("rt-pipeline-prod", None, None, {})


def test_exported_names_are_watched_at_the_exported_endpoint(exported: dict[str, str], endpoint: str) -> None:
    target = find_target(None, None, None, exported)
    assert (target.name, target.endpoint, target.region) == ("p-test", endpoint, "us-east-1")
    assert target.location == f"{endpoint} us-east-1"


def test_the_region_option_overrides_the_exported_region(exported: dict[str, str]) -> None:
    del exported["AWS_ENDPOINT_URL"]
    target = find_target(None, None, "eu-central-1", exported)
    assert target.clients["sqs"].meta.region_name == target.region == "eu-central-1"
    assert target.location == "AWS eu-central-1"
