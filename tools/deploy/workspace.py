"""Stage a copy of the config, zips, dashboard and queries, and run Terraform in it.

The copy has the relative paths of the checkout. The same copy is compared with the receipt, planned and
applied, so that later changes of the checkout have no effect.
"""

import functools
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.core.errors import ToolError
from tools.core.log import Log
from tools.core.paths import CACHE_DIR, ROOT, TERRAFORM_SOURCE, read_by_config
from tools.deploy import plan as plans
from tools.deploy import policy, receipt, state_bucket
from tools.deploy.account import Account
from tools.deploy.environment import Environment
from tools.deploy.receipt import Fingerprint
from tools.local import alarms, build, terraform_process, tflocal, toolchain
from tools.local.terraform import LOCK, NEVER_COPIED, copy_config, init_once, read_outputs
from tools.local.toolchain import Provider, Terraform

LOG = "terraform.log"
PLAN = "plan.tfplan"
NOTHING, DIFFERENT = 0, 2
# Terraform reads these files automatically, and the receipt does not cover them.
AUTO_TFVARS = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")


@dataclass
class Workspace:
    """A staged copy with an initialised Terraform."""

    environment: Environment
    account: Account
    terraform: Terraform
    provider: Provider
    log: Log
    fingerprint: Fingerprint
    variables: dict[str, str] = field(default_factory=dict)
    # What the plan says, as Terraform prints it.
    plan_text: str = ""

    @property
    def directory(self) -> Path:
        """The directory that Terraform runs in."""
        return self.environment.directory / "terraform"

    @property
    def log_file(self) -> Path:
        """The file with Terraform's output."""
        return self.environment.directory / LOG

    @property
    def is_offline(self) -> bool:
        """Whether the old provider from the wheel is used."""
        return self.provider.mode == "offline"

    def plan(self, *options: str) -> bool:
        """Write a plan to `PLAN`, and return whether it has changes. Raises ToolError.

        With ``-lock=false`` a plan that is never applied needs no permission to write to the state bucket.
        """
        boundary = policy.boundary_arn(self.environment, self.account.id)
        variables = [f"-var-file={self.environment.var_file}", f"-var=permissions_boundary={boundary}"]
        arguments = [*variables, f"-out={PLAN}", *options]
        accepted = (NOTHING, DIFFERENT)
        vars(self).pop("planned", None)  # of an earlier plan
        code, self.plan_text = self._run("plan", "-detailed-exitcode", *arguments, accepted=accepted)
        return code == DIFFERENT

    @functools.cached_property
    def planned(self) -> dict[str, Any]:
        """The plan as data. Each ``terraform show`` starts the provider."""
        done = subprocess.run(
            [self.terraform.command, "show", "-json", PLAN],
            cwd=self.directory,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise ToolError(f"terraform show failed:\n{done.stderr.strip()}")
        plan: dict[str, Any] = json.loads(done.stdout)
        return plan

    def write_whole_plan(self) -> Path:
        """Write Terraform's text of the plan to a file, and return its path."""
        path = self.environment.directory / "plan.txt"
        path.write_text(self.plan_text, encoding="utf-8")
        return path

    def apply_plan(self) -> None:
        """Apply the plan. Raises ToolError."""
        self._run("apply", PLAN)

    def complete(self) -> None:
        """Set what the old provider cannot set. Nothing to do with any other provider."""
        if self.is_offline:
            from tools.local import offline

            offline.complete(self._state(), self.account.client)

    def differences(self) -> list[str]:
        """Return differences that the old provider cannot see. Empty with any other provider."""
        if not self.is_offline:
            return []
        from tools.local import offline

        return offline.differences(self._state(), self.account.client)

    def is_misread(self) -> bool:
        """Return whether the plan only changes alarms that the emulator reads back incompletely."""
        if self.account.endpoint is None or self.is_offline:
            return False
        plan = self.planned
        outputs = any(change["actions"] != ["no-op"] for change in plan.get("output_changes", {}).values())
        changed = {change.address for change in plans.changes(plan)}
        return not outputs and changed == alarms.misread(plan, self.account.client("cloudwatch"))

    def outputs(self) -> dict[str, Any]:
        """Return Terraform's outputs by name; empty if nothing is deployed."""
        return read_outputs(self._state())

    def _state(self) -> str:
        return state_bucket.read_state(self.environment, self.account)

    def _run(self, command: str, *arguments: str, accepted: Sequence[int] = (0,)) -> tuple[int, str]:
        place = ([self.terraform.command], self.directory, self.variables, self.log_file, self.log)
        return terraform_process.run(*place, command, *arguments, accepted=accepted)


def stage(environment: Environment, prebuilt: bool = False) -> Fingerprint:
    """Build the zips, copy all deployed files, and return their fingerprint. Raises OSError.

    With ``prebuilt``, copy the zips that are in build/. Raises ToolError if one is missing.
    """
    zips = {variable: artifact.path for variable, artifact in build.ARTIFACTS.items()}
    if not prebuilt:
        build.build_all()
    elif missing := [str(path) for path in zips.values() if not path.is_file()]:
        raise ToolError(
            f"PREBUILT=1 builds nothing, and there is no {', '.join(missing)}.",
            "Put the files of the tested build there, or leave PREBUILT out.",
        )
    copy = environment.directory
    # A lock file that the last terraform init wrote is not the checkout's.
    (copy / "terraform" / LOCK).unlink(missing_ok=True)
    copy_config(copy / "terraform", (*NEVER_COPIED, *AUTO_TFVARS))
    lock = receipt.lock_file()
    if lock is not None:
        shutil.copy(lock, copy / receipt.LOCK)
    for path in zips.values():
        _copy(path, copy / "build")
    for file in read_by_config(copy):
        file.unlink(missing_ok=True)
    for file in read_by_config():
        _copy(file, copy / file.relative_to(ROOT).parent)
    hashes = {variable: receipt.sha256(copy / "build" / path.name) for variable, path in zips.items()}
    return Fingerprint(hashes, receipt.config_of(copy))


def open_workspace(
    environment: Environment, account: Account, fingerprint: Fingerprint, log: Log
) -> Workspace:
    """Initialise Terraform in the staged copy. Raises ToolError."""
    terraform, provider = toolchain.find_terraform(), toolchain.choose_provider()
    _check(provider, account)
    workspace = Workspace(environment, account, terraform, provider, log, fingerprint)
    workspace.variables = terraform_process.environment()
    if workspace.is_offline:
        from tools.local import offline

        endpoint = str(account.endpoint)
        prepared = offline.prepare(workspace.directory, TERRAFORM_SOURCE, endpoint, CACHE_DIR, as_root=False)
        workspace.variables |= prepared.environment
    elif account.endpoint:
        tflocal.write_override(workspace.directory)
    workspace.variables |= account.for_terraform()
    # The old provider has its own lock. If there is none, `_untested` has reported that nothing pins one.
    lock = workspace.directory / LOCK
    readonly = ["-lockfile=readonly"] if not workspace.is_offline and lock.exists() else []
    arguments = [*readonly, *state_bucket.backend_arguments(environment, account)]
    with init_once(workspace.directory, lock, terraform, provider, arguments) as needed:
        # Without a lock, the copy has lost the one that the last init wrote.
        if needed or not lock.exists():
            workspace._run("init", "-reconfigure", *arguments)
    return workspace


def _check(provider: Provider, account: Account) -> None:
    if provider.mode == "offline" and account.endpoint is None:
        raise ToolError(
            f"The AWS provider is not available ({provider.reason}), and the old one from the wheel is for "
            "emulators only.",
            "Connect to the network; behind a proxy set HTTPS_PROXY.",
        )


def _copy(file: Path, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, directory / file.name)
