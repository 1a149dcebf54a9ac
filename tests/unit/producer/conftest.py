from __future__ import annotations

from collections.abc import Iterator

import pytest

from producer.send import sender
from tests.unit.producer.fake_queue import FakeQueue, run_fake_queue


@pytest.fixture
def queue() -> Iterator[FakeQueue]:
    with run_fake_queue() as fake:
        yield fake


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry without delay, and ignore the AWS settings of the developer's shell."""
    monkeypatch.setattr(sender, "backoff_seconds", lambda attempt: 0.0)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "QUEUE_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
