"""Stacks in a real account, by unchanged Terraform, with the state in the stack's directory."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.log import Log, labelled
from tools.core.paths import CACHE_DIR, TERRAFORM_SOURCE
from tools.core.state import StackState
from tools.local import terraform, terraform_process, toolchain
from tools.local.build import build_all

VAR_FILE = Path("env") / "dev.tfvars"
# One of these must select the credentials, so that the default profile is never used by accident.
NAMED_BY = ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE")
# Replaces the config's backend, which is for deployed environments.
LOCAL_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
LEFTOVERS = CACHE_DIR / "left-in-an-account"


@dataclass(frozen=True)
class Identity:
    """The account, the region and the caller."""

    account: str
    region: str
    caller: str

    def __str__(self) -> str:
        return f"AWS account {self.account}, {self.region}, as {self.caller}"


def identity() -> Identity:
    """Return the identity of the environment's credentials. Raises ToolError with a remedy."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    if not any(os.environ.get(name) for name in NAMED_BY):
        raise ToolError("TARGET=account needs credentials: make test TARGET=account AWS_PROFILE=...")
    if os.environ.get("AWS_ENDPOINT_URL"):
        raise ToolError(
            "AWS_ENDPOINT_URL is set, so requests would not reach AWS. Type: unset AWS_ENDPOINT_URL"
        )
    try:
        session = boto3.session.Session()
        if session.region_name is None:
            raise ToolError("TARGET=account needs a region: make test TARGET=account AWS_DEFAULT_REGION=...")
        caller = session.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise ToolError(
            f"The credentials for the account do not work: {error}\nTry: aws sts get-caller-identity"
        ) from None
    return Identity(caller["Account"], session.region_name, caller["Arn"].rpartition(":")[2])


def credentials() -> dict[str, str]:
    """Return the environment variables with which a command reaches the account."""
    return {name: value for name, value in os.environ.items() if name == "HOME" or name.startswith("AWS_")}


def up(state_dir: Path, where: Identity, overrides: Mapping[str, object], log: Log = print) -> StackState:
    """Apply the config. Raises ToolError with Terraform's own message."""
    build_all()
    workdir = terraform.workdir(state_dir)
    if not workdir.exists():
        shutil.copytree(TERRAFORM_SOURCE, workdir, ignore=shutil.ignore_patterns(*terraform.NOT_COPIED))
        (workdir / "backend_override.tf").write_text(LOCAL_BACKEND)
        _terraform(state_dir, log, "init")
    arguments = _arguments(where, overrides)
    # `destroy` needs the same arguments.
    (state_dir / terraform.APPLIED).write_text(json.dumps(arguments))
    output = _terraform(state_dir, log, "apply", "-auto-approve", *arguments)
    log(labelled("", terraform.summary(output)))
    done = subprocess.run(
        [toolchain.find_terraform().command, "output", "-json"],
        cwd=workdir,
        env=_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    outputs = {name: output["value"] for name, output in json.loads(done.stdout).items()}
    state = StackState("", where.region, "", outputs)
    state.save(state_dir)
    return state


def down(state_dir: Path, where: Identity) -> None:
    """Destroy the stack. If that fails, keep its state and raise a ToolError with its path."""
    applied = state_dir / terraform.APPLIED
    if not applied.exists():
        return
    try:
        _terraform(state_dir, print, "destroy", "-auto-approve", *json.loads(applied.read_text()))
    except ToolError as error:
        kept = LEFTOVERS / state_dir.name
        shutil.copytree(state_dir, kept, dirs_exist_ok=True)
        raise ToolError(
            f"{error}\n\nResources are LEFT in {where}. Terraform's state is in {kept / 'terraform'};\n"
            f"the arguments for terraform destroy are in {kept / terraform.APPLIED}."
        ) from None


def _arguments(where: Identity, overrides: Mapping[str, object]) -> list[str]:
    disposable = {"deletion_protection": False, "point_in_time_recovery": False}
    variables = {**overrides, **disposable, **terraform.paths(), "region": where.region}
    return [f"-var-file={VAR_FILE}", *terraform.variable_arguments(variables)]


def _environment() -> dict[str, str]:
    # The user's workspace and arguments would select another state or stack.
    stray = ("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(stray)}
    return kept | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def _terraform(state_dir: Path, log: Log, command: str, *arguments: str) -> str:
    program = [toolchain.find_terraform().command]
    workdir, log_file = terraform.workdir(state_dir), state_dir / terraform.LOG
    _, output = terraform_process.run(program, workdir, _environment(), log_file, log, command, *arguments)
    return output
