from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.tools.fakes import FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tests.unit.tools.ops.factories import put_rejected
from tools.core.errors import ToolError
from tools.ops.inspect.get import document, show

# A JSON library would change its digits, escapes, key order, repeated key and white space.
BODY = ' {"b": 1.10, "a": 1e3, "n": 0.1000000000000000055511151231257827, "t": "\\u00e9é", "a": 2}\n'.encode()
ITEM: dict[str, dict[str, Any]] = {
    "event_id": {"S": "evt-1"},
    "amount": {"N": "1.1"},
    "large_order": {"BOOL": False},
    "ingest_latency_ms": {"N": "12345678901234567890.12"},
    "schema_version": {"S": "1.0.0"},
    "payload": {"B": BODY},
    "payload_encoding": {"S": "identity"},
}


def test_the_document_contains_the_event_byte_for_byte() -> None:
    assert BODY in document(BODY, ITEM)
    read = json.loads(document(BODY, ITEM), parse_float=Decimal)
    assert read["event"]["b"] == Decimal("1.10")


def test_the_enrichment_is_what_the_pipeline_added_with_exact_numbers() -> None:
    read = json.loads(document(BODY, ITEM), parse_float=Decimal)
    assert read["enrichment"] == {
        "ingest_latency_ms": Decimal("12345678901234567890.12"),
        "large_order": False,
        "payload_encoding": "identity",
        "schema_version": "1.0.0",
    }


def test_a_stored_event_is_written_to_standard_output(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    dynamodb = FakeDynamoDB()
    dynamodb.put("events", **ITEM)
    show(pipeline(dynamodb=dynamodb, s3=FakeS3()), "evt-1")
    assert BODY in capfdbinary.readouterr().out


def test_the_error_for_a_rejected_event_has_the_reason() -> None:
    dynamodb = FakeDynamoDB()
    put_rejected(dynamodb, "m-1", b"{}")
    dynamodb.tables["rejected"]["m-1"]["event_id"] = {"S": "evt-2"}
    with pytest.raises(ToolError, match=r"it was rejected .* \$\.a is missing") as error:
        show(pipeline(dynamodb=dynamodb), "evt-2")
    assert "make rejected ID=m-1" in error.value.hint


def test_the_error_for_an_unknown_event_counts_the_queued_messages() -> None:
    sqs = FakeSQS()
    sqs.put(next(iter(sqs.queues)), "a")
    with pytest.raises(ToolError, match=r"no event evt-3, .* 1 messages wait in the queue"):
        show(pipeline(dynamodb=FakeDynamoDB(), sqs=sqs), "evt-3")


def test_the_error_for_a_missing_payload_names_its_object() -> None:
    dynamodb = FakeDynamoDB()
    dynamodb.put(
        "events", event_id={"S": "evt-1"}, payload_key={"S": "payloads/x"}, payload_encoding={"S": "identity"}
    )
    with pytest.raises(ToolError, match="s3://payloads/payloads/x does not exist"):
        show(pipeline(dynamodb=dynamodb, s3=FakeS3()), "evt-1")
