"""SNS over `aws_http`: form-encoded requests, answers in XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_plus
from xml.etree import ElementTree

from aws_http.config import AwsConfig
from aws_http.errors import NO_ANSWER, AwsError
from aws_http.responses import Response
from aws_http.service import AwsService
from common.deadline import CallLimits
from common.telemetry import log_failed_call

_HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
_API_VERSION = "2010-03-31"


class SNS:
    """SNS operations with the parameters of its API reference."""

    def __init__(self, config: AwsConfig, limits: CallLimits) -> None:
        self._service = AwsService("sns", config, **limits._asdict(), on_failure=log_failed_call)

    def publish_batch(self, topic_arn: str, entries: list[dict[str, Any]]) -> dict[str, str | None]:
        """Publish up to 10 messages. Returns, by Id, the error code of an entry, or None if SNS accepted it.

        Entries have ``Id``, ``Message``, ``MessageAttributes`` with a StringValue, and ``MessageStructure``
        if the message has a text for each protocol. Raises AwsError.
        """
        fixed = (("Action", "PublishBatch"), ("Version", _API_VERSION), ("TopicArn", topic_arn))
        # urlencode would look for what to quote in the names too, which takes as long as in the values.
        body = "&".join([f"{name}={quote_plus(value)}" for name, value in (*fixed, *_parameters(entries))])
        return self._service.request(_HEADERS, body.encode(), _read)

    def close(self) -> None:
        """Close the connection."""
        self._service.close()


def _parameters(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for place, entry in enumerate(entries, 1):
        member = f"PublishBatchRequestEntries.member.{place}"
        yield f"{member}.Id", entry["Id"]
        yield f"{member}.Message", entry["Message"]
        if "MessageStructure" in entry:
            yield f"{member}.MessageStructure", entry["MessageStructure"]
        for number, (name, value) in enumerate(entry["MessageAttributes"].items(), 1):
            attribute = f"{member}.MessageAttributes.entry.{number}"
            yield f"{attribute}.Name", name
            yield f"{attribute}.Value.DataType", value["DataType"]
            yield f"{attribute}.Value.StringValue", value["StringValue"]


def _read(response: Response) -> dict[str, str | None]:
    try:
        root = ElementTree.fromstring(response.body)  # noqa: S314 - the answer comes from SNS
    except ElementTree.ParseError:
        said = response.body[:100].decode("utf-8", "replace")
        raise AwsError(NO_ANSWER, f"not an answer of SNS: HTTP {response.status} {said}") from None
    if response.status != 200:
        code, message = (root.findtext(f".//{{*}}Error/{{*}}{name}") or "?" for name in ("Code", "Message"))
        raise AwsError(code, message, status=response.status)
    codes: dict[str, str | None] = {}
    # A path such as ".//{*}Failed/{*}member" takes five times as long.
    for listed in root.iter():
        if (outcome := _name(listed)) in ("Successful", "Failed"):
            for member in listed:
                fields = {_name(field): field.text for field in member}
                codes[fields.get("Id") or ""] = (fields.get("Code") or "?") if outcome == "Failed" else None
    return codes


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
