"""Apply ``terraform/`` to an emulator, from a working copy and through tflocal."""

import hashlib
import json
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tools.core.errors import ToolError
from tools.core.files import exclusive, write_atomically
from tools.core.log import Log, labelled
from tools.core.paths import CACHE_DIR, ROOT, TERRAFORM_SOURCE
from tools.core.state import StackState
from tools.local import terraform_process, tflocal, toolchain
from tools.local.build import ARTIFACTS
from tools.local.emulator import root_key
from tools.local.toolchain import Provider, Terraform

LOG = "terraform.log"
VAR_FILE = Path("env") / "local.tfvars"
# The region and variables of the last `apply`, for `destroy`.
APPLIED = "applied.json"
# Files that Terraform keeps in the working copy.
LOCK = ".terraform.lock.hcl"
STATE = "terraform.tfstate"
KEPT = (".terraform", LOCK, STATE, f"{STATE}.backup")
# Files of the source that no copy needs: Terraform's own and the config's tests.
NEVER_COPIED = (".terraform", "*.tfstate", "*.tfstate.*", "localstack_providers_override.tf", "tests")
# backend.tf is for deployed environments. A local stack keeps its state in the working copy.
NOT_COPIED = (*NEVER_COPIED, "backend.tf")


@dataclass
class Run:
    """The working copy, Terraform, provider and environment of one ``up``."""

    state_dir: Path
    terraform: Terraform
    provider: Provider
    environment: dict[str, str]
    log: Log
    offline: Any = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def workdir(self) -> Path:
        """The directory of the working copy."""
        return workdir(self.state_dir)


def workdir(state_dir: Path) -> Path:
    """Return the directory of a stack's working copy and Terraform state."""
    return state_dir / "terraform"


def forget(state_dir: Path) -> None:
    """Delete the working copy and Terraform's state, because the emulator's resources no longer exist."""
    shutil.rmtree(workdir(state_dir), ignore_errors=True)


def apply(
    state_dir: Path, endpoint: str, region: str, overrides: Mapping[str, object], log: Log = print
) -> dict[str, Any]:
    """Apply the config to the emulator at ``endpoint`` and return Terraform's outputs by name.

    ``overrides`` are Terraform variables that override ``env/local.tfvars``. Raises ToolError with
    Terraform's own message if it fails.
    """
    run = _prepare(state_dir, endpoint, region, log)
    write_atomically(state_dir / APPLIED, json.dumps({"region": region, "overrides": dict(overrides)}))
    with _timed(run, "apply"):
        output = _apply(run, _arguments(overrides))
    state = (run.workdir / STATE).read_text(encoding="utf-8")
    if run.offline is not None:
        with _timed(run, "API calls"):
            from tools.local import offline

            emulator = StackState(endpoint, region, "", {}, access_key=root_key(state_dir))
            offline.complete(state, emulator.client)
    times = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in run.seconds.items())
    log(labelled("", f"{summary(output)} ({times})"))
    return read_outputs(state)


def _apply(run: Run, arguments: list[str]) -> str:
    command = ("apply", "-auto-approve", *arguments)
    try:
        return _run(run, *command)
    except ToolError as error:
        # When a table's stream is enabled, provider 3.39.0 plans without its name, and Terraform refuses the
        # plan. The next plan has the name.
        if run.offline is None or "inconsistent final plan" not in str(error):
            raise
        return _run(run, *command)


def destroy(state_dir: Path, endpoint: str, log: Log = print) -> None:
    """Destroy the resources of the last ``apply`` on the emulator at ``endpoint``, if any.

    Raises ToolError with Terraform's own message if it fails.
    """
    try:
        applied = json.loads((state_dir / APPLIED).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    run = _prepare(state_dir, endpoint, applied["region"], log)
    output = _run(run, "destroy", "-auto-approve", *_arguments(applied["overrides"]))
    (state_dir / APPLIED).unlink()
    log(labelled("", summary(output)))


def read_outputs(state: str) -> dict[str, Any]:
    """Return Terraform's outputs by name, from its state: ``terraform output`` would start it again."""
    return {name: output["value"] for name, output in json.loads(state).get("outputs", {}).items()}


def _prepare(state_dir: Path, endpoint: str, region: str, log: Log) -> Run:
    terraform, provider = _toolchain(state_dir)
    log(labelled("terraform", f"{terraform.version}, {terraform.origin}"))
    log(labelled("AWS provider", _description(provider)))
    run = _working_copy(state_dir, endpoint, region, terraform, provider, log)
    try:
        _init(run)
    except terraform_process.ProviderError as failure:
        if provider.mode == "offline":
            raise
        refusal = toolchain.offline_refusal()
        if refusal is not None:
            raise ToolError(
                f"{failure}\n\nThe provider in a wheel cannot be used either: {refusal}."
            ) from None
        provider = Provider("offline", f"terraform init could not get one {provider.reason}")
        log(labelled("AWS provider", _description(provider)))
        forget(state_dir)
        run = _working_copy(state_dir, endpoint, region, terraform, provider, log)
        _init(run)
    _remember(state_dir, terraform, provider)
    return run


def _description(provider: Provider) -> str:
    return f"3.39.0 from a wheel ({provider.reason})" if provider.mode == "offline" else provider.reason


def _toolchain(state_dir: Path) -> tuple[Terraform, Provider]:
    # A stack keeps its versions, because an older Terraform or provider cannot read the state of a newer one.
    try:
        known = json.loads((workdir(state_dir) / ".terraform" / "toolchain.json").read_text())
        terraform, provider = Terraform(**known["terraform"]), Provider(**known["provider"])
    except (OSError, ValueError, TypeError, KeyError):
        return toolchain.find_terraform(), toolchain.choose_provider()
    return terraform if Path(terraform.command).exists() else toolchain.find_terraform(), provider


def _remember(state_dir: Path, terraform: Terraform, provider: Provider) -> None:
    known = {"terraform": asdict(terraform), "provider": asdict(provider)}
    write_atomically(workdir(state_dir) / ".terraform" / "toolchain.json", json.dumps(known, indent=2))


def copy_config(directory: Path, excluded: Sequence[str] = NOT_COPIED) -> None:
    """Update a working copy of the config. Terraform's own files in it stay."""
    directory.mkdir(parents=True, exist_ok=True)
    for entry in directory.iterdir():
        # This also removes the override file of a killed tflocal, with which the next one refuses to start.
        if entry.name in KEPT:
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(TERRAFORM_SOURCE, directory, ignore=shutil.ignore_patterns(*excluded), dirs_exist_ok=True)


def _working_copy(
    state_dir: Path, endpoint: str, region: str, terraform: Terraform, provider: Provider, log: Log
) -> Run:
    directory = workdir(state_dir)
    copy_config(directory)
    environment = tflocal.environment(endpoint, region, terraform, root_key(state_dir))
    run = Run(state_dir, terraform, provider, environment, log)
    if provider.mode == "offline":
        from tools.local import offline

        run.offline = offline.prepare(directory, TERRAFORM_SOURCE, endpoint, CACHE_DIR)
        environment.update(run.offline.environment)
        listing = state_dir / "provider-gaps.txt"
        gaps = run.offline.provider_gaps
        listing.write_text("".join(f"{gap}\n" for gap in gaps), encoding="utf-8")
        log(labelled("", f"it lacks {len(gaps)} settings, which API calls or defaults replace: {listing}"))
    else:
        tflocal.write_override(directory)
    return run


def _arguments(overrides: Mapping[str, object]) -> list[str]:
    return [f"-var-file={VAR_FILE}", *variable_arguments({**overrides, **paths()})]


def paths() -> dict[str, str]:
    """Return absolute paths for the variables whose default is relative, because Terraform runs in a copy."""
    return {
        **{variable: str(artifact.path) for variable, artifact in ARTIFACTS.items()},
        "checkout": str(ROOT),
    }


def variable_arguments(variables: Mapping[str, object]) -> list[str]:
    """Return Terraform's arguments for these variables."""
    texts = (value if isinstance(value, str) else json.dumps(value) for value in variables.values())
    return [f"-var={name}={text}" for name, text in zip(variables, texts, strict=True)]


def _init(run: Run) -> None:
    """Run ``init`` unless it is not needed, or all is installed."""
    if run.offline is not None:
        return
    with init_once(run.workdir, TERRAFORM_SOURCE / LOCK, run.terraform, run.provider) as needed:
        if not needed:
            return
        CACHE_DIR.mkdir(exist_ok=True)
        # Terraform does not support concurrent writes to one plugin cache.
        with exclusive(CACHE_DIR / "init.lock", "running terraform init"), _timed(run, "init"):
            _run(run, "init")


@contextmanager
def init_once(directory: Path, lock: Path, *used: object) -> Iterator[bool]:
    """Yield whether ``init`` is needed, because it has not succeeded with these files and what is ``used``.

    After a block without an error, it has.
    """
    digest = hashlib.sha256(repr(used).encode())
    for path in [*sorted(directory.rglob("*.tf")), *sorted(directory.rglob("*.tf.json")), lock]:
        if ".terraform" not in path.parts and path.exists():
            digest.update(path.read_bytes())
    mark, key = directory / ".terraform" / "initialised-for", digest.hexdigest()
    # Links into the cache of providers, which may have been removed.
    installed = all(path.exists() for path in (directory / ".terraform" / "providers").rglob("*"))
    needed = not installed or not mark.exists() or mark.read_text() != key
    if needed:
        mark.unlink(missing_ok=True)
    yield needed
    if needed:
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(key)


@contextmanager
def _timed(run: Run, step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    run.seconds[step] = time.monotonic() - began


def _run(run: Run, command: str, *arguments: str) -> str:
    log_file = run.state_dir / LOG
    return tflocal.run(run.workdir, run.environment, log_file, run.log, command, *arguments)


def summary(output: str) -> str:
    """Return the counts of resources in the output of an apply or destroy."""
    match = re.search(r"Resources: ((?:\d+ added, \d+ changed, )?\d+ destroyed)", output)
    return match[1] if match else "applied"
