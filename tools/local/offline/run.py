"""Prepare a working copy for provider 3.39.0 before ``init``, and complete its settings after ``apply``."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.errors import ToolError
from tools.local.hcl import UnsupportedError
from tools.local.offline import provider
from tools.local.offline.api_calls import Client, DryRunClients, set_missing_values
from tools.local.offline.provider_gaps import PROVIDER_GAPS
from tools.local.offline.rewrite import CARRIER, rewrite


@dataclass(frozen=True)
class OfflineRun:
    """A working copy for provider 3.39.0.

    ``environment`` is added to Terraform's environment. ``provider_gaps`` names each setting that the copy
    lacks, and its replacement.
    """

    environment: dict[str, str]
    provider_gaps: list[str]


def prepare(workdir: Path, source: Path, endpoint: str, cache_dir: Path, as_root: bool = True) -> OfflineRun:
    """Rewrite the copy of ``source`` in ``workdir`` for provider 3.39.0, and install it there.

    The provider then calls only ``endpoint``, with the environment's credentials (``as_root``: the emulator's
    root). Files of ``source`` that the copy lacks are skipped. The provider is unpacked once under
    ``cache_dir``. Raises ToolError if it is missing or is not HashiCorp's, and for a construct in the config
    that cannot be rewritten.
    """
    copied = (path for path in sorted(source.glob("*.tf")) if (workdir / path.name).exists())
    files = {path.name: path.read_text(encoding="utf-8") for path in copied}
    try:
        rewritten = rewrite(files, endpoint, as_root=as_root)
    except UnsupportedError as error:
        raise ToolError(
            f"{source} cannot be rewritten for the AWS provider {provider.VERSION}: {error}.\n"
            "The config may be correct: this is a limit of tools/local/offline. Extend that package,\n"
            "or run make on a machine that reaches registry.terraform.io."
        ) from error
    for name, text in rewritten.files.items():
        (workdir / name).write_text(text, encoding="utf-8")
    (workdir / ".terraform.lock.hcl").write_text(provider.lock_file(), encoding="utf-8")
    environment = {
        "TF_CLI_CONFIG_FILE": str(provider.install_mirror(cache_dir)),
        # Terraform links to the unpacked mirror. A plugin cache would pass this provider on to other stacks.
        "TF_PLUGIN_CACHE_DIR": "",
        # tflocal's provider settings name endpoints that 3.39.0 does not know. So it adds none, and saves
        # two seconds in which it would read every file three times.
        "TF_UNPROXIED_CMDS": "init,plan,apply,destroy",
    }
    provider.install(workdir, cache_dir)
    return OfflineRun(environment, [str(gap) for gap in PROVIDER_GAPS if gap in rewritten.used])


def complete(state: str, client: Client) -> None:
    """After a successful apply, set what the provider could not, and enable the event source mapping.

    ``state`` is the text of Terraform's state; ``client`` creates a boto3 client for a service. A second call
    changes nothing. Raises ToolError if the emulator refuses a call.
    """
    try:
        set_missing_values(functools.cache(client), _carried(state))
    except (BotoCoreError, ClientError, TimeoutError) as error:
        raise ToolError(
            f"Terraform's apply succeeded, but an API call after it failed: {error}\n"
            "Settings that the AWS provider 3.39.0 lacks are missing, so events may wait in the queue.\n"
            "Run make up again. If that does not help, start over with: make down up"
        ) from error


def differences(state: str, client: Client) -> list[str]:
    """Return the calls that `complete` would make: the settings that differ from the config now."""
    dry_run = DryRunClients(client)
    try:
        set_missing_values(dry_run, _carried(state))
    except (BotoCoreError, ClientError, TimeoutError) as error:
        dry_run.calls.append(f"cannot be read: {error}")
    return dry_run.calls


def _carried(state: str) -> list[dict[str, Any]]:
    """Return the values of the deleted expressions from Terraform's state, none if nothing is deployed."""
    return [
        values
        for resource in json.loads(state).get("resources", [])
        if resource["type"] == "terraform_data" and resource["name"] == CARRIER
        for values in resource["instances"][0]["attributes"]["input"]["value"]
    ]
