"""Runs Terraform through tflocal, which turns the AWS provider to an emulator."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.core.errors import StackError
from tools.core.log import Log
from tools.core.paths import CACHE_DIR
from tools.core.state import ACCESS_KEY, SECRET_KEY
from tools.local import terraform_process, toolchain
from tools.local.toolchain import Terraform

# What tflocal does not say of the provider. The name ends in .json so that tflocal does not read it as well.
OVERRIDE_FILE = "emulator_override.tf.json"
# With an account id the provider asks S3 Control for a bucket's tags, at a host name that starts with the id:
# no such host on an emulator. Without one it refuses any list of accounts.
OVERRIDE = {"skip_requesting_account_id": True, "allowed_account_ids": []}


def write_override(workdir: Path) -> None:
    """Make the AWS provider in ``workdir`` work without an account id. For emulators alone."""
    text = json.dumps({"provider": {"aws": OVERRIDE}}, indent=2)
    (workdir / OVERRIDE_FILE).write_text(f"{text}\n", encoding="utf-8")


def environment(
    endpoint: str, region: str, terraform: Terraform, access_key: str = ACCESS_KEY
) -> dict[str, str]:
    """The environment in which Terraform works on the emulator at ``endpoint`` and on nothing else."""
    variables = terraform_process.environment()
    config = toolchain.cli_config()
    if "TF_PLUGIN_CACHE_DIR" not in variables and not _names_plugin_cache(config):
        plugins = CACHE_DIR / "terraform-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        variables["TF_PLUGIN_CACHE_DIR"] = str(plugins)
        # The copy's lock file is thrown away with it, so what the cache cannot add to it is not missed.
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
        # tflocal's default is a name that only a public DNS server knows; an address makes it use path style.
        "S3_HOSTNAME": "127.0.0.1",
        "DISABLE_DEPRECATION_NOTICE": "1",
        "TF_CMD": terraform.command,
    }


def _names_plugin_cache(config: Path | None) -> bool:
    return config is not None and "plugin_cache_dir" in config.read_text(errors="replace")


def run(
    workdir: Path, variables: Mapping[str, str], log_file: Path, log: Log, command: str, *arguments: str
) -> str:
    """Run a Terraform command through tflocal in ``workdir`` and return what it said.

    All it says is added to ``log_file``. On Ctrl-C, Terraform is told once and waited for.

    Raises StackError with Terraform's own message when it fails; ProviderTrouble when ``init`` fails because
    of the provider.
    """
    tflocal = Path(sys.executable).parent / "tflocal"
    if not tflocal.exists():
        raise StackError(f"tflocal is not installed beside {sys.executable}: run this through make.")
    program = [sys.executable, str(tflocal)]
    _, said = terraform_process.run(program, workdir, variables, log_file, log, command, *arguments)
    return said
