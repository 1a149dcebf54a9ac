"""What protects an environment from being removed."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import OpsError
from tools.deploy.account import Account
from tools.deploy.environment import Environment


def protected(environment: Environment, what: str) -> OpsError:
    """The refusal of what is protected, with how to lift that."""
    line = environment.line_to_add("deletion_protection = false")
    return OpsError(
        f"{environment.name} is protected: {what}.",
        f"{line}; then make deploy-aws ENV={environment.name}, then this again.",
    )


def protected_tables(account: Account, outputs: dict[str, Any]) -> list[str]:
    """The tables among Terraform's outputs that refuse to be deleted."""
    dynamodb = account.client("dynamodb")
    found = []
    for table in (str(value) for name, value in outputs.items() if name.endswith("table_name")):
        try:
            described = dynamodb.describe_table(TableName=table)["Table"]
        except ClientError as error:
            # What a destroy that was stopped has removed already.
            if code_of(error) != "ResourceNotFoundException":
                raise
            continue
        if described.get("DeletionProtectionEnabled"):
            found.append(table)
    return found
