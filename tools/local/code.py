"""Publish a function's code as a version, and point the alias at it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

# The configuration that a version fixes. A change of any of it needs a new version.
MAKES_A_VERSION = (
    *("CodeSha256", "Description", "Environment", "Handler", "LoggingConfig", "MemorySize"),
    *("Role", "Runtime", "Timeout"),
)


def replace(functions: Any, function: str, alias: str, zipped: Path) -> str:
    """Give the function this zip, as Terraform would, and return the version that the alias then names."""
    functions.update_function_code(FunctionName=function, ZipFile=zipped.read_bytes())
    wait_until_updated(functions, function)
    return publish(functions, function, alias)


def wait_until_updated(functions: Any, function: str) -> None:
    """Wait until an update is complete. An emulator needs less than the waiter's own pause of a second."""
    pauses = {"Delay": 0.1, "MaxAttempts": 600}
    functions.get_waiter("function_updated_v2").wait(FunctionName=function, WaiterConfig=pauses)


def publish(functions: Any, function: str, alias: str) -> str:
    """Publish the function unless its newest version is equal, point the alias at that version, return it."""
    latest = functions.get_function_configuration(FunctionName=function)
    published = _newest_version(functions, function)
    if published is None or _versioned_settings(published) != _versioned_settings(latest):
        published = functions.publish_version(FunctionName=function)
    version: str = published["Version"]
    if functions.get_alias(FunctionName=function, Name=alias).get("FunctionVersion") != version:
        functions.update_alias(FunctionName=function, Name=alias, FunctionVersion=version)
    return version


def _newest_version(functions: Any, function: str) -> Any:
    """Return the configuration of the newest published version, or None."""
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    versions = [version for page in pages for version in page["Versions"] if version["Version"] != "$LATEST"]
    return max(versions, key=lambda version: int(version["Version"]), default=None)


def _versioned_settings(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {name: configuration.get(name) for name in MAKES_A_VERSION}
