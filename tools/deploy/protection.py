"""Check what protects an environment from removal, and what would throttle its functions."""

from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import ToolError
from tools.deploy.account import Account
from tools.deploy.environment import Environment

# Lambda runs one archiver for each shard of the two streams; a new on-demand table's stream has four.
_SHARDS = 8
# What a poller of provisioned mode invokes at once, and Lambda without a limit (Lambda developer guide, SQS).
_PER_POLLER, _UNLIMITED = 10, 1250


def protected(environment: Environment, reason: str) -> ToolError:
    """Return the error for a protected environment, with the steps that lift the protection."""
    line = environment.line_to_add("deletion_protection = false")
    return ToolError(
        f"{environment.name} is protected: {reason}.",
        f"{line}; then make deploy-aws ENV={environment.name}, then run this command again.",
    )


def protected_tables(account: Account, outputs: dict[str, Any]) -> list[str]:
    """Return the tables among Terraform's outputs that have deletion protection."""
    dynamodb = account.client("dynamodb")
    tables = []
    for table in (str(value) for name, value in outputs.items() if name.endswith("table_name")):
        try:
            described = dynamodb.describe_table(TableName=table)["Table"]
        except ClientError as error:
            # An interrupted destroy has already removed it.
            if code_of(error) != "ResourceNotFoundException":
                raise
            continue
        if described.get("DeletionProtectionEnabled"):
            tables.append(table)
    return tables


def concurrency_warning(environment: Environment, account: Account) -> str | None:
    """Return a warning if the functions would throttle each other, or None."""
    limits = account.client("lambda").get_account_settings()["AccountLimit"]
    for_events, name, less = environment.maximum_concurrency or _UNLIMITED, "maximum_concurrency", "2"
    if pollers := environment.provisioned_pollers:
        for_events, name, less = pollers["max"] * _PER_POLLER, "provisioned_pollers", "{ min = 2, max = 2 }"
    free, needed = limits["UnreservedConcurrentExecutions"], for_events + _SHARDS
    if free >= needed:
        return None
    return (
        f"The account runs {free} Lambda functions at once, and this environment may need {needed}: "
        f"{for_events} for events ({name}) and {_SHARDS} for the archive. "
        "Above the limit they throttle each other. New accounts have a limit of 10. "
        "To raise it: Service Quotas, Lambda, Concurrent executions. "
        f"Or {environment.line_to_add(f'{name} = {less}')}."
    )
