"""Which pipeline is watched, and clients that neither hang nor hold up a panel for long."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from tools.core.aws_errors import explain
from tools.core.errors import OpsError, UsageError
from tools.core.resources import Resources

SERVICES = ("sqs", "logs", "cloudwatch", "dynamodb")
# A source is asked again soon anyway, so that a call is tried once and given up after a few seconds.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
# An emulator is reached directly, whatever proxy the environment names.
_EMULATOR = Config(proxies={})


@dataclass(frozen=True)
class Target:
    """A pipeline to watch. ``name`` is what all its names begin with; ``endpoint`` is None on AWS."""

    name: str
    region: str
    endpoint: str | None
    queue_url: str
    dlq_url: str
    events_table: str
    rejected_table: str
    duplicates_table: str
    function_name: str
    clients: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def where(self) -> str:
        """Where it runs, in a few words."""
        return f"{self.endpoint or 'AWS'} {self.region}"


def find(
    name: str | None,
    profile: str | None,
    region: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Target:
    """The pipeline to watch: the one called ``name``, else the exported one, else the local stack.

    Raises OpsError, saying what to type, when it cannot be found.
    """
    if name:
        return _by_name(name, profile, region, environment)
    if (profile or region) and not environment.get("QUEUE_URL"):
        raise UsageError(
            "Which pipeline? A profile or region says where it is, not what it is called.",
            "Add --name, for example --name rt-pipeline-prod; or export the names that make env-aws prints.",
        )
    found = Resources.find(environment)
    credentials = None if profile else found.credentials
    clients = _clients(profile, region or found.region, found.endpoint, credentials)
    return Target(
        name=found.function_name.removesuffix("-processor"),
        region=region or found.region,
        endpoint=found.endpoint,
        queue_url=found.queue_url,
        dlq_url=found.dlq_url,
        events_table=found.table_name,
        rejected_table=found.rejected_table_name,
        duplicates_table=found.duplicates_table_name,
        function_name=found.function_name,
        clients=clients,
    )


def _by_name(name: str, profile: str | None, region: str | None, environment: Mapping[str, str]) -> Target:
    """The pipeline whose names Terraform made from this one (terraform/locals.tf)."""
    endpoint = environment.get("AWS_ENDPOINT_URL") or None
    clients = _clients(profile, region, endpoint, None)
    sqs = clients["sqs"]
    try:
        queue_url = str(sqs.get_queue_url(QueueName=f"{name}-events")["QueueUrl"])
    except sqs.exceptions.QueueDoesNotExist:
        raise OpsError(
            f"There is no queue {name}-events in {sqs.meta.region_name}.",
            "--name is name_prefix and environment as in the tfvars, such as rt-pipeline-prod; "
            "--region is where it runs.",
        ) from None
    except (BotoCoreError, ClientError) as error:
        explained = explain(error, endpoint)
        if explained is None:
            raise
        raise explained from None
    return Target(
        name=name,
        region=str(sqs.meta.region_name),
        endpoint=endpoint,
        queue_url=queue_url,
        dlq_url=f"{queue_url}-dlq",
        events_table=f"{name}-events",
        rejected_table=f"{name}-rejected",
        duplicates_table=f"{name}-duplicates",
        function_name=f"{name}-processor",
        clients=clients,
    )


def _clients(
    profile: str | None, region: str | None, endpoint: str | None, credentials: tuple[str, str] | None
) -> dict[str, Any]:
    key, secret = credentials or (None, None)
    try:
        session = boto3.session.Session(
            aws_access_key_id=key, aws_secret_access_key=secret, profile_name=profile, region_name=region
        )
    except ProfileNotFound:
        known = ", ".join(boto3.session.Session().available_profiles) or "none"
        raise UsageError(f"There is no AWS profile {profile}.", f"Profiles here: {known}.") from None
    if session.region_name is None:
        raise UsageError("Which region?", "Add --region, for example --region eu-central-1.")
    config = _CONFIG.merge(_EMULATOR) if endpoint else _CONFIG
    return {name: session.client(name, endpoint_url=endpoint, config=config) for name in SERVICES}
