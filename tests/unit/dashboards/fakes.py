"""Fake AWS clients with canned answers, and a target that uses them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dashboards.target import Target


class FakeClient:
    """An AWS client whose operations are functions. A call of any other operation fails the test."""

    def __init__(self, **operations: Callable[..., Any]) -> None:
        self._operations = operations
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = self._operations[name]

        def call(**request: Any) -> Any:
            self.calls.append((name, request))
            return operation(**request)

        return call

    def get_paginator(self, name: str) -> Any:
        """Return a paginator whose only page is the operation's answer."""
        return FakeClient(paginate=lambda **request: [getattr(self, name)(**request)])


def raising(error: Exception) -> Callable[..., Any]:
    """Return an operation that fails."""

    def fail(**_: Any) -> Any:
        raise error

    return fail


def target(**clients: Any) -> Target:
    """Build a target with these clients."""
    return Target(
        region="us-east-1",
        endpoint="http://127.0.0.1:1",
        queue_url="http://127.0.0.1:1/000000000000/p-test-events",
        dlq_url="http://127.0.0.1:1/000000000000/p-test-events-dlq",
        table_name="p-test-events",
        rejected_table_name="p-test-rejected",
        duplicates_table_name="p-test-duplicates",
        function_name="p-test-processor",
        alerts_topic_arn="",
        ops_topic_arn="",
        payload_bucket="",
        clients=clients,
    )


def counters(visible: int, in_flight: int = 0, delayed: int = 0) -> dict[str, Any]:
    """Build an answer of GetQueueAttributes."""
    return {
        "Attributes": {
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
        }
    }


def timestamp(seconds: float) -> datetime:
    """Convert a time to the form that boto3 returns."""
    return datetime.fromtimestamp(seconds, UTC)
