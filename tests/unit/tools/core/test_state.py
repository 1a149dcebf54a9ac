import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.core.errors import ToolError
from tools.core.paths import ROOT
from tools.core.state import ENVIRONMENT_OUTPUTS, StackState

OUTPUTS = {output: f"the {output}" for output in ENVIRONMENT_OUTPUTS.values()}
STATE = StackState("http://127.0.0.1:4566", "us-east-1", "ministack", OUTPUTS)


def stack(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.local", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_saved_state_is_loaded_unchanged(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    assert StackState.load(tmp_path) == STATE


def test_the_file_is_json_that_other_tools_can_read(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    assert json.loads((tmp_path / "stack.json").read_text())["outputs"]["queue_url"] == "the queue_url"


def test_without_a_stack_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="make up"):
        StackState.load(tmp_path)


@pytest.mark.parametrize(
    ("endpoint", "kept", "exported"), [("http://x", True, "0"), ("http://x", False, "1"), ("", False, None)]
)
def test_an_emulator_exports_whether_it_rewrites_bodies_and_aws_does_not(
    endpoint: str, kept: bool, exported: str | None
) -> None:
    exports = StackState(endpoint, "us-east-1", "localstack", OUTPUTS, kept).environment()
    assert exports.get("BODIES_REWRITTEN") == exported


@pytest.mark.parametrize(
    "change",
    [{"outputs": 5}, {"outputs": None}, {"outputs": []}, {"endpoint": 5}, {"region": None}, {"emulator": []}],
)
def test_a_damaged_file_is_named_with_what_to_type(tmp_path: Path, change: dict[str, object]) -> None:
    STATE.save(tmp_path)
    path = tmp_path / "stack.json"
    damaged = json.dumps(json.loads(path.read_text()) | change)
    for text in (damaged, "[" * 100_000, "null", "[]", ""):
        path.write_text(text)
        with pytest.raises(ToolError, match=r"stack\.json cannot be read .*make down up"):
            StackState.load(tmp_path)


def test_a_file_of_an_older_checkout_without_bodies_kept_is_read(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    older = json.loads((tmp_path / "stack.json").read_text())
    del older["bodies_kept"]
    (tmp_path / "stack.json").write_text(json.dumps(older))
    assert StackState.load(tmp_path).bodies_kept


@pytest.mark.parametrize("text", ["", "{", "[]", '{"endpoint": "http://127.0.0.1:1"}'])
def test_the_error_for_a_damaged_file_names_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.json").write_text(text)
    with pytest.raises(ToolError, match=r"stack\.json cannot be read"):
        StackState.load(tmp_path)


def test_env_prints_exports_that_a_shell_understands(tmp_path: Path) -> None:
    StackState(STATE.endpoint, STATE.region, STATE.emulator, {**OUTPUTS, "queue_url": "it's $HOME; x"}).save(
        tmp_path
    )
    exports = stack("env", "--state-dir", str(tmp_path)).stdout
    shell = subprocess.run(
        ["sh", "-c", 'eval "$1"; echo "$QUEUE_URL"; env', "sh", exports],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout.splitlines()[0] == "it's $HOME; x"
    assert "AWS_ENDPOINT_URL=http://127.0.0.1:4566" in shell.stdout.splitlines()


def test_the_error_for_a_missing_output_suggests_make_up() -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != "dlq_url"}
    with pytest.raises(ToolError, match=r"no output dlq_url.*make up"):
        StackState(STATE.endpoint, STATE.region, STATE.emulator, outputs).environment()


@pytest.mark.parametrize("command", ["env", "status"])
def test_commands_that_need_a_stack_fail_without_one_and_without_a_traceback(
    command: str, tmp_path: Path
) -> None:
    completed = stack(command, STACK_DIR=str(tmp_path))
    assert completed.returncode == 1
    assert completed.stdout == ""
    assert completed.stderr == "No stack is up. Start one with: make up\n"


def test_the_requested_endpoint_is_used(tmp_path: Path) -> None:
    completed = stack(
        "up", STACK_DIR=str(tmp_path / "state"), ENDPOINT="http://127.0.0.1:1/", EMULATOR="", PORT=""
    )
    assert completed.returncode == 1
    assert "No emulator answers on http://127.0.0.1:1:" in completed.stderr


def test_an_invalid_port_is_refused_by_name(tmp_path: Path) -> None:
    completed = stack("up", STACK_DIR=str(tmp_path / "state"), PORT="https")
    assert completed.returncode != 0
    assert "PORT=https is not a port" in completed.stderr
    assert not (tmp_path / "state").exists()


def test_exports_clear_what_would_win_over_them_in_other_tools(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    leftovers = {"AWS_PROFILE": "x", "AWS_ENDPOINT_URL_SQS": "http://elsewhere", "AWS_SESSION_TOKEN": "t"}
    shown = stack("env", STACK_DIR=str(tmp_path), **leftovers).stdout
    left = "".join(f"${{{name}-}}" for name in leftovers)
    script = f'{shown}\necho "{left}|$AWS_ENDPOINT_URL"'
    done = subprocess.run(["sh", "-c", script], env=leftovers, capture_output=True, text=True, check=True)
    assert done.stdout == "|http://127.0.0.1:4566\n"
