"""Sets by API calls what provider 3.39.0 could not, as Terraform evaluated it.

Every setter first reads what is there and calls only when something differs, so that a second run changes
nothing.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

# How long a mapping may take to change over. MiniStack's does at once, LocalStack's in about a second.
MAPPING_SECONDS = 60

Client = Callable[[str], Any]
Values = Mapping[str, Any]


def set_left_out(client: Client, resources: Iterable[Mapping[str, Any]]) -> None:
    """Set what the generated output says of each resource; ``client`` makes a boto3 client for a service.

    Mappings come last: none is to run before its function is complete. Raises botocore's errors, and
    TimeoutError for a mapping that does not start.
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
    "aws_lambda_event_source_mapping": _set_mapping,
}
