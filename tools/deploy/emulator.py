"""Copy a permission that AWS and MiniStack name differently, on an emulator only."""

from typing import Any

from tools.deploy import versions
from tools.deploy.account import Account
from tools.local import ministack_iam


def mirror(account: Account, outputs: dict[str, Any]) -> None:
    """Copy the permission after a deploy to an emulator, as `make up` does."""
    for role in _roles(account, outputs):
        ministack_iam.mirror_role(account.client("iam"), role)


def unmirror(account: Account, outputs: dict[str, Any]) -> None:
    """Remove the copied permission before a destroy on an emulator."""
    for role in _roles(account, outputs):
        ministack_iam.remove_mirrored(account.client("iam"), role)


def _roles(account: Account, outputs: dict[str, Any]) -> set[str]:
    """Return the functions' roles on an emulator, and none on AWS."""
    functions, names = account.client("lambda"), versions.functions_of(outputs) if account.endpoint else []
    configurations = (functions.get_function_configuration(FunctionName=name) for name in names)
    return {configuration["Role"].rpartition("/")[2] for configuration in configurations}
