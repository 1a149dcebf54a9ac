"""The commands that the pages show for a running stack work as they are written there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.integration.conftest import Pipeline
from tests.integration.running_ops import environment_of
from tests.integration.test_pipeline import event_id, order, stored
from tests.unit.docs.test_sh_blocks import COMMANDS, STACK, make_arguments
from tools.core.paths import ROOT

SHOWN = [command for command, how in COMMANDS.items() if how == STACK]
# make with this interpreter in place of .venv's, so that the test installs nothing.
MAKE = """make() {
    command make "$@" NEED=@: PYTHON="$INTERPRETER" TOOLS="$INTERPRETER" ANALYTICS="$INTERPRETER"
}
"""
# A part of what each target prints.
PRINTS = {
    "env": "http",
    "erase": "stored events",
    "events": "order",
    "get": '"event_id"',
    "logs": "WARNING",
    "query": "order|revenue",
    "rearchive": "archive",
    "redrive": "dead-letter",
    "rejected": "invalid_event",
    "replay": "queue|replay",
    "report": "Wrote",
    "restore": "Would restore",
    "send": "Manifest",
    "status": "dead letters",
    "top": "(?i)queue",
    "trace": "received",
    "verify": "stored",
}


@pytest.fixture(scope="module")
def sent(pipeline: Pipeline) -> str:
    """Send a valid and an invalid event, and return the id of the valid one, which is stored."""
    body = order("10")
    pipeline.send("{}", body)
    stored(pipeline, body)
    pipeline.drain()
    return event_id(body)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with links to the checkout, in which commands may write files."""
    directory = tmp_path_factory.mktemp("checkout")
    for path in ROOT.iterdir():
        if path.name[0] != "." and path.name != "build":
            (directory / path.name).symlink_to(path)
    (directory / "my-events.jsonl").write_text(f"{order('10')}\n{order('20')}\n")
    return directory


@pytest.mark.parametrize("command", SHOWN)
def test_a_command_of_the_pages_works(pipeline: Pipeline, checkout: Path, sent: str, command: str) -> None:
    target = make_arguments(command)[0]
    # Other tests on this stack send events again whose rows they deleted. restore would report conflicts.
    selection = {"EVENT_ID": sent} if target == "restore" else {}
    line = command.replace("EVENT_ID=...", f"EVENT_ID={sent}").replace("REASON=...", "REASON=required")
    if line.startswith("eval "):
        line += '; echo "$QUEUE_URL"'
    done = subprocess.run(
        ["sh", "-c", MAKE + line],
        cwd=checkout,
        env=environment_of(pipeline, INTERPRETER=sys.executable, OUT="report.html", **selection),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    printed = done.stdout + done.stderr
    if ">" in command:
        printed += (checkout / command.rpartition("> ")[2]).read_text("utf-8")
    assert done.returncode == 0, printed
    assert re.search(PRINTS[target], printed), printed


def test_the_steps_that_another_repository_copies_work(
    pipeline: Pipeline, checkout: Path, tmp_path: Path
) -> None:
    (shown,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "ci.md").read_text("utf-8"), re.DOTALL)
    start, *steps = [
        step["run"] for step in yaml.safe_load(shown)["jobs"]["events"]["steps"] if "run" in step
    ]
    # The stack is up already.
    assert make_arguments(start) == ["-C", "rt-pipeline", "up", "EMULATOR=ministack"]
    (tmp_path / "rt-pipeline").symlink_to(checkout)
    variables = tmp_path / "variables"
    variables.touch()
    for step in steps:
        exported = dict(line.split("=", 1) for line in variables.read_text().splitlines())
        done = subprocess.run(
            ["bash", "-e", "-c", MAKE + step],
            cwd=tmp_path,
            env=environment_of(pipeline, INTERPRETER=sys.executable, GITHUB_ENV=str(variables)) | exported,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, step + done.stdout + done.stderr
    assert exported["QUEUE_URL"] == pipeline.queue_url
    assert "batch processed" in done.stdout


def test_the_commands_of_the_readme_are_among_them() -> None:
    assert {make_arguments(command)[0] for command in SHOWN} == PRINTS.keys()
