"""The places that the integration tests run on, and which of them this run was given.

``TARGET`` chooses: ``auto`` (what nothing means), ``ministack``, ``localstack``, ``endpoint`` or ``account``.
``auto`` is the emulator at ``ENDPOINT`` where that is set, else LocalStack in Docker where an engine answers
and has its image, else MiniStack. It is never an account: that takes ``TARGET=account`` by name.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests import account, localstack_container
from tools.core.errors import StackError
from tools.core.log import Log
from tools.core.state import StackState
from tools.local import endpoint, lifecycle, localstack, message_bodies, processes
from tools.local.emulator import NAMES

CHOICES = ("auto", "ministack", "localstack", "endpoint", "account")

# What a test may need, as its marker names it, and which targets lack it.
IAM = "IAM enforcement"
ALARMS = "alarms evaluated at once"
ENDPOINT = "an endpoint of its own"
INSIDE = "an emulator to reach into"
LOG_FIGURES = "figures from the log group"
MOVE_TASK = "message move tasks"
PERCENTILES = "percentiles of metrics"
BODIES = "bodies as sent"
ABILITIES = (IAM, ALARMS, ENDPOINT, INSIDE, LOG_FIGURES, MOVE_TASK, PERCENTILES, BODIES)

_UNENFORCED = "the free LocalStack takes every request, whatever IAM says"
_BY_PERIOD = "evaluates an alarm once a period, a minute or more later"
_OTHERS = "the emulator is not ours to configure or to kill workers of: fault runs take MiniStack, embedded"
MINISTACK_LACKS = {MOVE_TASK: "MiniStack answers StartMessageMoveTask with InvalidAction"}
ENDPOINT_LACKS = {
    "ministack": {**MINISTACK_LACKS, INSIDE: _OTHERS},
    "localstack": {
        INSIDE: _OTHERS,
        IAM: _UNENFORCED,
        ALARMS: f"LocalStack {_BY_PERIOD}",
        PERCENTILES: "LocalStack answers GetMetricData for a percentile with InternalError",
    },
}
ACCOUNT_LACKS = {
    INSIDE: "AWS cannot be reached into: fault runs take MiniStack, embedded",
    IAM: "AWS takes seconds to minutes until a changed policy holds, so that a test of it would lie",
    ALARMS: f"CloudWatch {_BY_PERIOD}",
    ENDPOINT: "on AWS there is no endpoint to stand before",
    LOG_FIGURES: "on AWS the figures come from CloudWatch's metrics, minutes later",
}


class Target:
    """A place to bring stacks up on.

    ``lacks`` says, for what a test may need and this place cannot do, why.
    """

    def __init__(self, name: str, title: str, lacks: Mapping[str, str]) -> None:
        self.name = name
        self.title = title
        self.lacks = lacks

    @contextmanager
    def running(self) -> Iterator[None]:
        """Whatever has to run for as long as the tests do."""
        yield

    def own_variables(self) -> dict[str, object]:
        """Terraform variables that keep a new stack apart from any other on this target."""
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
        """Bring a stack up, or up to date. The last two are for targets that lack nothing inside."""
        raise NotImplementedError

    def down(self, state_dir: Path) -> None:
        """Destroy the stack. Raises StackError where something of it may be left."""
        lifecycle.down(state_dir)

    def environment(self) -> dict[str, str]:
        """What a command needs in its environment to reach the target's stacks, beside STACK_DIR."""
        return {}


class MiniStack(Target):
    """MiniStack as a process of each stack's own, with IAM enforced."""

    def __init__(self, reason: str = "as asked") -> None:
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
        # Where it runs already, it keeps its port.
        port = port or (None if (state_dir / lifecycle.MARKER).exists() else processes.free_port())
        return lifecycle.up(state_dir, port, "ministack", overrides, emulator_environment, log)


class Endpoint(Target):
    """An emulator that runs already, and goes on running."""

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
    """LocalStack in a container that the tests start and remove; its stacks share it."""

    def __init__(self, reason: str = "as asked") -> None:
        title = f"LocalStack in Docker, {localstack.image()} ({reason})"
        super().__init__("localstack", title, ENDPOINT_LACKS["localstack"])
        self._address: str | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        localstack.pull()
        with localstack_container.running(localstack.image()) as address:
            self._address = address
            # The script does not fit every version of LocalStack.
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
    """A real account: Terraform and its provider as they are, state in the stack's own directory."""

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
    """The target that the environment asks for. Raises StackError, saying what to type."""
    wanted = environment.get("TARGET") or "auto"
    address = environment.get("ENDPOINT")
    if wanted not in CHOICES:
        raise StackError(f"TARGET={wanted} is not known. It is one of: {', '.join(CHOICES)}")
    if address and wanted not in ("auto", "endpoint"):
        raise StackError(f"TARGET={wanted} and ENDPOINT={address} ask for two places: leave one of them out.")
    if wanted == "account":
        return Account()
    if wanted == "ministack":
        return MiniStack()
    if address:
        return Endpoint(address)
    if wanted == "endpoint":
        raise StackError("TARGET=endpoint needs an address: make test ENDPOINT=http://127.0.0.1:4566")
    problem = localstack.no_engine()
    if wanted == "localstack":
        if problem is not None:
            raise StackError(
                f"LocalStack cannot be used: {problem}. Without Docker: make test TARGET=ministack"
            )
        return LocalStack()
    problem = problem or localstack.no_image()
    return LocalStack("Docker answers and has the image") if problem is None else MiniStack(problem)


@functools.cache
def chosen() -> Target:
    """This run's target, chosen once. Raises StackError."""
    return choose()


def describe() -> str:
    """This run's target in a few words. Raises StackError where none can be had."""
    return chosen().title


def _bodies(address: str, flavour: str) -> dict[str, str]:
    """What an emulator lacks that rewrites message bodies."""
    client = StackState(address, "us-east-1", flavour, {}).client
    if message_bodies.are_kept(address, flavour, client):
        return {}
    return {BODIES: f"{message_bodies.NOT_COMPARED}; {message_bodies.REMEDY}"}


def _enforces_iam(address: str) -> bool:
    """Whether credentials that nobody has made are refused."""
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
