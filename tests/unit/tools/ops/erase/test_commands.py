"""`make erase` checks its arguments before it touches AWS, and reads the records of earlier erasures."""

from __future__ import annotations

import json

import pytest

from tests.unit.tools.fakes import FakeS3, pipeline
from tools.core.errors import ToolError, UsageError
from tools.ops import erasures
from tools.ops.__main__ import parser


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "CUSTOMER is missing"),
        ({"CUSTOMER": ""}, "CUSTOMER is missing"),
        ({"CUSTOMER": "c" * 129}, "more than 128 characters"),
        ({"CUSTOMER": "customer-\udcff"}, "not valid UTF-8"),
        ({"CUSTOMER": "c-1"}, "fewer than 8 characters"),
        ({"CUSTOMER": "c-1", "CONFIRM": "c-10"}, "fewer than 8 characters"),
        ({"CUSTOMER": "c-1", "DRY_RUN": "1"}, "fewer than 8 characters"),
        ({"CUSTOMER": "c-1", "DRY_RUN": "1", "AUTO_APPROVE": "1"}, "fewer than 8 characters"),
    ],
)
def test_a_wrong_customer_is_refused_before_anything_is_read(
    environment: dict[str, str], message: str
) -> None:
    options = parser(environment).parse_args(["erase"])
    # This pipeline has no clients of the services, and no credentials to make one.
    with pytest.raises(UsageError, match=message):
        options.run(pipeline(), options)


def test_the_command_that_confirms_a_short_id_removes_nothing_that_was_only_to_be_counted() -> None:
    options = parser({"CUSTOMER": "c-1", "DRY_RUN": "1"}).parse_args(["erase"])
    with pytest.raises(UsageError) as refused:
        options.run(pipeline(), options)
    assert refused.value.hint is not None
    assert "make erase CUSTOMER=c-1 CONFIRM=c-1 DRY_RUN=1" in refused.value.hint


def test_the_message_ids_of_all_records_are_known() -> None:
    s3 = FakeS3()
    s3.objects["erasures/a.json"] = json.dumps({"message_ids": ["m-1", "m-2"]}).encode()
    s3.objects["erasures/b.json"] = json.dumps({"message_ids": ["m-3"]}).encode()
    assert erasures.message_ids(pipeline(s3=s3)) == {"m-1", "m-2", "m-3"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"message_ids": 1}'])
def test_a_damaged_record_is_an_error_that_names_it(content: bytes) -> None:
    s3 = FakeS3()
    s3.objects["erasures/a.json"] = content
    with pytest.raises(ToolError, match=r"erasures/a\.json is no record"):
        erasures.message_ids(pipeline(s3=s3))
