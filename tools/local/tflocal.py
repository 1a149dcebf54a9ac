"""Run Terraform through tflocal, which points the AWS provider at an emulator."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.log import Log
from tools.core.paths import CACHE_DIR
from tools.core.state import ACCESS_KEY, SECRET_KEY
from tools.local import terraform_process, toolchain
from tools.local.toolchain import Terraform

# Provider settings that tflocal lacks. The name ends in .json so that tflocal does not read the file.
OVERRIDE_FILE = "emulator_override.tf.json"
# With an account id, the provider reads a bucket's tags from a host name that no emulator has. Without one it
# refuses a list of allowed accounts.
OVERRIDE = {"skip_requesting_account_id": True, "allowed_account_ids": []}


def write_override(workdir: Path) -> None:
    """Make the AWS provider in ``workdir`` work without an account id, for emulators only."""
    text = json.dumps({"provider": {"aws": OVERRIDE}}, indent=2)
    (workdir / OVERRIDE_FILE).write_text(f"{text}\n", encoding="utf-8")


def environment(
    endpoint: str, region: str, terraform: Terraform, access_key: str = ACCESS_KEY
) -> dict[str, str]:
    """Return an environment in which Terraform can reach only the emulator at ``endpoint``."""
    variables = terraform_process.environment()
    config = toolchain.cli_config()
    if "TF_PLUGIN_CACHE_DIR" not in variables and not _names_plugin_cache(config):
        plugins = CACHE_DIR / "terraform-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        variables["TF_PLUGIN_CACHE_DIR"] = str(plugins)
        # The copy's lock file is temporary, so it needs no hashes of cached providers.
        variables["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
    return variables | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": access_key,
        # Else tflocal gives the provider the key "test".
        "CUSTOMIZE_ACCESS_KEY": "1",
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # tflocal's default name needs a public DNS server. With an address it uses path-style requests.
        "S3_HOSTNAME": "127.0.0.1",
        "DISABLE_DEPRECATION_NOTICE": "1",
        "TF_CMD": terraform.command,
    }


def _names_plugin_cache(config: Path | None) -> bool:
    return config is not None and "plugin_cache_dir" in config.read_text(errors="replace")


def run(
    workdir: Path, variables: Mapping[str, str], log_file: Path, log: Log, command: str, *arguments: str
) -> str:
    """Run a Terraform command through tflocal in ``workdir`` and return its output."""
    tflocal = Path(sys.executable).parent / "tflocal"
    if not tflocal.exists():
        raise ToolError(f"tflocal is not installed beside {sys.executable}: run this command through make.")
    program = [sys.executable, str(tflocal)]
    _, output = terraform_process.run(program, workdir, variables, log_file, log, command, *arguments)
    return output
