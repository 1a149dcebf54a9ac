"""Sets by API calls what provider 3.39.0 could not, as Terraform evaluated it.

Every setter first reads what is there and calls only when something differs, so that a second run changes
nothing.
"""

import functools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

# How long a mapping may take to change over. MiniStack's does at once, LocalStack's in about a second.
MAPPING_SECONDS = 60

# What a version keeps of a function: a change of any of it is worth a new one.
MAKES_A_VERSION = (
    *("CodeSha256", "Description", "Environment", "Handler", "LoggingConfig", "MemorySize"),
    *("Role", "Runtime", "Timeout"),
)

Client = Callable[[str], Any]
Values = Mapping[str, Any]


class DryRunClients:
    """Makes clients that only look: what would change something is noted in ``calls`` and not done."""

    def __init__(self, client: Client) -> None:
        self.calls: list[str] = []
        self._client = functools.cache(client)

    def __call__(self, service: str) -> Any:
        """A client for ``service``."""
        return _Looking(service, self._client(service), self.calls)


class _Looking:
    def __init__(self, service: str, client: Any, calls: list[str]) -> None:
        self._service, self._client, self._calls = service, client, calls

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith(("get_", "describe_")):
            return getattr(self._client, operation)

        def note(**arguments: Any) -> dict[str, Any]:
            said = ", ".join(f"{name} {value}" for name, value in arguments.items())
            self._calls.append(f"{self._service} {operation}: {said}")
            # What a new version would be numbered, nobody knows before it is published.
            return {"Version": "(new)"}

        return note

    def get_waiter(self, _name: str) -> Any:
        """Nothing was begun, so nothing is waited for."""
        return SimpleNamespace(wait=lambda **_: None)


def set_missing_values(client: Client, resources: Iterable[Mapping[str, Any]]) -> None:
    """Set what the generated output says of each resource; ``client`` makes a boto3 client for a service.

    Mappings come last: none is to run before its function is complete, and published as such. Raises
    botocore's errors, and TimeoutError for a mapping that does not start.
    """
    resources = list(resources)
    for kind, setter in SETTERS.items():
        for resource in resources:
            if resource["type"] == kind:
                setter(client, resource["id"], resource["values"])


def as_api(values: Values) -> dict[str, Any]:
    """Terraform's arguments under the names of AWS's API; a nested block as an object; nulls left out."""
    return {_camel(name): _plain(value) for name, value in values.items() if value is not None}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _plain(value: Any) -> Any:
    is_block = isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)
    return as_api(value[0]) if is_block else value


def _set_bucket_versioning(client: Client, _: None, values: Values) -> None:
    s3 = client("s3")
    wanted = as_api(values)
    if _differs(s3.get_bucket_versioning(Bucket=wanted["Bucket"]), wanted["VersioningConfiguration"]):
        s3.put_bucket_versioning(**wanted)


def _set_queue(client: Client, url: str, values: Values) -> None:
    sqs = client("sqs")
    wanted = {name: _as_attribute(value) for name, value in as_api(values).items()}
    if "MaxMessageSize" in wanted:
        wanted["MaximumMessageSize"] = wanted.pop("MaxMessageSize")
    if _differs(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"], wanted):
        sqs.set_queue_attributes(QueueUrl=url, Attributes=wanted)


def _set_redrive_allow_policy(client: Client, _: None, values: Values) -> None:
    _set_queue(client, values["queue_url"], {"redrive_allow_policy": values["redrive_allow_policy"]})


def _as_attribute(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _set_table(client: Client, name: str, values: Values) -> None:
    dynamodb = client("dynamodb")
    wanted = as_api(values)
    if _differs(dynamodb.describe_table(TableName=name)["Table"], wanted):
        dynamodb.update_table(TableName=name, **wanted)
        dynamodb.get_waiter("table_exists").wait(TableName=name)


def _set_function(client: Client, name: str, values: Values) -> None:
    functions = client("lambda")
    wanted = as_api(values)
    if _differs(functions.get_function_configuration(FunctionName=name), wanted):
        functions.update_function_configuration(FunctionName=name, **wanted)
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def _set_alias(client: Client, arn: str, _: Values) -> None:
    """Publish the function as it is now, unless it is published already, and point the alias at that."""
    functions = client("lambda")
    function, alias = arn.split(":")[-2:]
    latest = functions.get_function_configuration(FunctionName=function)
    published = _newest_version(functions, function)
    if published is None or _as_it_runs(published) != _as_it_runs(latest):
        published = functions.publish_version(FunctionName=function)
    wanted = {"FunctionVersion": published["Version"]}
    if _differs(functions.get_alias(FunctionName=function, Name=alias), wanted):
        functions.update_alias(FunctionName=function, Name=alias, **wanted)


def _newest_version(functions: Any, function: str) -> Any:
    """The configuration of the newest published version, or None if there is none."""
    pages = functions.get_paginator("list_versions_by_function").paginate(FunctionName=function)
    versions = [version for page in pages for version in page["Versions"] if version["Version"] != "$LATEST"]
    return max(versions, key=lambda version: int(version["Version"]), default=None)


def _as_it_runs(configuration: Mapping[str, Any]) -> dict[str, Any]:
    return {name: configuration.get(name) for name in MAKES_A_VERSION}


def _set_mapping(client: Client, uuid: str, values: Values) -> None:
    mappings = client("lambda")
    wanted = {"Enabled": True, **as_api(values)}
    if "FilterCriteria" in wanted:
        filters = [as_api(each) for criteria in values["filter_criteria"] for each in criteria["filter"]]
        wanted["FilterCriteria"] = {"Filters": filters}
    current = _settled_mapping(mappings, uuid)
    if _differs({**current, "Enabled": current["State"] == "Enabled"}, wanted):
        mappings.update_event_source_mapping(UUID=uuid, **wanted)
        _settled_mapping(mappings, uuid)


def _settled_mapping(mappings: Any, uuid: str) -> Any:
    """The mapping once it is neither being created nor changed: until then it takes no further change."""
    deadline = time.monotonic() + MAPPING_SECONDS
    while (current := mappings.get_event_source_mapping(UUID=uuid))["State"] not in ("Enabled", "Disabled"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"event source mapping {uuid} is still {current['State']}")
        time.sleep(0.2)
    return current


def _differs(current: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return any(not _same(current.get(name), value) for name, value in wanted.items())


def _same(current: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(current, dict) and not _differs(current, wanted)
    if isinstance(wanted, str) and wanted.startswith("{"):  # a policy: AWS may order it its own way
        return isinstance(current, str) and bool(json.loads(current) == json.loads(wanted))
    return bool(current == wanted)


# In this order.
SETTERS: dict[str, Callable[[Client, Any, Values], None]] = {
    "aws_s3_bucket_versioning": _set_bucket_versioning,
    "aws_sqs_queue": _set_queue,
    "aws_sqs_queue_redrive_allow_policy": _set_redrive_allow_policy,
    "aws_dynamodb_table": _set_table,
    "aws_lambda_function": _set_function,
    "aws_lambda_alias": _set_alias,
    "aws_lambda_event_source_mapping": _set_mapping,
}
