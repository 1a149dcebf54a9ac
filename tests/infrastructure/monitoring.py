"""Evaluate the alarms, the dashboard, the tables and the policies with Terraform, without a provider.

Alarms are made of expressions, `dynamic` blocks and locals, and the dashboard of a template: their text says
little. So Terraform evaluates them, as values and not as resources. What they take from resources stands in
the result as its address: a queue's name is ``aws_sqs_queue.events.name``.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.infrastructure.configuration import TERRAFORM, resources, run_terraform, text
from tools.local import hcl
from tools.local.terraform import paths, variable_arguments

METRICS = Path(__file__).parent / "data" / "aws-metrics.json"
EVALUATED = (
    "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_composite_alarm",
    "aws_cloudwatch_dashboard",
    "aws_dynamodb_table",
)

Known = dict[str, dict[str, list[list[str]]]]
"""Metrics: namespace, name, the sets of dimensions that it comes with."""

# Of what a dimension's value is the name.
NAMED_BY = {
    "QueueName": ("aws_sqs_queue", "name"),
    "FunctionName": ("aws_lambda_function", "function_name"),
    "TableName": ("aws_dynamodb_table", "name"),
    "TopicName": ("aws_sns_topic", "name"),
}

# The one instance of a resource that a variable switches.
_ONLY = re.compile(r"\b(aws_\w+\.\w+)\[0\]")
# `aws_sqs_queue.events.name`, and a resource as a whole.
_ATTRIBUTE = re.compile(r"\b(?:data\.)?aws_\w+\.\w+\.\w+")
_RESOURCE = re.compile(r"(?<![\".\w])aws_\w+\.\w+")


@dataclass(frozen=True)
class Metric:
    """A metric that an alarm or a panel names."""

    namespace: str
    name: str
    dimensions: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.namespace} {self.name} by {', '.join(self.dimensions)}"


class Monitoring:
    """The resources of the types in `EVALUATED`, with evaluated arguments."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        """Evaluate in an empty directory; ``arguments`` are Terraform's, such as ``-var=...``."""
        shutil.copy(TERRAFORM / "variables.tf", directory)
        (directory / "evaluated.tf").write_text(_config())
        answer = run_terraform(
            "console",
            "-var=environment=test",
            *variable_arguments(paths()),
            *arguments,
            directory=directory,
            stdin="jsonencode(local.evaluated)\n",
        )
        assert answer.returncode == 0, answer.stderr
        evaluated = json.loads(json.loads(answer.stdout))
        self.plain_http: dict[str, dict[str, list[str]]] = evaluated.pop("plain_http")
        self._resources: dict[str, dict[str, dict[str, Any]]] = {
            type_: {name: _set(arguments) for name, arguments in made.items()}
            for type_, made in evaluated.items()
        }

    def alarm(self, name: str) -> dict[str, Any]:
        """Return the evaluated arguments of a metric alarm, with nested blocks as lists."""
        alarm: dict[str, Any] = self._resources["aws_cloudwatch_metric_alarm"][name]
        return alarm

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Return all metric alarms by name."""
        return self._resources["aws_cloudwatch_metric_alarm"]

    def composite(self) -> dict[str, Any]:
        """Return the composite alarm."""
        (alarm,) = self._resources["aws_cloudwatch_composite_alarm"].values()
        return dict(alarm)

    def indexes(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return the indexes of each table by name; tables by the address of their name."""
        return {
            f"aws_dynamodb_table.{name}.name": {
                index["name"]: index for index in table.get("global_secondary_index", ())
            }
            for name, table in self._resources["aws_dynamodb_table"].items()
        }

    def widgets(self) -> list[dict[str, Any]]:
        """Return the dashboard's widgets from left to right and top to bottom."""
        (dashboard,) = self._resources["aws_cloudwatch_dashboard"].values()
        widgets: list[dict[str, Any]] = json.loads(dashboard["dashboard_body"])["widgets"]
        return sorted(widgets, key=lambda widget: (widget["y"], widget["x"]))


def metrics_of_alarm(alarm: Mapping[str, Any]) -> list[Metric]:
    """Return the metrics that an alarm watches, directly or in its queries."""
    queries = [query["metric"][0] for query in alarm.get("metric_query", ()) if "metric" in query]
    if "metric_name" in alarm:
        queries.append(alarm)
    return [Metric(query["namespace"], query["metric_name"], query["dimensions"]) for query in queries]


def metrics_of_widget(widget: Mapping[str, Any]) -> Iterator[Metric]:
    """Return the metrics that a panel shows (CloudWatch API reference, "Metrics array format")."""
    for row in widget["properties"].get("metrics", ()):
        namespace_to_dimensions = [part for part in row if isinstance(part, str)]
        if namespace_to_dimensions:
            namespace, name, *pairs = namespace_to_dimensions
            yield Metric(namespace, name, dict(zip(pairs[::2], pairs[1::2], strict=True)))


def documented() -> Known:
    """Return the metrics that AWS documents."""
    pages = json.loads(METRICS.read_text())
    return {namespace: page["metrics"] for namespace, page in pages.items()}


def emitted(line: str) -> Known:
    """Return the metrics in log lines in embedded metric format."""
    found: Known = {}
    for directive in json.loads(line)["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            found.setdefault(directive["Namespace"], {})[metric["Name"]] = directive["Dimensions"]
    return found


def assert_exists(metric: Metric, known: Known, monitoring: Monitoring) -> None:
    """Fail unless the metric is known with these dimensions, and they name a part of the pipeline."""
    assert sorted(metric.dimensions) in known[metric.namespace][metric.name], str(metric)
    for dimension, value in metric.dimensions.items():
        if dimension == "GlobalSecondaryIndexName":
            assert value in monitoring.indexes()[metric.dimensions["TableName"]]
        elif dimension != "Operation":
            type_, name, attribute = value.split(".")
            assert (type_, attribute) == NAMED_BY[dimension]
            assert name in resources(type_)


def _config() -> str:
    """Return locals that evaluate to the resources, with the locals that they refer to."""
    parts: dict[str, list[str]] = {type_: ["{}"] for type_ in EVALUATED}
    others: list[str] = []
    for content in text().values():
        for block in hcl.parse(content):
            if block.kind == "locals":
                others.append(content[slice(*block.range)])
            elif block.kind == "resource" and block.labels[0] in EVALUATED:
                type_, name = block.labels
                parts[type_].append(_instances(name, block))
    evaluated = "\n".join(f"{type_} = merge({', '.join(objects)})" for type_, objects in parts.items())
    evaluated += "\nplain_http = local.plain_http"
    return _without_resources("\n".join([*others, f"locals {{\nevaluated = {{\n{evaluated}\n}}\n}}\n"]))


def _instances(name: str, block: hcl.Block) -> str:
    """Return an object of the resource by its name, or of its instances by their keys."""
    for_each, made = block.attribute("for_each"), hcl.to_object(block.filtered(lambda it: it != "for_each"))
    if for_each is None:
        return f"{{ {name} = {made} }}"
    return f"{{ for each in {hcl.pairs(for_each.value)} : each.key => {made} }}"


def _set(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that are set: not null, and no empty list of blocks."""
    return {name: value for name, value in arguments.items() if value is not None and value != []}


def _without_resources(config: str) -> str:
    """Replace values that only a provider knows by addresses."""

    def as_a_whole(found: re.Match[str]) -> str:
        type_, name = found[0].split(".")
        body = resources(type_)[name].body
        if "for_each" in body:
            collection = body["for_each"].removeprefix("${").removesuffix("}")
            return f"{{ for name, value in {collection} : name => {_addresses(f'{type_}.${{name}}')} }}"
        return f"[{_addresses(found[0])}]" if "count" in body else _addresses(found[0])

    config = _ONLY.sub(lambda found: found[1], config)
    config = _ATTRIBUTE.sub(lambda found: f'"{found[0]}"', config)
    return _RESOURCE.sub(as_a_whole, config)


def _addresses(address: str) -> str:
    attributes = ("id", "arn", "name", "function_name")
    return "{ " + ", ".join(f'{attribute} = "{address}.{attribute}"' for attribute in attributes) + " }"
