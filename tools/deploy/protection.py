"""Find what protects an environment from removal."""

from typing import Any

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.core.errors import ToolError
from tools.deploy.account import Account
from tools.deploy.environment import Environment


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
