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
from dashboards.target import find
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
    """An address at which nothing answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def exported(endpoint: str) -> dict[str, str]:
    """The names of a pipeline at that address, as make env exports them."""
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


def test_with_nothing_there_one_frame_says_so_and_the_exit_status_is_1(exported: dict[str, str]) -> None:
    done = run(exported, "--once")
    assert done.returncode == 1
    assert "SQS does not answer" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_json_says_what_is_wrong_with_each_source(exported: dict[str, str]) -> None:
    done = run(exported, "--json")
    assert done.returncode == 1
    assert {panel["problem"] for panel in json.loads(done.stdout)["panels"].values()} == {
        "SQS does not answer",
        "log group does not answer",
        "DynamoDB does not answer",
        "CloudWatch does not answer",
    }


def test_without_a_terminal_it_prints_one_frame(exported: dict[str, str]) -> None:
    done = run(exported)
    assert "╭─ Queue" in done.stdout
    assert "\x1b" not in done.stdout
    assert "--once" in done.stderr


def test_a_stream_of_ascii_gets_ascii(exported: dict[str, str]) -> None:
    done = run({**exported, "PYTHONIOENCODING": "ascii"}, "--once")
    assert "+- Queue" in done.stdout
    assert done.stdout.isascii()


def test_without_a_stack_it_says_how_to_start_one(tmp_path: Path) -> None:
    done = run({"STACK_DIR": str(tmp_path)}, "--once")
    assert done.returncode == 1
    assert "make up" in done.stderr


@pytest.mark.parametrize("interval", ["0", "0.1", "61", "nan", "soon"])
def test_an_interval_that_makes_no_sense_is_refused(
    interval: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        top.parser({}).parse_args(["--interval", interval])
    assert "is not a number of seconds from 0.5 to 60" in capsys.readouterr().err


def test_make_hands_the_interval_over_in_the_environment() -> None:
    assert top.parser({"INTERVAL": "2.5"}).parse_args([]).interval == 2.5
    assert top.parser({"INTERVAL": ""}).parse_args([]).interval == 1.0


def test_a_profile_alone_does_not_say_which_pipeline() -> None:
    with pytest.raises(UsageError, match="Which pipeline"):
        find(None, "prod", "eu-central-1", {})


def test_a_profile_that_does_not_exist_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="no AWS profile nobody"):
        find("rt-pipeline-prod", "nobody", "eu-central-1", {})


def test_a_name_without_a_region_asks_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(UsageError, match="Which region"):
        find("rt-pipeline-prod", None, None, {})


def test_exported_names_are_watched_where_they_are(exported: dict[str, str], endpoint: str) -> None:
    found = find(None, None, None, exported)
    assert (found.name, found.endpoint, found.region) == ("p-test", endpoint, "us-east-1")
    assert found.where == f"{endpoint} us-east-1"


def test_a_region_given_wins_over_the_exported_one(exported: dict[str, str]) -> None:
    del exported["AWS_ENDPOINT_URL"]
    found = find(None, None, "eu-central-1", exported)
    assert found.clients["sqs"].meta.region_name == found.region == "eu-central-1"
    assert found.where == "AWS eu-central-1"
