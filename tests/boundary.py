"""Events whose items come out at a size to the byte."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable
from datetime import UTC, datetime

from processor.items import event_item
from processor.messages import Message
from storage.sizes import item_size

_ALPHABET = (string.ascii_letters + string.digits + "-_").encode() * 4
_LETTERS = random.Random(11).randbytes(900_000).translate(_ALPHABET).decode()


def activity(event_id: str, padding: str, customer_id: str = "cus-1") -> str:
    """The body of a valid event. It occurred so long ago that its latency has the same width for decades."""
    event = {
        "event_id": event_id,
        "event_type": "activity",
        "occurred_at": "2020-01-01T00:00:00Z",
        "customer_id": customer_id,
        "session_id": "ses-1",
        "action": "page_view",
        "metadata": padding,
    }
    return json.dumps(event)


def read_message(body: str) -> Message:
    """Read a body as the function does, received now."""
    return Message.read({"messageId": "0" * 36, "body": body}, datetime.now(UTC))


def size_of_item(body: str) -> int:
    """Bytes of the item of a valid event with its payload inside, as the function counts them."""
    message = read_message(body)
    return item_size({**event_item(message, large_order=False), **message.payload.inline()})


def body_of_item_size(size: int, event_id: str) -> str:
    """The body of a valid event whose item, payload inside, is of this size as the function counts it."""

    def body(length: int, customer_id: str = "cus-1") -> str:
        return activity(event_id, _LETTERS[:length], customer_id)

    near = _first(lambda length: size_of_item(body(length)) >= size - 20, len(_LETTERS))
    # Compressed sizes grow with the text on the whole, but some are skipped. A longer id shifts them.
    for length in range(near, near + 100, 7):
        for digits in range(1, 40):
            found = body(length, "c" * digits)
            if size_of_item(found) == size:
                return found
    raise AssertionError(f"no body found whose item has {size} bytes")


def _first(fits: Callable[[int], bool], most: int) -> int:
    least = 0
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if fits(middle) else (middle + 1, most)
    return least
