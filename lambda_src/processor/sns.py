"""SNS's wire format: a form, answered in XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

from processor.aws import NO_ANSWER, Access, CallError, Service
from transport.responses import Response

_HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
_API_VERSION = "2010-03-31"


class SNS:
    """SNS, by the names and parameters of its API reference."""

    def __init__(self, access: Access, function_timeout: float) -> None:
        self._service = Service("sns", access, function_timeout)

    def publish_batch(self, topic_arn: str, entries: list[dict[str, Any]]) -> dict[str, str | None]:
        """Publish up to 10 messages. Gives, by Id, the code of each failure, None for what was taken.

        Entries have ``Id``, ``Message`` and ``MessageAttributes`` of type String. Raises CallError.
        """
        body = urlencode(
            [
                ("Action", "PublishBatch"),
                ("Version", _API_VERSION),
                ("TopicArn", topic_arn),
                *_parameters(entries),
            ]
        )
        return self._service.ask(_HEADERS, body.encode(), _read)

    def close(self) -> None:
        """Close the connection."""
        self._service.close()


def _parameters(entries: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for place, entry in enumerate(entries, 1):
        member = f"PublishBatchRequestEntries.member.{place}"
        yield f"{member}.Id", entry["Id"]
        yield f"{member}.Message", entry["Message"]
        for number, (name, value) in enumerate(entry["MessageAttributes"].items(), 1):
            attribute = f"{member}.MessageAttributes.entry.{number}"
            yield f"{attribute}.Name", name
            yield f"{attribute}.Value.DataType", value["DataType"]
            yield f"{attribute}.Value.StringValue", value["StringValue"]


def _read(response: Response) -> dict[str, str | None]:
    try:
        root = ElementTree.fromstring(response.body)  # noqa: S314 - SNS's own
    except ElementTree.ParseError:
        said = response.body[:100].decode("utf-8", "replace")
        raise CallError(NO_ANSWER, f"no answer of SNS's: HTTP {response.status} {said}") from None
    if response.status != 200:
        code, message = (root.findtext(f".//{{*}}Error/{{*}}{name}") or "?" for name in ("Code", "Message"))
        raise CallError(code, message, status=response.status)
    fates: dict[str, str | None] = {}
    for member in root.iterfind(".//{*}Successful/{*}member"):
        fates[member.findtext("{*}Id") or ""] = None
    for member in root.iterfind(".//{*}Failed/{*}member"):
        fates[member.findtext("{*}Id") or ""] = member.findtext("{*}Code") or "?"
    return fates
