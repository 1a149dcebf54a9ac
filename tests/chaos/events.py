"""Events that the producer does not make."""

from __future__ import annotations

import json
import random
import string
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

_LETTERS = string.ascii_letters + string.digits


def activity(**changes: Any) -> str:
    """The body of a valid event that raises no alert."""
    event = {
        "event_id": f"evt-{uuid.uuid4()}",
        "event_type": "activity",
        "occurred_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "customer_id": "cus-1",
        "session_id": "ses-1",
        "action": "page_view",
    }
    return json.dumps({**event, **changes})


def too_large_for_an_item(count: int) -> Iterator[str]:
    """Bodies of 600 KB, of which compression leaves about 450 KB: more than DynamoDB's 400 KB."""
    for _ in range(count):
        yield activity(metadata="".join(random.choices(_LETTERS, k=600_000)))
