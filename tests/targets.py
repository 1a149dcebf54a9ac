"""The targets of the integration tests, and the one of this run.

``TARGET`` is ``auto`` (the default), ``ministack``, ``localstack``, ``endpoint`` or ``account``. ``auto``
selects the emulator at ``ENDPOINT`` if set, else LocalStack if a Docker engine has its image, else MiniStack.
It never selects an account.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests import account, localstack_container
from tools.core.errors import ToolError
from tools.core.log import Log
from tools.core.state import StackState
from tools.local import endpoint, lifecycle, localstack, message_bodies, processes
from tools.local.emulator import NAMES

CHOICES = ("auto", "ministack", "localstack", "endpoint", "account")

# Abilities that a test's marker can require, and the targets that lack them.
IAM = "IAM enforcement"
ALARMS = "alarms evaluated at once"
ENDPOINT = "an endpoint of its own"
INSIDE = "an emulator to reach into"
LOG_FIGURES = "figures from the log group"
MOVE_TASK = "message move tasks"
PERCENTILES = "percentiles of metrics"
BODIES = "bodies as sent"
ABILITIES = (IAM, ALARMS, ENDPOINT, INSIDE, LOG_FIGURES, MOVE_TASK, PERCENTILES, BODIES)

_UNENFORCED = "the free LocalStack does not enforce IAM"
_BY_PERIOD = "evaluates an alarm once a period, a minute or more later"
_SHARED = "fault runs configure the emulator and kill its workers: they use the embedded MiniStack"
MINISTACK_LACKS = {MOVE_TASK: "MiniStack answers StartMessageMoveTask with InvalidAction"}
ENDPOINT_LACKS = {
    "ministack": {**MINISTACK_LACKS, INSIDE: _SHARED},
    "localstack": {
        INSIDE: _SHARED,
        IAM: _UNENFORCED,
        ALARMS: f"LocalStack {_BY_PERIOD}",
        PERCENTILES: "LocalStack answers GetMetricData for a percentile with InternalError",
    },
}
ACCOUNT_LACKS = {
    INSIDE: "fault runs need access to the emulator's processes: they use the embedded MiniStack",
    IAM: "AWS applies a changed policy after seconds to minutes, so a test would be unreliable",
    ALARMS: f"CloudWatch {_BY_PERIOD}",
    ENDPOINT: "on AWS there is no endpoint to put a proxy before",
    LOG_FIGURES: "on AWS the figures come from CloudWatch's metrics, minutes later",
}


class Target:
    """A target for stacks. ``lacks`` gives the reason for each ability that it lacks."""

    def __init__(self, name: str, title: str, lacks: Mapping[str, str]) -> None:
        self.name = name
        self.title = title
        self.lacks = lacks

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run what the target needs during the tests."""
        yield

    def own_variables(self) -> dict[str, object]:
        """Return Terraform variables that give a new stack a unique name on this target."""
        return {"name_prefix": f"rt-pipeline-{uuid.uuid4().hex[:8]}"}

    def up(
        self,
        state_dir: Path,
        overrides: Mapping[str, object],
        log: Log = print,
        *,
        emulator_environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> StackState:
        """Bring a stack up or update it. The last two arguments need a target with INSIDE."""
        raise NotImplementedError

    def down(self, state_dir: Path) -> None:
        """Destroy the stack. Raises ToolError if resources may be left."""
        lifecycle.down(state_dir)

    def environment(self) -> dict[str, str]:
        """Return the variables, beside STACK_DIR, with which a command reaches the target's stacks."""
        return {}


class MiniStack(Target):
    """MiniStack as one process per stack, with IAM enforced."""

    def __init__(self, reason: str = "as requested") -> None:
        super().__init__("ministack", f"MiniStack, embedded, IAM enforced ({reason})", MINISTACK_LACKS)

    def own_variables(self) -> dict[str, object]:
        return {}

    def up(
        self,
        state_dir: Path,
        overrides: Mapping[str, object],
        log: Log = print,
        *,
        emulator_environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> StackState:
        # A running stack keeps its port.
        port = port or (None if (state_dir / lifecycle.MARKER).exists() else processes.free_port())
        return lifecycle.up(state_dir, port, "ministack", overrides, emulator_environment, log)


class Endpoint(Target):
    """A running emulator, which the tests do not stop."""

    def __init__(self, address: str) -> None:
        flavour = endpoint.flavour_of(address)
        lacks = dict(ENDPOINT_LACKS[flavour])
        if flavour == "ministack" and not _enforces_iam(address):
            lacks[IAM] = f"{address} does not enforce IAM: start it with AUTH=true"
        lacks |= _bodies(address, flavour)
        title = f"{NAMES[flavour]} {endpoint.version(address, flavour)} at {address}"
        super().__init__("endpoint", title, lacks)
        self.address = address

    def up(
        self,
        state_dir: Path,
        overrides: Mapping[str, object],
        log: Log = print,
        *,
        emulator_environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> StackState:
        return lifecycle.up(state_dir, overrides=overrides, log=log, endpoint=self.address)


class LocalStack(Target):
    """LocalStack in one container for all stacks, which the tests start and remove."""

    def __init__(self, reason: str = "as requested") -> None:
        title = f"LocalStack in Docker, {localstack.image()} ({reason})"
        super().__init__("localstack", title, ENDPOINT_LACKS["localstack"])
        self._address: str | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        localstack.pull()
        with localstack_container.running(localstack.image()) as address:
            self._address = address
            # The script that keeps bodies does not fit every version of LocalStack.
            self.lacks = {**self.lacks, **_bodies(address, "localstack")}
            yield

    def up(
        self,
        state_dir: Path,
        overrides: Mapping[str, object],
        log: Log = print,
        *,
        emulator_environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> StackState:
        return lifecycle.up(state_dir, overrides=overrides, log=log, endpoint=self._address)


class Account(Target):
    """A real account, by unchanged Terraform, with the state in the stack's directory."""

    def __init__(self) -> None:
        self._identity = account.identity()
        super().__init__("account", str(self._identity), ACCOUNT_LACKS)

    def up(
        self,
        state_dir: Path,
        overrides: Mapping[str, object],
        log: Log = print,
        *,
        emulator_environment: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> StackState:
        return account.up(state_dir, self._identity, overrides, log)

    def down(self, state_dir: Path) -> None:
        account.down(state_dir, self._identity)

    def environment(self) -> dict[str, str]:
        return account.credentials()


def choose(environment: Mapping[str, str] = os.environ) -> Target:
    """Return the target that the environment selects. Raises ToolError with a remedy."""
    requested = environment.get("TARGET") or "auto"
    address = environment.get("ENDPOINT")
    if requested not in CHOICES:
        raise ToolError(f"TARGET={requested} is not known. It is one of: {', '.join(CHOICES)}")
    if address and requested not in ("auto", "endpoint"):
        raise ToolError(f"TARGET={requested} and ENDPOINT={address} select two targets: omit one of them.")
    if requested == "account":
        return Account()
    if requested == "ministack":
        return MiniStack()
    if address:
        return Endpoint(address)
    if requested == "endpoint":
        raise ToolError("TARGET=endpoint needs an address: make test ENDPOINT=http://127.0.0.1:4566")
    problem = localstack.no_engine()
    if requested == "localstack":
        if problem is not None:
            raise ToolError(
                f"LocalStack cannot be used: {problem}. Without Docker: make test TARGET=ministack"
            )
        return LocalStack()
    problem = problem or localstack.no_image()
    return LocalStack("Docker answers and has the image") if problem is None else MiniStack(problem)


@functools.cache
def chosen() -> Target:
    """Return this run's target, chosen once. Raises ToolError."""
    return choose()


def describe() -> str:
    """Return the title of this run's target. Raises ToolError if it is not available."""
    return chosen().title


def _bodies(address: str, flavour: str) -> dict[str, str]:
    """Return the ability that an emulator lacks if it rewrites message bodies."""
    client = StackState(address, "us-east-1", flavour, {}).client
    if message_bodies.are_kept(address, flavour, client):
        return {}
    return {BODIES: f"{message_bodies.NOT_COMPARED}; {message_bodies.REMEDY}"}


def _enforces_iam(address: str) -> bool:
    """Return whether the emulator refuses unknown credentials."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    sts = boto3.session.Session().client(
        "sts",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="AKIANOBODY0000000000",
        aws_secret_access_key="nobody",
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )
    try:
        sts.get_caller_identity()
    except ClientError:
        return True
    return False
