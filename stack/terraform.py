"""Applies ``terraform/`` to an emulator: a working copy, tflocal, the outputs."""

import hashlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stack import tflocal, toolchain
from stack.build import ARTIFACTS
from stack.errors import StackError
from stack.files import exclusive, write_atomically
from stack.paths import ANALYTICS, CACHE_DIR, DASHBOARD_TEMPLATE, TERRAFORM_SOURCE
from stack.say import Say, labelled
from stack.toolchain import Provider, Terraform

LOG = "terraform.log"
VAR_FILE = Path("env") / "local.tfvars"
# Terraform's own files in the working copy, which are not in the source.
KEPT = (".terraform", ".terraform.lock.hcl", "terraform.tfstate", "terraform.tfstate.backup")
NOT_COPIED = (".terraform", "*.tfstate", "*.tfstate.*", "localstack_providers_override.tf")


@dataclass
class Run:
    """One ``up``'s way of running Terraform."""

    state_dir: Path
    terraform: Terraform
    provider: Provider
    environment: dict[str, str]
    say: Say
    offline: Any = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def workdir(self) -> Path:
        """The working copy."""
        return workdir(self.state_dir)


def workdir(state_dir: Path) -> Path:
    """Where the working copy and Terraform's state of a stack are."""
    return state_dir / "terraform"


def forget(state_dir: Path) -> None:
    """Throw away what Terraform knows: the emulator that it knew it of is gone, and all it held with it."""
    shutil.rmtree(workdir(state_dir), ignore_errors=True)


def apply(
    state_dir: Path,
    endpoint: str,
    region: str,
    overrides: Mapping[str, object],
    say: Say = print,
) -> dict[str, Any]:
    """Apply the config to the emulator at ``endpoint`` and return Terraform's outputs by name.

    ``overrides`` are Terraform variables that win over ``env/local.tfvars``. Raises StackError with
    Terraform's own message when it fails.
    """
    run = _prepare(state_dir, endpoint, region, say)
    # The config's defaults are relative to its own directory, and this runs in a copy of it.
    zips = {variable: str(artifact.path) for variable, artifact in ARTIFACTS.items()}
    files = {"dashboard_template": str(DASHBOARD_TEMPLATE), "analytics_directory": str(ANALYTICS)}
    variables = {**overrides, **zips, **files}
    arguments = [f"-var-file={VAR_FILE}", *_variable_arguments(variables)]
    with _timed(run, "apply"):
        output = _apply(run, arguments)
    if run.offline is not None:
        with _timed(run, "API calls"):
            _complete_offline(run)
    times = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in run.seconds.items())
    say(labelled("", f"{_summary(output)} ({times})"))
    return outputs(run)


def _apply(run: Run, arguments: list[str]) -> str:
    command = ("apply", "-auto-approve", *arguments)
    try:
        return _run(run, *command)
    except StackError as error:
        # Provider 3.39.0 does not know at plan that a table's stream gets its name when it is switched on,
        # and Terraform then refuses what was planned for it. The next plan knows the name.
        if run.offline is None or "inconsistent final plan" not in str(error):
            raise
        return _run(run, *command)


def outputs(run: Run) -> dict[str, Any]:
    """Terraform's outputs. Not through tflocal, which mixes what Terraform says on stderr into the JSON."""
    done = subprocess.run(
        [run.terraform.command, "output", "-json"],
        cwd=run.workdir,
        env=run.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"terraform output failed:\n{done.stderr.strip()}")
    return {name: output["value"] for name, output in json.loads(done.stdout).items()}


def _prepare(state_dir: Path, endpoint: str, region: str, say: Say) -> Run:
    terraform, provider = _toolchain(state_dir)
    say(labelled("terraform", f"{terraform.version}, {terraform.origin}"))
    say(labelled("AWS provider", _words(provider)))
    run = _working_copy(state_dir, endpoint, region, terraform, provider, say)
    try:
        _init(run)
    except tflocal.ProviderTrouble as trouble:
        if provider.mode == "offline":
            raise
        refusal = toolchain.offline_refusal()
        if refusal is not None:
            raise StackError(f"{trouble}\n\nNor can the provider come from a wheel: {refusal}.") from None
        provider = Provider("offline", f"terraform init could not get one {provider.reason}")
        say(labelled("AWS provider", _words(provider)))
        forget(state_dir)
        run = _working_copy(state_dir, endpoint, region, terraform, provider, say)
        _init(run)
    _remember(state_dir, terraform, provider)
    return run


def _words(provider: Provider) -> str:
    if provider.mode != "offline":
        return provider.reason
    return f"3.39.0 from a wheel ({provider.reason})"


def _toolchain(state_dir: Path) -> tuple[Terraform, Provider]:
    # A stack keeps what it began with: an older Terraform or provider does not read the state of a newer one.
    try:
        known = json.loads((workdir(state_dir) / ".terraform" / "toolchain.json").read_text())
        terraform, provider = Terraform(**known["terraform"]), Provider(**known["provider"])
    except (OSError, ValueError, TypeError, KeyError):
        return toolchain.find_terraform(), toolchain.choose_provider()
    if not Path(terraform.command).exists():
        terraform = toolchain.find_terraform()
    return terraform, provider


def _remember(state_dir: Path, terraform: Terraform, provider: Provider) -> None:
    known = {"terraform": asdict(terraform), "provider": asdict(provider)}
    write_atomically(workdir(state_dir) / ".terraform" / "toolchain.json", json.dumps(known, indent=2))


def _working_copy(
    state_dir: Path, endpoint: str, region: str, terraform: Terraform, provider: Provider, say: Say
) -> Run:
    directory = workdir(state_dir)
    directory.mkdir(parents=True, exist_ok=True)
    for entry in directory.iterdir():
        # Among what goes is the override file of a tflocal that was killed: the next would refuse to start.
        if entry.name in KEPT:
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(
        TERRAFORM_SOURCE, directory, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True
    )
    environment = tflocal.environment(endpoint, region, terraform)
    run = Run(state_dir, terraform, provider, environment, say)
    if provider.mode == "offline":
        from stack import offline

        run.offline = offline.prepare(directory, TERRAFORM_SOURCE, endpoint, region, CACHE_DIR)
        environment.update(run.offline.environment)
        _say_left_out(run)
    return run


def _say_left_out(run: Run) -> None:
    lines = run.offline.left_out
    listed = run.state_dir / "left-out.txt"
    text = "".join(f"{line}\n" for line in lines)
    if listed.exists() and listed.read_text() == text:
        run.say(labelled("left out", f"{len(lines)} arguments and resources, as before ({listed})"))
        return
    for number, line in enumerate(lines):
        run.say(labelled("" if number else "left out", line))
    listed.write_text(text)


def _complete_offline(run: Run) -> None:
    from stack import offline

    offline.complete(run.offline, run.workdir, run.environment)


def _variable_arguments(variables: Mapping[str, object]) -> list[str]:
    return [
        f"-var={name}={value if isinstance(value, str) else json.dumps(value)}"
        for name, value in variables.items()
    ]


def _init(run: Run) -> None:
    """``init``, unless it was done for these very files, Terraform and provider."""
    mark = run.workdir / ".terraform" / "initialised-for"
    key = _init_key(run)
    if mark.exists() and mark.read_text() == key:
        return
    CACHE_DIR.mkdir(exist_ok=True)
    # Terraform does not promise that two may write to one plugin cache.
    with exclusive(CACHE_DIR / "init.lock", "running terraform init"), _timed(run, "init"):
        _run(run, "init")
    mark.write_text(_init_key(run))


def _init_key(run: Run) -> str:
    digest = hashlib.sha256(f"{run.terraform} {run.provider}".encode())
    for path in sorted(run.workdir.rglob("*.tf")):
        if ".terraform" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()


@contextmanager
def _timed(run: Run, step: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    run.seconds[step] = time.monotonic() - began


def _run(run: Run, command: str, *arguments: str) -> str:
    log = run.state_dir / LOG
    return tflocal.run(run.workdir, run.environment, log, run.say, command, *arguments)


def _summary(said: str) -> str:
    found = re.search(r"Resources: (\d+ added, \d+ changed, \d+ destroyed)", said)
    return found[1] if found else "applied"
