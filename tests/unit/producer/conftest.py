from __future__ import annotations

from collections.abc import Iterator

import pytest

from producer.send import sender
from tests.unit.producer.fake_queue import FakeQueue, serving


@pytest.fixture
def queue() -> Iterator[FakeQueue]:
    with serving() as fake:
        yield fake


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once, and no test is led astray by the AWS settings of whoever runs it."""
    monkeypatch.setattr(sender, "backoff_seconds", lambda attempt: 0.0)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "QUEUE_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
