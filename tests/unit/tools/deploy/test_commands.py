"""The target of a rollback, and refusals before any request to AWS."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.tools.deploy.factories import ACCOUNT, Session, environment
from tests.unit.tools.deploy.test_versions import Functions
from tools.core import prompts
from tools.core.errors import ToolError, UsageError
from tools.deploy import commands, protection, receipt, versions, workspace
from tools.deploy.__main__ import main
from tools.deploy.account import Account
from tools.deploy.deployment_record import DeploymentRecord, VersionChange
from tools.deploy.receipt import LOCK, Fingerprint, Receipt
from tools.deploy.versions import LiveVersion
from tools.local import build
from tools.local.build import Artifact

PROCESSOR, ARCHIVER = "rt-pipeline-dev-processor", "rt-pipeline-dev-archiver"


def running(**versions: str) -> dict[str, LiveVersion]:
    names = {"processor": PROCESSOR, "archiver": ARCHIVER}
    return {names[key]: LiveVersion(names[key], version, "revision") for key, version in versions.items()}


def last(**moved: VersionChange) -> DeploymentRecord:
    names = {"processor": PROCESSOR, "archiver": ARCHIVER}
    return DeploymentRecord("", "", "", {}, [], {names[key]: value for key, value in moved.items()})


def test_a_rollback_moves_only_what_the_last_deploy_moved() -> None:
    deployed = last(processor=VersionChange("4", "5"), archiver=VersionChange("2", "2"))
    functions = Functions("4", "5")
    moves = versions.rollback_targets(functions, running(processor="5", archiver="2"), deployed, None)
    assert moves == {PROCESSOR: "4"}


def test_a_deleted_version_is_not_restored() -> None:
    deployed = last(processor=VersionChange("4", "5"))
    with pytest.raises(UsageError, match="has no version 4"):
        versions.rollback_targets(Functions("5"), running(processor="5"), deployed, None)


def test_a_second_rollback_returns_one_version_further() -> None:
    deployed = last(processor=VersionChange("4", "5"))
    functions = Functions("1", "3", "4", "5")
    assert versions.rollback_targets(functions, running(processor="4"), deployed, None) == {PROCESSOR: "3"}


def test_a_requested_version_applies_to_the_processor() -> None:
    deployed = last(processor=VersionChange("4", "5"), archiver=VersionChange("1", "2"))
    functions = Functions("1", "3", "4", "5")
    moves = versions.rollback_targets(functions, running(processor="5", archiver="2"), deployed, "3")
    assert moves == {PROCESSOR: "3"}


def test_without_an_alias_there_is_nothing_to_move() -> None:
    with pytest.raises(ToolError, match="has the alias live"):
        versions.rollback_targets(Functions(), {}, last(), None)


class Tables:
    """A fake DynamoDB whose tables are protected or not."""

    def __init__(self, protected: bool) -> None:
        self.protected = protected

    def describe_table(self, **_: str) -> dict[str, Any]:
        return {"Table": {"DeletionProtectionEnabled": self.protected}}


def account_with(tables: Tables) -> Account:
    return Account(ACCOUNT, "arn", "us-east-1", None, Session(dynamodb=tables))


def test_tables_that_refuse_to_be_deleted_are_named() -> None:
    outputs = {"table_name": "events", "rejected_table_name": "rejected", "queue_url": "queue"}
    assert protection.protected_tables(account_with(Tables(protected=True)), outputs) == [
        "events",
        "rejected",
    ]
    assert protection.protected_tables(account_with(Tables(protected=False)), outputs) == []


def test_an_environment_whose_tfvars_protect_it_is_not_destroyed(tmp_path: Path) -> None:
    dev = environment(tmp_path, "deletion_protection = true")
    with pytest.raises(ToolError, match="its tfvars protect its tables") as refused:
        commands.destroy(dev, account_with(Tables(protected=True)), Namespace(confirm="dev"))
    assert "deletion_protection = false; then make deploy-aws ENV=dev" in refused.value.hint


def test_a_wrong_name_destroys_nothing(tmp_path: Path) -> None:
    dev = environment(tmp_path, "deletion_protection = false")
    with pytest.raises(ToolError, match="'prod' is not 'dev': nothing was removed"):
        commands.destroy(dev, account_with(Tables(protected=False)), Namespace(confirm="prod"))


def test_without_a_terminal_nothing_is_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_terminal(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", no_terminal)
    with pytest.raises(UsageError, match="no terminal to ask on"):
        prompts.confirm("Apply?", already=False)
    assert prompts.confirm("Apply?", already=True)


@pytest.mark.parametrize(("answer", "confirmed"), [("y", True), ("Yes", True), ("", False), ("no", False)])
def test_only_yes_confirms(answer: str, confirmed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: answer)
    assert prompts.confirm("Apply?", already=False) == confirmed


def test_the_local_environment_is_not_deployed_to_aws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert main(["plan", "--env", "local"]) == 2
    assert "is this machine" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["plan", "--force", "maybe"], ["explode"], []])
def test_invalid_arguments_are_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_the_policy_is_printed_for_the_account_that_the_tfvars_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = environment(tmp_path, f'allowed_account_ids = ["{ACCOUNT}"]')
    assert main(["policy", "--var-file", str(dev.var_file)]) == 0
    assert f":{ACCOUNT}:rt-pipeline-dev-events" in capsys.readouterr().out
    assert main(["policy"]) == 2


PINNED = Receipt({}, {LOCK: "a"}, "a test", "1.11.4", "6.62.0", {"passed": 1}, "", "", False)
BY_THE_OLD_PROVIDER = Receipt(
    {}, {}, "a test", "1.11.4", "3.39.0", {"passed": 1}, "", "", False, offline=True
)
OLD_BESIDE_A_COMMITTED_LOCK = replace(BY_THE_OLD_PROVIDER, config=PINNED.config)


@pytest.mark.parametrize(
    ("tested", "endpoint", "refused"),
    [
        (PINNED, None, False),
        (BY_THE_OLD_PROVIDER, None, True),
        (OLD_BESIDE_A_COMMITTED_LOCK, None, True),
        (BY_THE_OLD_PROVIDER, "http://127.0.0.1:1", False),
    ],
)
def test_a_run_with_the_old_provider_does_not_count_for_aws(
    tested: Receipt, endpoint: str | None, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipt, "PATH", tmp_path / "receipt.json")
    tested.save()
    account = Account(ACCOUNT, "", "us-east-1", endpoint, None)
    said = commands._untested(Fingerprint(tested.zips, tested.config), account)
    assert bool(said) is refused
    if refused:
        assert "the tests ran with 3.39.0. Run make test where registry.terraform.io" in said[0]


def test_prebuilt_zips_that_the_receipt_does_not_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(receipt, "PATH", tmp_path / "receipt.json")
    given = tmp_path / "lambda.zip"
    given.write_bytes(b"tested")
    monkeypatch.setattr(build, "ARTIFACTS", {"lambda_zip": Artifact(given, {})})
    dev, account = environment(tmp_path), Account(ACCOUNT, "", "us-east-1", "http://127.0.0.1:1", None)
    staged = workspace.stage(dev, prebuilt=True)
    replace(PINNED, zips=staged.zips, config=staged.config).save()
    assert commands._untested(workspace.stage(dev, prebuilt=True), account) == []
    given.write_bytes(b"of somebody else")
    options = Namespace(force=False, prebuilt=True, auto_approve=True)
    with pytest.raises(ToolError, match="only what was tested is deployed"):
        commands.deploy(dev, account, options)
    assert "the zip of lambda_zip has changed" in capsys.readouterr().out


def test_an_empty_profile_is_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = {"AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": ""}
    for name, value in {**variables, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "dev.tfvars").write_text('environment = "dev"\n')
    # The profile that is not there would be reported before the endpoint that does not answer.
    assert main(["smoke", "--env", "dev", "--var-file", str(tmp_path / "dev.tfvars")]) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err
