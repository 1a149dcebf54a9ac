"""Copy a permission that AWS and MiniStack name differently, on an emulator only."""

from typing import Any

from tools.deploy import versions
from tools.deploy.account import Account
from tools.local import ministack_iam


def mirror(account: Account, outputs: dict[str, Any]) -> None:
    """Copy the permission after a deploy to an emulator, as `make up` does."""
    if account.endpoint:
        for role in _roles(account, outputs):
            ministack_iam.mirror_role(account.client("iam"), role)


def unmirror(account: Account, outputs: dict[str, Any]) -> None:
    """Remove the copied permission before a destroy on an emulator."""
    if account.endpoint:
        for role in _roles(account, outputs):
            ministack_iam.remove_mirrored(account.client("iam"), role)


def _roles(account: Account, outputs: dict[str, Any]) -> set[str]:
    functions = account.client("lambda")
    return {
        functions.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
        for name in versions.functions_of(outputs)
    }
