"""The frozen copy that is deployed, and which tools may deploy it."""

import shutil
from pathlib import Path

import pytest

from deploy import receipt, workspace
from deploy.account import Account
from deploy.workspace import LOCK
from ops.errors import OpsError
from stack.paths import TERRAFORM_SOURCE
from stack.terraform import LEFT_BY_TERRAFORM
from stack.toolchain import Provider, Terraform
from tests.unit.deploy.making import environment

ON_AWS = Account("1", "arn:aws:iam::1:user/x", "us-east-1", None, None)
ON_AN_EMULATOR = Account("1", "arn:aws:iam::1:user/x", "us-east-1", "http://127.0.0.1:1", None)
NEW = Terraform("/usr/bin/terraform", "1.11.4", "/usr/bin/terraform")
REGISTRY = Provider("registry", "from registry.terraform.io")
OFFLINE = Provider("offline", "registry.terraform.io cannot be reached")


def test_the_copy_is_the_checkout_with_its_relative_paths(tmp_path: Path) -> None:
    dev = environment(tmp_path)
    frozen = workspace.freeze(dev)
    assert frozen == receipt.fingerprint()
    assert (dev.directory / "terraform" / "../build/lambda.zip").is_file()
    assert (dev.directory / "terraform" / "../dashboards/cloudwatch.json.tftpl").is_file()
    assert (dev.directory / "terraform" / "backend.tf").is_file()


def test_what_terraform_left_in_the_copy_is_not_taken_for_the_checkouts(tmp_path: Path) -> None:
    dev = environment(tmp_path)
    workspace.freeze(dev)
    (dev.directory / "terraform" / LOCK).write_text("# of the old provider\n")
    (dev.directory / "terraform" / "offline.tf").write_text("# of the last rehearsal\n")
    assert workspace.freeze(dev) == receipt.fingerprint()


def test_values_that_terraform_would_read_unasked_are_left_behind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "terraform"
    shutil.copytree(TERRAFORM_SOURCE, source, ignore=shutil.ignore_patterns(*LEFT_BY_TERRAFORM))
    (source / "mine.auto.tfvars").write_text("batch_size = 1\n")
    monkeypatch.setattr("stack.terraform.TERRAFORM_SOURCE", source)
    dev = environment(tmp_path)
    workspace.freeze(dev)
    assert not list((dev.directory / "terraform").glob("*.tfvars"))


def test_the_old_provider_is_for_emulators_alone() -> None:
    workspace._check(OFFLINE, ON_AN_EMULATOR)
    workspace._check(REGISTRY, ON_AWS)
    with pytest.raises(OpsError, match="not for AWS"):
        workspace._check(OFFLINE, ON_AWS)
