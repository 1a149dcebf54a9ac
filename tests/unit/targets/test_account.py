"""Use an account as target, with fakes of Terraform and STS."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests import account, targets
from tools.core.errors import ToolError
from tools.core.state import StackState

WHERE = account.Identity("123456789012", "eu-central-1", "user/tester")
# Writes down what it is asked in what environment; FAIL names the command that fails.
TERRAFORM = """#!/bin/sh
case "$1" in
version) echo '{"terraform_version": "1.15.0"}'; exit 0;;
output) echo '{"function_name": {"value": "rt-x-dev-processor"}}'; exit 0;;
esac
echo "$@" >> "$CALLS"
env >> "$CALLS.env"
if [ "$1" = "$FAIL" ]; then echo "Error: no"; exit 1; fi
echo "Resources: 3 added, 0 changed, 0 destroyed"
"""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the file of Terraform's calls."""
    binary = tmp_path / "bin" / "terraform"
    binary.parent.mkdir()
    binary.write_text(TERRAFORM)
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{binary.parent}:/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setattr(account, "build_all", dict)
    monkeypatch.setattr(account, "LEFTOVERS", tmp_path / "left")
    return tmp_path / "calls"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    (tmp_path / "stack").mkdir()
    return tmp_path / "stack"


def test_a_stack_is_applied_and_destroyed_with_the_same_name(
    calls: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_VAR_environment", "prod")
    monkeypatch.setenv("TF_WORKSPACE", "prod")
    said: list[str] = []
    state = account.up(state_dir, WHERE, {"name_prefix": "rt-x"}, said.append)
    account.down(state_dir, WHERE)
    init, apply, destroy = (line.split() for line in calls.read_text().splitlines())
    assert init[0] == "init"
    assert apply[0] == "apply"
    assert {"-var=name_prefix=rt-x", "-var=region=eu-central-1", "-var=deletion_protection=false"} < set(
        apply
    )
    assert "-var-file=env/dev.tfvars" in apply
    assert destroy == ["destroy", *apply[1:]]
    assert "3 added" in said[0]
    assert "TF_VAR_environment" not in calls.with_suffix(".env").read_text()
    assert "TF_WORKSPACE" not in calls.with_suffix(".env").read_text()
    assert StackState.load(state_dir) == state
    assert (state.endpoint, state.name) == ("", "rt-x-dev")


def test_the_state_is_kept_beside_the_stack_whatever_backend_the_config_names(
    calls: Path, state_dir: Path
) -> None:
    account.up(state_dir, WHERE, {}, lambda line: None)
    assert 'backend "local"' in (state_dir / "terraform" / "backend_override.tf").read_text()
    assert (state_dir / "terraform" / "function.tf").exists()


def test_a_second_up_applies_again_without_an_init(calls: Path, state_dir: Path) -> None:
    for _ in range(2):
        account.up(state_dir, WHERE, {}, lambda line: None)
    assert [line.split()[0] for line in calls.read_text().splitlines()] == ["init", "apply", "apply"]


def test_the_resources_of_a_failed_apply_are_destroyed(
    calls: Path, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIL", "apply")
    with pytest.raises(ToolError, match="Error: no"):
        account.up(state_dir, WHERE, {}, lambda line: None)
    account.down(state_dir, WHERE)
    assert calls.read_text().splitlines()[-1].startswith("destroy")


def test_if_the_destroy_fails_the_state_is_kept_and_named(
    calls: Path, state_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.up(state_dir, WHERE, {}, lambda line: None)
    monkeypatch.setenv("FAIL", "destroy")
    with pytest.raises(ToolError, match=r"LEFT in AWS account 123456789012, eu-central-1.*\n?.*left/stack"):
        account.down(state_dir, WHERE)
    assert (tmp_path / "left" / "stack" / "terraform" / "function.tf").exists()


def test_without_an_apply_nothing_is_destroyed(calls: Path, state_dir: Path) -> None:
    account.down(state_dir, WHERE)
    assert not calls.exists()


# --- whose account --------------------------------------------------------------------------------------


class Session:
    """A fake of boto3's class."""

    region_name: str | None = "eu-central-1"

    def client(self, _name: str) -> Any:
        """Return a fake STS."""
        arn = "arn:aws:iam::123456789012:user/tester"
        return SimpleNamespace(get_caller_identity=lambda: {"Account": "123456789012", "Arn": arn})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> type[Session]:
    for name in (*account.NAMED_BY, "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(boto3.session, "Session", Session)
    return Session


def test_the_account_is_named_with_the_caller(aws: type[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "tester")
    assert account.identity() == WHERE
    target = targets.choose({"TARGET": "account"})
    assert target.title == "AWS account 123456789012, eu-central-1, as user/tester"


def test_the_default_profile_is_never_used_by_accident(aws: type[Session]) -> None:
    with pytest.raises(ToolError, match="AWS_PROFILE="):
        account.identity()


def test_an_exported_endpoint_is_refused_for_an_account(
    aws: type[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "tester")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")
    with pytest.raises(ToolError, match="unset AWS_ENDPOINT_URL"):
        account.identity()


def test_a_region_is_required(aws: type[Session], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "tester")
    monkeypatch.setattr(Session, "region_name", None)
    with pytest.raises(ToolError, match="AWS_DEFAULT_REGION="):
        account.identity()


def test_commands_on_an_account_get_its_credentials_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "tester")
    monkeypatch.setenv("SECRET_OF_SOMETHING_ELSE", "x")
    found = account.credentials()
    assert found["AWS_PROFILE"] == "tester"
    assert "SECRET_OF_SOMETHING_ELSE" not in found


def test_the_state_of_a_stack_on_aws_names_no_endpoint_and_no_keys() -> None:
    from tools.core.state import ENVIRONMENT_OUTPUTS

    outputs = {output: json.dumps(output) for output in ENVIRONMENT_OUTPUTS.values()}
    exports = StackState("", "eu-central-1", "", outputs).environment()
    assert not {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & set(exports)
    assert exports["AWS_DEFAULT_REGION"] == "eu-central-1"
