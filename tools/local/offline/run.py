"""What ``tools.local.terraform`` calls, before ``init`` and after ``apply``."""

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.errors import StackError
from tools.local.hcl import UnsupportedError
from tools.local.offline import provider
from tools.local.offline.api_calls import Client, DryRunClients, set_missing_values
from tools.local.offline.provider_gaps import PROVIDER_GAPS
from tools.local.offline.rewrite import CARRIED, rewrite


@dataclass(frozen=True)
class OfflineRun:
    """A working copy that was brought down to provider 3.39.0.

    ``environment`` is to be added to Terraform's; ``provider_gaps`` says, a line each, what the copy lacks and
    what stands in for it.
    """

    environment: dict[str, str]
    provider_gaps: list[str]


def prepare(workdir: Path, source: Path, endpoint: str, cache_dir: Path, as_root: bool = True) -> OfflineRun:
    """Bring the copy of ``source`` in ``workdir`` down to provider 3.39.0, ready for ``terraform init``.

    The provider then calls ``endpoint`` and nothing else, as the emulator's root or with the environment's
    credentials. Files of ``source`` that the copy does not have are left out. The provider is unpacked under
    ``cache_dir``, once for all stacks. Raises StackError when it is missing or is not HashiCorp's, and for
    a construct in the config that cannot be brought down.
    """
    copied = (path for path in sorted(source.glob("*.tf")) if (workdir / path.name).exists())
    files = {path.name: path.read_text(encoding="utf-8") for path in copied}
    try:
        rewritten = rewrite(files, endpoint, as_root=as_root)
    except UnsupportedError as error:
        raise StackError(
            f"{source} cannot be brought down to the AWS provider {provider.VERSION}: {error}.\n"
            "The config may be right: this is a limit of tools/local/offline, not of Terraform. Extend it,\n"
            "or run make where registry.terraform.io can be reached."
        ) from error
    for name, text in rewritten.files.items():
        (workdir / name).write_text(text, encoding="utf-8")
    (workdir / ".terraform.lock.hcl").write_text(provider.lock_file(), encoding="utf-8")
    environment = {
        "TF_CLI_CONFIG_FILE": str(provider.install_mirror(cache_dir)),
        # A link to an unpacked mirror beats a cache; and no other stack's cache is to get this provider.
        "TF_PLUGIN_CACHE_DIR": "",
        # tflocal writes its own provider settings, which name endpoints that 3.39.0 does not know. Under a
        # name without .tf Terraform does not read them.
        "LS_PROVIDERS_FILE": "localstack_providers_override.unused",
    }
    provider_gaps = [str(entry) for entry in PROVIDER_GAPS if entry in rewritten.used]
    return OfflineRun(environment, provider_gaps)


def complete(state: str, client: Client) -> None:
    """After a good apply: set what the provider could not, and let the event source mapping run.

    ``state`` is the text of Terraform's state; ``client`` makes a boto3 client for a service. A second call
    changes nothing. Raises StackError when the emulator refuses a call.
    """
    try:
        set_missing_values(functools.cache(client), _carried(state))
    except (BotoCoreError, ClientError, TimeoutError) as error:
        raise StackError(
            f"Terraform's apply went well, but an API call after it did not: {error}\n"
            "What the AWS provider 3.39.0 leaves out is not there yet, so events may wait in the queue.\n"
            "Run `make up` again; if that does not help, start over with: make down up"
        ) from error


def differences(state: str, client: Client) -> list[str]:
    """What `complete` would change, a call each: what of the deleted expressions does not hold any more."""
    dry_run = DryRunClients(client)
    try:
        set_missing_values(dry_run, _carried(state))
    except (BotoCoreError, ClientError, TimeoutError) as error:
        dry_run.calls.append(f"cannot be looked at: {error}")
    return dry_run.calls


def _carried(state: str) -> list[dict[str, Any]]:
    """The values of the deleted expressions, from Terraform's state."""
    (carrier,) = (
        resource
        for resource in json.loads(state)["resources"]
        if resource["type"] == "terraform_data" and resource["name"] == CARRIED
    )
    carried: list[dict[str, Any]] = carrier["instances"][0]["attributes"]["input"]["value"]
    return carried
