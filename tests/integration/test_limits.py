"""DynamoDB's limit of 400 KB for an item, through the emulator, which holds to it."""

from __future__ import annotations

import json
import uuid

import pytest

from storage.sizes import ITEM_LIMIT
from tests.boundary import body_of_item_size
from tests.integration.conftest import Pipeline


@pytest.mark.parametrize(("beyond", "inline"), [(-1, True), (0, True), (1, False)])
def test_an_item_of_400_kb_keeps_its_payload_and_one_byte_more_sends_it_to_s3(
    pipeline: Pipeline, beyond: int, inline: bool
) -> None:
    body = body_of_item_size(ITEM_LIMIT + beyond, str(uuid.uuid4()))
    pipeline.send(body)
    event_id = json.loads(body)["event_id"]
    item = pipeline.awaited("table_name", event_id)
    assert ("payload" in item) is inline
    assert pipeline.body_of(item) == body
