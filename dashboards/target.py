"""Find the pipeline to watch, and create clients whose calls time out within seconds."""

import os
from collections.abc import Mapping
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from tools.core.aws import create_session
from tools.core.aws_errors import explain
from tools.core.errors import ToolError, UsageError
from tools.core.resources import Resources

SERVICES = ("sqs", "logs", "cloudwatch", "dynamodb")
# One attempt is enough because every source is read again within seconds.
_CONFIG = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1})
# Requests to an emulator bypass the proxy that the environment names.
_EMULATOR_CONFIG = _CONFIG.merge(Config(proxies={}))


class Target(Resources):
    """A pipeline to watch, with clients whose calls time out within seconds."""

    @property
    def name(self) -> str:
        """The prefix of all its names."""
        return self.function_name.removesuffix("-processor")

    @property
    def location(self) -> str:
        """The endpoint and region, for a person."""
        return f"{self.endpoint or 'AWS'} {self.region}"


def find_target(
    name: str | None,
    profile: str | None,
    region: str | None,
    environment: Mapping[str, str] = os.environ,
) -> Target:
    """Return the pipeline called ``name``, else the exported one, else the local stack.

    Raises ToolError with a hint if there is none.
    """
    if name:
        return _find_by_name(name, profile, region, environment)
    if (profile or region) and not environment.get("QUEUE_URL"):
        raise UsageError(
            "Which pipeline? --profile and --region give its account and region, but not its name.",
            "Add --name, for example --name rt-pipeline-prod. Or export the names that make env-aws prints.",
        )
    found = Resources.find(environment)
    region = region or found.region
    clients = _create_clients(profile, region, found.endpoint, None if profile else found.credentials)
    return Target(**vars(found) | {"region": region, "clients": clients})


def _find_by_name(
    name: str, profile: str | None, region: str | None, environment: Mapping[str, str]
) -> Target:
    # The names are those that terraform/ makes from this one.
    endpoint = environment.get("AWS_ENDPOINT_URL") or None
    clients = _create_clients(profile, region, endpoint, None)
    sqs = clients["sqs"]
    try:
        queue_url = str(sqs.get_queue_url(QueueName=f"{name}-events")["QueueUrl"])
    except sqs.exceptions.QueueDoesNotExist:
        raise ToolError(
            f"There is no queue {name}-events in {sqs.meta.region_name}.",
            "Set --name to name_prefix and environment as in the tfvars, such as rt-pipeline-prod, "
            "and --region to the pipeline's region.",
        ) from None
    except (BotoCoreError, ClientError) as error:
        explained = explain(error, endpoint)
        if explained is None:
            raise
        raise explained from None
    return Target(
        region=str(sqs.meta.region_name),
        queue_url=queue_url,
        dlq_url=f"{queue_url}-dlq",
        table_name=f"{name}-events",
        rejected_table_name=f"{name}-rejected",
        duplicates_table_name=f"{name}-duplicates",
        alerts_topic_arn="",
        ops_topic_arn="",
        function_name=f"{name}-processor",
        payload_bucket="",
        endpoint=endpoint,
        clients=clients,
    )


def _create_clients(
    profile: str | None, region: str | None, endpoint: str | None, credentials: tuple[str, str] | None
) -> dict[str, Any]:
    try:
        session = boto3.session.Session(
            botocore_session=create_session(endpoint, region, credentials, profile)
        )
    except ProfileNotFound:
        profiles = ", ".join(botocore.session.Session().available_profiles) or "none"
        named = profile or os.environ.get("AWS_PROFILE")
        raise UsageError(f"There is no AWS profile {named}.", f"Available profiles: {profiles}.") from None
    if session.region_name is None:
        raise UsageError("Which region?", "Add --region, for example --region eu-central-1.")
    config = _EMULATOR_CONFIG if endpoint else _CONFIG
    return {name: session.client(name, endpoint_url=endpoint, config=config) for name in SERVICES}
