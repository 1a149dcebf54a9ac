from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from io import BytesIO
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request

import pytest

import contract
from tests.unit.tools.fakes import DLQ, FakeSQS, pipeline, signed
from tools.core import queues
from tools.core.queues import Depth


class Counters:
    """A queue with these totals, one for each reading. The clock advances half a second each time."""

    def __init__(self, *totals: int) -> None:
        self._totals: Iterator[int] = iter(totals)
        self._last = 0
        self.now = 0.0

    def get_queue_attributes(self, **_: Any) -> Any:
        self._last = next(self._totals, self._last)
        names = ("", "NotVisible", "Delayed")
        values = (0, self._last, 0)
        return {
            "Attributes": {
                f"ApproximateNumberOfMessages{name}": str(value)
                for name, value in zip(names, values, strict=True)
            }
        }

    def drained(
        self,
        *,
        quiet_seconds: float,
        deadline: float,
        idle_timeout: float = 1000,
        readings: list[Depth] | None = None,
    ) -> bool:
        def tick(_: float) -> None:
            self.now += 0.5

        return queues.wait_until_drained(
            self,
            "url",
            quiet_seconds=quiet_seconds,
            deadline=deadline,
            idle_timeout=idle_timeout,
            progress=(readings if readings is not None else []).append,
            clock=lambda: self.now,
            sleep=tick,
        )


LOCALSTACK = """<?xml version='1.0' encoding='utf-8'?>
<ReceiveMessageResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><ReceiveMessageResult>
<Message><MessageId>m-1</MessageId><Body>  {&quot;a&quot;:&#xD;1}\n</Body></Message>
<Message><MessageId>m-2</MessageId><Body>again</Body><MessageAttribute><Name>origin_message_id</Name><Value>
<StringValue>m-0</StringValue><DataType>String</DataType></Value></MessageAttribute><MessageAttribute>
<Name>origin_signature</Name><Value><StringValue>{signature}</StringValue></Value></MessageAttribute></Message>
</ReceiveMessageResult></ReceiveMessageResponse>"""


def test_a_queue_on_localstack_is_looked_into_without_receiving(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: str | Request, timeout: float) -> Any:
        url = request if isinstance(request, str) else request.full_url
        asked.append(url)
        if "/_ministack/" in url:
            with HTTPError(url, 404, "Not Found", Message(), None) as error:
                raise error
        signature = signed("m-0", "again")["origin_signature"]["StringValue"]
        return BytesIO(LOCALSTACK.replace("{signature}", signature).encode())

    monkeypatch.setattr(queues._direct, "open", answer)
    assert queues.peek(pipeline(endpoint="http://127.0.0.1:1"), "http://127.0.0.1:1/0/events") == [
        queues.QueuedMessage("m-1", contract.content_hash('  {"a":\r1}\n')),
        queues.QueuedMessage("m-0", contract.content_hash("again")),
    ]
    assert "ShowInvisible=true&ShowDelayed=true" in asked[-1]


def test_a_queue_is_drained_after_it_has_stayed_empty() -> None:
    counters = Counters(3, 0, 2, 0, 0, 0)
    assert counters.drained(quiet_seconds=1.0, deadline=60)
    assert counters.now == 2.5


def test_messages_in_flight_count_as_queued() -> None:
    readings: list[Depth] = []
    assert Counters(4, 0, 0, 0).drained(quiet_seconds=0.5, deadline=60, readings=readings)
    assert readings[0] == Depth(visible=0, in_flight=4, delayed=0)


def test_waiting_ends_at_the_deadline() -> None:
    assert not Counters(5).drained(quiet_seconds=1.0, deadline=3)


def test_waiting_ends_if_the_queue_does_not_become_shorter() -> None:
    counters = Counters(5, 4, 3, 3, 4, 3)
    assert not counters.drained(quiet_seconds=1.0, deadline=60, idle_timeout=2)
    assert counters.now == 3.0


def test_dead_letters_are_read_and_released() -> None:
    sqs = FakeSQS()
    ids = sqs.put(DLQ, *(f"body-{number}" for number in range(25)))
    messages = queues.read_dead_letters(pipeline(sqs=sqs))
    assert {(message.message_id, message.content_hash) for message in messages} == {
        (message_id, contract.content_hash(f"body-{number}")) for number, message_id in enumerate(ids)
    }
    assert not any(message["hidden"] for message in sqs.queues[DLQ])


def test_a_copy_has_the_message_id_of_its_original() -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, "a", **signed("first", "a"))
    assert [message.message_id for message in queues.read_dead_letters(pipeline(sqs=sqs))] == ["first"]


def test_an_origin_that_is_only_claimed_does_not_count() -> None:
    sqs = FakeSQS()
    ids = sqs.put(DLQ, "a", origin_message_id={"DataType": "String", "StringValue": "victim"})
    ids += sqs.put(DLQ, "b", **signed("victim", "another body"))
    assert [message.message_id for message in queues.read_dead_letters(pipeline(sqs=sqs))] == ids


def test_the_key_is_read_only_for_messages_that_name_an_origin() -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, "a")
    resources = pipeline(sqs=sqs)
    del resources.clients["lambda"]
    assert len(queues.read_dead_letters(resources)) == 1
