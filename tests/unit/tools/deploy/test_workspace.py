"""Stage the copy for a deploy, and check which provider may deploy it."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit.tools.deploy.factories import environment
from tools.core.errors import ToolError
from tools.core.paths import TERRAFORM_SOURCE
from tools.deploy import receipt, workspace
from tools.deploy.account import Account
from tools.local import build, terraform_process, toolchain
from tools.local.build import Artifact
from tools.local.terraform import LOCK, NEVER_COPIED
from tools.local.tflocal import OVERRIDE_FILE
from tools.local.toolchain import Provider, Terraform

CREDENTIALS = SimpleNamespace(access_key="k", secret_key="s", token=None)
SESSION = SimpleNamespace(get_credentials=lambda: SimpleNamespace(get_frozen_credentials=lambda: CREDENTIALS))
ON_AWS = Account("1", "arn:aws:iam::1:user/x", "us-east-1", None, SESSION)
ON_AN_EMULATOR = Account("1", "arn:aws:iam::1:user/x", "us-east-1", "http://127.0.0.1:1", SESSION)
NEW = Terraform("/usr/bin/terraform", "1.11.4", "/usr/bin/terraform")
REGISTRY = Provider("registry", "from registry.terraform.io")
OFFLINE = Provider("offline", "registry.terraform.io cannot be reached")


def test_the_copy_is_the_checkout_with_its_relative_paths(tmp_path: Path) -> None:
    dev = environment(tmp_path)
    frozen = workspace.stage(dev)
    assert frozen == receipt.fingerprint()
    assert (dev.directory / "terraform" / "../build/lambda.zip").is_file()
    assert (dev.directory / "terraform" / "../dashboards/cloudwatch.json.tftpl").is_file()
    assert (dev.directory / "terraform" / "../lambda_src/contract/event.schema.json").is_file()
    assert (dev.directory / "terraform" / "backend.tf").is_file()


def test_terraforms_own_files_in_the_copy_do_not_count_as_the_checkouts(tmp_path: Path) -> None:
    dev = environment(tmp_path)
    workspace.stage(dev)
    (dev.directory / "terraform" / LOCK).write_text("# of the old provider\n")
    (dev.directory / "terraform" / "offline.tf").write_text("# of the last rehearsal\n")
    assert workspace.stage(dev) == receipt.fingerprint()


def test_zips_that_were_built_before_are_deployed_as_they_are_and_nothing_is_built(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = tmp_path / "lambda.zip"
    given.write_bytes(b"of the test job")
    monkeypatch.setattr(build, "ARTIFACTS", {"lambda_zip": Artifact(given, {})})
    monkeypatch.setattr(build, "build_zip", lambda *_: pytest.fail("a zip was built"))
    dev = environment(tmp_path)
    assert workspace.stage(dev, prebuilt=True).zips == {"lambda_zip": receipt.sha256(given)}
    assert (dev.directory / "build" / "lambda.zip").read_bytes() == b"of the test job"
    given.unlink()
    with pytest.raises(ToolError, match=r"there is no .*lambda\.zip"):
        workspace.stage(dev, prebuilt=True)


def test_files_that_terraform_reads_automatically_are_not_copied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "terraform"
    shutil.copytree(TERRAFORM_SOURCE, source, ignore=shutil.ignore_patterns(*NEVER_COPIED))
    (source / "mine.auto.tfvars").write_text("batch_size = 1\n")
    monkeypatch.setattr("tools.local.terraform.TERRAFORM_SOURCE", source)
    dev = environment(tmp_path)
    workspace.stage(dev)
    assert not list((dev.directory / "terraform").glob("*.tfvars"))


def test_the_old_provider_is_for_emulators_only() -> None:
    workspace._check(OFFLINE, ON_AN_EMULATOR)
    workspace._check(REGISTRY, ON_AWS)
    with pytest.raises(ToolError, match="for emulators only"):
        workspace._check(OFFLINE, ON_AWS)


@pytest.fixture
def initialised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Account], list[str]]:
    """Open a workspace of the checkout with a current provider; return the arguments of init."""
    said: list[str] = []

    def run(program: list[str], *arguments: object, **_: object) -> tuple[int, str]:
        said.extend(str(argument) for argument in arguments[4:])
        return 0, ""

    monkeypatch.setattr(terraform_process, "run", run)
    monkeypatch.setattr(toolchain, "find_terraform", lambda: NEW)
    monkeypatch.setattr(toolchain, "choose_provider", lambda: REGISTRY)

    def opened(account: Account) -> list[str]:
        dev = environment(tmp_path)
        workspace.open_workspace(dev, account, workspace.stage(dev), print)
        return said

    return opened


@pytest.fixture
def tested_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the path of the tests' lock file; neither it nor a committed one exists."""
    monkeypatch.setattr(receipt, "TESTED_LOCK", tmp_path / "tested.lock.hcl")
    monkeypatch.setattr(receipt, "LOCK", "terraform/none-is-committed.lock.hcl")
    return tmp_path / "tested.lock.hcl"


def test_the_provider_that_was_tested_is_the_one_that_deploys(
    initialised: Callable[[Account], list[str]],
    tested_lock: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    tested_lock.write_text("# pins the tested provider\n")
    monkeypatch.setattr(receipt, "LOCK", f"terraform/{LOCK}")
    arguments = initialised(ON_AWS)
    assert "-lockfile=readonly" in arguments
    copy = environment(tmp_path).directory / "terraform"
    assert (copy / LOCK).read_text() == "# pins the tested provider\n"


def test_a_plan_before_any_test_pins_nothing_and_leaves_nothing_in_the_checkout(
    initialised: Callable[[Account], list[str]], tested_lock: Path
) -> None:
    before = receipt.fingerprint()
    assert "-lockfile=readonly" not in initialised(ON_AWS)
    assert not tested_lock.exists()
    assert receipt.fingerprint() == before


def test_a_second_command_runs_no_init_unless_nothing_pins_the_provider(
    initialised: Callable[[Account], list[str]], tested_lock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without a lock the copy has lost what the last init chose.
    assert [initialised(ON_AWS).count("init"), initialised(ON_AWS).count("init")] == [1, 2]
    tested_lock.write_text("# pins the tested provider\n")
    monkeypatch.setattr(receipt, "LOCK", f"terraform/{LOCK}")
    assert [initialised(ON_AWS).count("init"), initialised(ON_AWS).count("init")] == [3, 3]
    assert initialised(replace(ON_AWS, id="2")).count("init") == 4


def test_the_plan_as_data_is_the_last_one_and_is_read_once(
    initialised: Callable[[Account], list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    initialised(ON_AWS)
    dev, shown = environment(tmp_path), list[str]()

    def show(_command: list[str], **_: object) -> SimpleNamespace:
        shown.append("show")
        return SimpleNamespace(returncode=0, stdout=f'{{"number": {len(shown)}}}')

    opened = workspace.open_workspace(dev, ON_AWS, workspace.stage(dev), print)
    monkeypatch.setattr(subprocess, "run", show)
    opened.plan()
    assert [opened.planned, opened.planned] == [{"number": 1}] * 2
    opened.plan()
    assert opened.planned == {"number": 2}


@pytest.mark.parametrize(("account", "written"), [(ON_AWS, False), (ON_AN_EMULATOR, True)])
def test_only_on_an_emulator_is_the_account_id_omitted(
    initialised: Callable[[Account], list[str]], account: Account, written: bool, tmp_path: Path
) -> None:
    initialised(account)
    copy = environment(tmp_path).directory / "terraform"
    assert (copy / OVERRIDE_FILE).exists() is written
