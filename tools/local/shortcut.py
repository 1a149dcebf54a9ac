"""Bring a stack up to date without Terraform, where nothing changed or only a function's code.

The stack's resources are read and compared with what the last `make up` left, so that a change by hand, or
a lost resource, still ends in an apply (docs/adr/0052-up-without-terraform.md).
"""

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.errors import ToolError
from tools.core.files import write_atomically
from tools.core.log import Log, labelled
from tools.core.paths import TERRAFORM_SOURCE, read_by_config
from tools.core.state import StackState
from tools.local import code, terraform
from tools.local.build import ARTIFACTS
from tools.local.emulator import Emulator

FILE = "up-to-date.json"
Client = Callable[[str], Any]

# How to read a resource of each type: the call, and its arguments that are attributes in Terraform's state.
READS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("reads.json").read_text("utf-8"))
# Beginnings of the names of fields that change while a stack works.
VOLATILE = (
    *("ResponseMetadata", "Approximate", "ItemCount", "TableSize", "IndexSize", "LatestStream"),
    *("StateReason", "StateTransition", "StateUpdated", "StateValue", "storedBytes"),
    *("LastProcessingResult", "RoleLastUsed"),
)


@dataclass(frozen=True)
class Applied:
    """What the last ``up`` of a stack applied: digests of the inputs, of each zip and of the resources."""

    inputs: str
    zips: dict[str, str]
    resources: str


def inputs(emulator: Emulator, variables: Mapping[str, object]) -> str:
    """Return a digest of all that an apply depends on, but the zips."""
    digest = hashlib.sha256(json.dumps([asdict(emulator), dict(variables)], sort_keys=True).encode())
    config = [TERRAFORM_SOURCE / name for name in (terraform.LOCK, terraform.VAR_FILE)]
    config += [*TERRAFORM_SOURCE.glob("*.tf"), *TERRAFORM_SOURCE.glob("*.tf.json")]
    # A changed tool may apply an equal config in another way.
    tools = (path for path in Path(__file__).parent.rglob("*.*") if path.suffix in (".json", ".py", ".txt"))
    for path in [*sorted(config), *read_by_config(), *sorted(tools)]:
        if path.exists():
            digest.update(f"{path}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def forget(state_dir: Path) -> None:
    """Make the next ``up`` apply."""
    (state_dir / FILE).unlink(missing_ok=True)


def remember(state_dir: Path, inputs: str, zips: dict[str, str], client: Client) -> None:
    """Record what was applied, unless the emulator cannot describe a resource."""
    with contextlib.suppress(BotoCoreError, ClientError):
        applied = Applied(inputs, zips, _digest(state_dir, functools.cache(client)))
        write_atomically(state_dir / FILE, json.dumps(asdict(applied)))


def up(state_dir: Path, inputs: str, zips: dict[str, str], log: Log) -> StackState | None:
    """Return the state of a stack that is up to date, or was brought so without Terraform; else None."""
    try:
        applied = Applied(**json.loads((state_dir / FILE).read_text(encoding="utf-8")))
        if applied.inputs != inputs:
            return None
        state = StackState.load(state_dir)
        client = functools.cache(state.client)
        if applied.resources != _digest(state_dir, client):
            return None
        changed = [variable for variable, digest in zips.items() if applied.zips.get(variable) != digest]
        if changed:
            forget(state_dir)
            for variable in changed:
                log(labelled("code", _swap(state_dir, client("lambda"), ARTIFACTS[variable].path)))
            remember(state_dir, inputs, zips, client)
        else:
            log(labelled("terraform", "not started: nothing changed since the last make up"))
    except (BotoCoreError, ClientError, OSError, ToolError, TypeError, ValueError):
        return None
    return state


def _swap(state_dir: Path, functions: Any, zipped: Path) -> str:
    """Give a zip to the function that has it, and return what was done."""
    resources = list(_resources(state_dir))
    function = next(it["id"] for _, it in resources if it.get("filename") == str(zipped))
    alias = next(
        it["name"] for kind, it in resources if kind.endswith("alias") and it["function_name"] == function
    )
    version = code.replace(functions, function, alias, zipped)
    return f"{function} has the new code as version {version}; Terraform was not started"


def _digest(state_dir: Path, client: Client) -> str:
    """Return a digest of the stack's resources as the emulator describes them."""
    digest = hashlib.sha256()
    for kind, attributes in _resources(state_dir):
        if kind in READS:
            read = READS[kind]
            arguments = {argument: attributes[name] for argument, name in read["from_state"].items()}
            call = getattr(client(read["client"]), read["operation"])
            answer = call(**arguments, **read.get("arguments", {}))
            digest.update(json.dumps(_stable(answer), sort_keys=True, default=str).encode())
    return digest.hexdigest()


def _resources(state_dir: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the type and the attributes of each resource in Terraform's state."""
    content = (terraform.workdir(state_dir) / terraform.STATE).read_text(encoding="utf-8")
    for resource in json.loads(content)["resources"]:
        if resource["mode"] == "managed":
            yield from ((resource["type"], instance["attributes"]) for instance in resource["instances"])


def _stable(answer: Any) -> Any:
    if isinstance(answer, dict):
        return {name: _stable(value) for name, value in answer.items() if not name.startswith(VOLATILE)}
    return [_stable(value) for value in answer] if isinstance(answer, list) else answer
