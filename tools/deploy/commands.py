"""Run the deploy commands. Each returns its exit status: 0 success, 1 failure, 4 drift."""

import json
import shlex
import time
from argparse import Namespace
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console

from tools.core import prompts
from tools.core.console import TROUBLE, err, out, print_json, safe_text
from tools.core.errors import ToolError, UsageError
from tools.core.files import exclusive
from tools.core.resources import Resources
from tools.core.state import ENVIRONMENT_OUTPUTS
from tools.core.text import indent_lines
from tools.deploy import (
    deployment_record,
    emulator,
    policy,
    protection,
    receipt,
    state_bucket,
    versions,
    workspace,
)
from tools.deploy import plan as plans
from tools.deploy.account import Account
from tools.deploy.deployment_record import DeploymentRecord, VersionChange
from tools.deploy.environment import Environment
from tools.deploy.receipt import Receipt
from tools.deploy.smoke import SECONDS, Smoke
from tools.deploy.versions import LiveVersion
from tools.deploy.workspace import Workspace

# Of no other command: 2 is a wrong argument, as of argparse, and 3 an undecided verify.
DRIFT = 4
FAILED = 1
_NO_ZSTD = (
    "No event is lost, but other copies of events that are stored with zstd return to the queue: "
    "docs/deploy.md#roll-back"
)


def show_receipt(_environment: Environment, _account: None, _options: Namespace) -> int:
    """Show the receipt, and how the checkout differs from it."""
    tested = Receipt.load()
    for line in tested.described():
        out.print(safe_text(line))
    different = receipt.differences(tested, receipt.fingerprint())
    for line in different:
        out.print(safe_text(f"differs   {line}", TROUBLE))
    return FAILED if different else 0


def show_policy(environment: Environment, _account: None, options: Namespace) -> int:
    """Print the deployer's policy for this environment, without credentials."""
    if len(environment.allowed_account_ids) != 1:
        raise UsageError(
            f"{environment.name} does not name exactly one account.",
            environment.line_to_add('allowed_account_ids = ["the 12 digits of the account"]'),
        )
    (account_id,) = environment.allowed_account_ids
    if options.kms and not environment.kms_key_arn:
        raise UsageError(
            f"{environment.name} has no key of yours, so that its deployer needs no permission for one.",
            environment.line_to_add('kms_key_arn = "the ARN of the key"'),
        )
    template = policy.KMS if options.kms else policy.ATHENA if options.athena else policy.TEMPLATE
    out.print(json.dumps(policy.document(environment, account_id, template), indent=2))
    return 0


def bootstrap(environment: Environment, account: Account, _options: Namespace) -> int:
    """Create the bucket of Terraform's state, and the permissions boundary of the environment's roles."""
    is_new = state_bucket.bootstrap(environment, account)
    name = state_bucket.bucket_name(environment, account)
    out.print(safe_text(f"{name} {'created' if is_new else 'exists'}: versioned, encrypted, private."))
    is_new = policy.create_boundary(environment, account)
    name = policy.boundary_name(environment)
    out.print(safe_text(f"{name} {'created' if is_new else 'exists'}: no role can do more than it allows."))
    out.print(f"Next: make plan-aws ENV={environment.name}")
    return 0


def plan(environment: Environment, account: Account, options: Namespace) -> int:
    """Show what a deploy would change."""
    with _locked(environment):
        opened, _ = _open(environment, account, refuse=False)
        if warning := protection.concurrency_warning(environment, account):
            out.print(safe_text(warning, TROUBLE))
        if not opened.plan("-lock=false") and not opened.differences():
            out.print("Nothing to change.")
            return 0
        _show(opened)
        out.print(f"Nothing was changed. To deploy: make deploy-aws ENV={environment.name}")
        return 0


def deploy(environment: Environment, account: Account, options: Namespace) -> int:
    """Deploy what was tested, then run the smoke test."""
    with _locked(environment):
        opened, forced = _open(environment, account, refuse=not options.force, prebuilt=options.prebuilt)
        applied = False
        functions = account.client("lambda")
        before = versions.live(functions, versions.functions_of(opened.outputs()))
        if opened.plan() or opened.differences():
            _show(opened)
            if not prompts.confirm(
                f"Apply this to {environment.full_name} in {account.where}?", already=options.auto_approve
            ):
                return FAILED
            began = time.monotonic()
            opened.apply_plan()
            opened.complete()
            applied = True
            emulator.mirror(account, opened.outputs())
            out.print(f"Applied in {time.monotonic() - began:.0f} s.")
        else:
            out.print("Nothing to change.")
        outputs = opened.outputs()
        after = versions.live(functions, versions.functions_of(outputs))
        # A run without changes is not recorded, so that a rollback finds the last deploy.
        if applied or not deployment_record.exists(environment, account):
            deployment_record.save(environment, account, _record(opened, outputs, before, after, forced))
        for name, live in after.items():
            was = f", was {before[name].version}" if name in before else ""
            out.print(safe_text(f"{name} runs version {live.version}{was}"))
    _smoke(environment, account, outputs)
    exports = _exports(environment)
    out.print(f"Next: {exports} sets its names for make verify, make top and the other commands.")
    return 0


def rollback(environment: Environment, account: Account, options: Namespace) -> int:
    """Return to the previous code by moving the alias."""
    began = time.monotonic()
    last = deployment_record.load(environment, account)
    functions = account.client("lambda")
    running = versions.live(functions, versions.functions_of(last.outputs))
    moves = versions.rollback_targets(functions, running, last, options.version)
    for name, version in moves.items():
        if versions.loses_zstd(functions, running[name], version):
            out.print(f"{name} {version} cannot read payloads of zstd. {_NO_ZSTD}", style=TROUBLE)
        versions.move(functions, running[name], version)
        out.print(safe_text(f"{name} {running[name].version} -> {version}"))
    out.print(f"Rolled back in {time.monotonic() - began:.1f} s.")
    _smoke(environment, account, last.outputs)
    out.print("The next make deploy-aws moves the alias forward again. Until then make drift reports it.")
    return 0


def drift(environment: Environment, account: Account, options: Namespace) -> int:
    """Compare the account with the config."""
    with _locked(environment):
        console = err if options.json else out
        opened, _ = _open(environment, account, refuse=False, console=console)
        different = opened.plan("-lock=false") and not opened.is_misread()
        unseen = opened.differences()
        if options.json:
            changes = plans.changes(opened.planned) if different else []
            drifted = {"differs": bool(different or unseen), "changes": list(map(vars, changes))}
            print_json({"environment": environment.full_name, **drifted, "other_differences": unseen})
        if not different and not unseen:
            console.print(f"{environment.full_name} equals the config.")
            return 0
        console.print(safe_text(f"{environment.full_name} differs from the config:", "bold"))
        for line in unseen:
            console.print(safe_text(f"  ~ {line}"))
        _show(opened, console)
        console.print(f"To restore the config: make deploy-aws ENV={environment.name}")
        return DRIFT


def destroy(environment: Environment, account: Account, options: Namespace) -> int:
    """Remove the environment and all its data."""
    if options.confirm is not None:
        prompts.check_name(environment.name, options.confirm)
    if environment.deletion_protection:
        raise protection.protected(environment, "its tfvars protect its tables")
    with _locked(environment):
        opened, _ = _open(environment, account, refuse=False)
        outputs = opened.outputs()
        tables = protection.protected_tables(account, outputs)
        if tables:
            raise protection.protected(environment, f"{', '.join(tables)} refuse to be deleted")
        if not opened.plan("-destroy"):
            out.print(f"{environment.name} is not deployed in {account.where}: nothing to remove.")
            return 0
        _show(opened)
        if options.confirm is None:
            warning = f"This removes all of {environment.full_name} in {account.where}."
            prompts.check_name(environment.name, prompts.typed_name(environment.name, warning))
        emulator.unmirror(account, outputs)
        opened.apply_plan()
        deployment_record.forget(environment, account)
    out.print(
        f"{environment.full_name} is removed. The state bucket stays; docs/deploy.md shows how to remove it."
    )
    return 0


def smoke(environment: Environment, account: Account, _options: Namespace) -> int:
    """Run the smoke test."""
    _smoke(environment, account, deployment_record.load(environment, account).outputs)
    return 0


def env(environment: Environment, account: Account, _options: Namespace) -> int:
    """Print shell exports for the other commands."""
    outputs = deployment_record.load(environment, account).outputs
    names = {name: outputs[output] for name, output in ENVIRONMENT_OUTPUTS.items() if output in outputs}
    regions = dict.fromkeys(("AWS_DEFAULT_REGION", "AWS_REGION"), account.region)
    for variable, value in {**regions, **names}.items():
        out.print(f"export {variable}={shlex.quote(str(value))}")
    # The profile is not exported, because the deployer may not read stored events.
    if account.endpoint is None:
        out.print("unset AWS_ENDPOINT_URL")
    return 0


def _locked(environment: Environment) -> Any:
    environment.directory.mkdir(parents=True, exist_ok=True)
    return exclusive(environment.directory / "lock", f"deploying {environment.name}")


def _open(
    environment: Environment,
    account: Account,
    refuse: bool,
    prebuilt: bool = False,
    console: Console = out,
) -> tuple[Workspace, list[str]]:
    """Stage the checkout. Return its workspace and the differences from what was tested."""
    console.print(safe_text(f"{environment.full_name} in {account.where}, as {account.caller}"))
    fingerprint = workspace.stage(environment, prebuilt)
    different = _untested(fingerprint, account)
    if different:
        console.print(safe_text("This is not what was tested:", TROUBLE))
        for line in different:
            console.print(safe_text(f"  {line}", TROUBLE))
        if refuse:
            raise ToolError(
                "Refused: only what was tested is deployed.",
                "Run make test, then this command again. FORCE=1 deploys it untested, and records that.",
            )
    state_bucket.require(environment, account)
    return workspace.open_workspace(environment, account, fingerprint, _log), different


def _untested(now: receipt.Fingerprint, account: Account) -> list[str]:
    try:
        tested = Receipt.load()
    except ToolError as none:
        return [str(none)]
    different = receipt.differences(tested, now)
    if account.endpoint is None and not tested.pins_provider:
        different.append(
            f"the AWS provider is not the tested one: the tests ran with {tested.provider}. Run make test "
            "where registry.terraform.io can be reached."
        )
    return different


def _show(opened: Workspace, console: Console = out) -> None:
    for line in plans.summary(plans.changes(opened.planned)):
        console.print(line)
    console.print(safe_text(f"The whole plan: {opened.write_whole_plan()}"))


def _record(
    opened: Workspace,
    outputs: dict[str, Any],
    before: dict[str, LiveVersion],
    after: dict[str, LiveVersion],
    forced: list[str],
) -> DeploymentRecord:
    commit, dirty = receipt.commit()
    functions = {
        name: VersionChange(before[name].version if name in before else None, live.version)
        for name, live in after.items()
    }
    return DeploymentRecord(
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        by=opened.account.caller,
        commit=f"{commit}{' (with uncommitted changes)' if dirty else ''}",
        zips=opened.fingerprint.zips,
        forced=forced,
        functions=functions,
        outputs=outputs,
    )


def _smoke(environment: Environment, account: Account, outputs: dict[str, Any]) -> None:
    names: dict[str, Any] = {output: outputs[output] for output in ENVIRONMENT_OUTPUTS.values()}
    clients = {service: account.client(service) for service in ("sqs", "dynamodb")}
    resources = Resources(**names, region=account.region, endpoint=account.endpoint, clients=clients)
    began = time.monotonic()
    try:
        Smoke(resources, environment.large_order_threshold).test(SECONDS)
    except ToolError as error:
        raise ToolError(
            str(error),
            f"Show the function's log: {_exports(environment)} && make logs LEVEL=WARNING\n"
            f"Return to the previous code: make rollback-aws ENV={environment.name}",
        ) from None
    passed = f"Smoke test passed in {time.monotonic() - began:.1f} s"
    out.print(f"{passed}: stored, duplicate, large order, rejected; removed again.")


def _exports(environment: Environment) -> str:
    return f'eval "$(make -s env-aws ENV={environment.name})"'


def _log(text: str) -> None:
    err.print(indent_lines(text))


Command = Callable[..., int]
