"""Builds messages and targets for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from producer.generate.messages import Message
from producer.send.target import Target
from tests.unit.producer.fake_queue import session


def message(number: int = 0, body: str | None = None) -> Message:
    """Return a small message; its body need not be valid."""
    raw = (body if body is not None else f'{{"event_id":"event-{number}"}}').encode()
    return Message(
        number=number,
        raw=(raw,),
        escaped=(raw.replace(b'"', b'\\"'),),
        size=len(raw),
        event_id=f"event-{number}",
        event_type="activity",
        kind="activity",
        expect="stored",
        large_order=False,
    )


def target(queue_url: str, endpoint_url: str | None = None) -> Target:
    """Return the target of a queue URL, with test credentials."""
    return Target.find(queue_url, endpoint_url, session())


def read_completion(manifest: Path) -> dict[str, Any] | None:
    """Return the latest line of a manifest that says that every message was tried."""
    lines = [json.loads(line) for line in manifest.read_text("utf-8").splitlines() if line.endswith("}")]
    return next((line for line in reversed(lines) if "sent" in line), None)
