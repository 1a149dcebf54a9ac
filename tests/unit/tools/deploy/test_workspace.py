"""The frozen copy that is deployed, and which tools may deploy it."""

import shutil
from pathlib import Path

import pytest

from tests.unit.tools.deploy.making import environment
from tools.core.errors import OpsError
from tools.core.paths import TERRAFORM_SOURCE
from tools.deploy import receipt, workspace
from tools.deploy.account import Account
from tools.deploy.workspace import LOCK
from tools.local.terraform import LEFT_BY_TERRAFORM
from tools.local.toolchain import Provider, Terraform

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
    assert (dev.directory / "terraform" / "../lambda_src/contract/event.schema.json").is_file()
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
    monkeypatch.setattr("tools.local.terraform.TERRAFORM_SOURCE", source)
    dev = environment(tmp_path)
    workspace.freeze(dev)
    assert not list((dev.directory / "terraform").glob("*.tfvars"))


def test_the_old_provider_is_for_emulators_alone() -> None:
    workspace._check(NEW, OFFLINE, ON_AN_EMULATOR)
    workspace._check(NEW, REGISTRY, ON_AWS)
    with pytest.raises(OpsError, match="not for AWS"):
        workspace._check(NEW, OFFLINE, ON_AWS)


@pytest.mark.parametrize("version", ["1.9.8", "1.9.8-rc1"])
def test_a_terraform_that_cannot_lock_in_s3_is_refused(version: str) -> None:
    with pytest.raises(OpsError, match=r"needs 1\.10 or newer"):
        workspace._check(Terraform("terraform", version, "terraform"), REGISTRY, ON_AWS)
