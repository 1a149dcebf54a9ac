"""Set by API calls the values that Terraform evaluated and provider 3.39.0 could not set.

Each setter reads the current state and calls only if something differs, so that a second run changes nothing.
"""

import functools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from tools.local import code

# Time for a mapping to change. MiniStack changes it at once, LocalStack in about a second.
MAPPING_SECONDS = 60

Client = Callable[[str], Any]
Values = Mapping[str, Any]


class DryRunClients:
    """Create clients that only read. Calls that would change something are recorded in ``calls`` instead."""

    def __init__(self, client: Client) -> None:
        self.calls: list[str] = []
        self._client = functools.cache(client)

    def __call__(self, service: str) -> Any:
        """Return a client for ``service``."""
        return _DryRunClient(service, self._client(service), self.calls)


class _DryRunClient:
    def __init__(self, service: str, client: Any, calls: list[str]) -> None:
        self._service, self._client, self._calls = service, client, calls

    def __getattr__(self, operation: str) -> Any:
        if operation.startswith(("get_", "describe_")):
            return getattr(self._client, operation)

        def record(**arguments: Any) -> dict[str, Any]:
            text = ", ".join(f"{name} {value}" for name, value in arguments.items())
            self._calls.append(f"{self._service} {operation}: {text}")
            # The number of a new version is unknown before it is published.
            return {"Version": "(new)"}

        return record

    def get_waiter(self, _name: str) -> Any:
        """Return a waiter that does not wait, because nothing was changed."""
        return SimpleNamespace(wait=lambda **_: None)


def set_missing_values(client: Client, resources: Iterable[Mapping[str, Any]]) -> None:
    """Set the missing values of each resource; ``client`` creates a boto3 client for a service.

    Mappings are last, so that none runs before its function is complete and published. Raises botocore's
    errors, and TimeoutError for a mapping that does not start.
    """
    resources = list(resources)
    for kind, setter in SETTERS.items():
        for resource in resources:
            if resource["type"] == kind:
                setter(client, resource["id"], resource["values"])


def as_api(values: Values) -> dict[str, Any]:
    """Return Terraform's arguments with the API's names, a nested block as an object.

    Nulls and blocks that there are none of are left out.
    """
    return {_camel(name): _plain(value) for name, value in values.items() if value not in (None, [])}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _plain(value: Any) -> Any:
    is_block = isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)
    return as_api(value[0]) if is_block else value


def _set_bucket_versioning(client: Client, _: None, values: Values) -> None:
    s3 = client("s3")
    desired = as_api(values)
    if _differs(s3.get_bucket_versioning(Bucket=desired["Bucket"]), desired["VersioningConfiguration"]):
        s3.put_bucket_versioning(**desired)


def _set_queue(client: Client, url: str, values: Values) -> None:
    sqs = client("sqs")
    desired = {
        name.replace("MaxMessage", "MaximumMessage"): value if isinstance(value, str) else json.dumps(value)
        for name, value in as_api(values).items()
    }
    if _differs(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"], desired):
        sqs.set_queue_attributes(QueueUrl=url, Attributes=desired)


def _set_redrive_allow_policy(client: Client, _: None, values: Values) -> None:
    _set_queue(client, values["queue_url"], {"redrive_allow_policy": values["redrive_allow_policy"]})


def _set_table(client: Client, name: str, values: Values) -> None:
    dynamodb = client("dynamodb")
    desired = as_api(values)
    if _differs(dynamodb.describe_table(TableName=name)["Table"], desired):
        dynamodb.update_table(TableName=name, **desired)
        dynamodb.get_waiter("table_exists").wait(TableName=name)


def _set_function(client: Client, name: str, values: Values) -> None:
    functions = client("lambda")
    desired = as_api(values)
    if _differs(functions.get_function_configuration(FunctionName=name), desired):
        functions.update_function_configuration(FunctionName=name, **desired)
        code.wait_until_updated(functions, name)


def _set_alias(client: Client, arn: str, _: Values) -> None:
    function, alias = arn.split(":")[-2:]
    code.publish(client("lambda"), function, alias)


def _set_mapping(client: Client, uuid: str, values: Values) -> None:
    mappings = client("lambda")
    desired = {"Enabled": True, **as_api(values)}
    if "FilterCriteria" in desired:
        filters = [as_api(each) for criteria in values["filter_criteria"] for each in criteria["filter"]]
        desired["FilterCriteria"] = {"Filters": filters}
    current = _stable_mapping(mappings, uuid)
    if _differs({**current, "Enabled": current["State"] == "Enabled"}, desired):
        mappings.update_event_source_mapping(UUID=uuid, **desired)
        _stable_mapping(mappings, uuid)


def _stable_mapping(mappings: Any, uuid: str) -> Any:
    """Wait until the mapping is neither being created nor changed, because it refuses changes until then."""
    deadline = time.monotonic() + MAPPING_SECONDS
    while (current := mappings.get_event_source_mapping(UUID=uuid))["State"] not in ("Enabled", "Disabled"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"event source mapping {uuid} is still {current['State']}")
        time.sleep(0.2)
    return current


def _differs(current: Mapping[str, Any], desired: Mapping[str, Any]) -> bool:
    return any(not _same(current.get(name), value) for name, value in desired.items())


def _same(current: Any, desired: Any) -> bool:
    if isinstance(desired, dict):
        return isinstance(current, dict) and not _differs(current, desired)
    if isinstance(desired, str) and desired.startswith("{"):  # a policy: AWS may reorder it
        return isinstance(current, str) and bool(json.loads(current) == json.loads(desired))
    return bool(current == desired)


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
