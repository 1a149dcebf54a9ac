"""Clients that answer what a test lays in their mouths, and a target made of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dashboards.target import Target


class Fake:
    """An AWS client: each operation is a function, and one that is not given fails the test."""

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
        """A paginator whose one page is the operation's answer."""
        return Fake(paginate=lambda **request: [getattr(self, name)(**request)])


def raising(error: Exception) -> Callable[..., Any]:
    """An operation that fails."""

    def fail(**_: Any) -> Any:
        raise error

    return fail


def target(**clients: Any) -> Target:
    """A pipeline with these clients."""
    return Target(
        name="p-test",
        region="us-east-1",
        endpoint="http://127.0.0.1:1",
        queue_url="http://127.0.0.1:1/000000000000/p-test-events",
        dlq_url="http://127.0.0.1:1/000000000000/p-test-events-dlq",
        events_table="p-test-events",
        rejected_table="p-test-rejected",
        duplicates_table="p-test-duplicates",
        function_name="p-test-processor",
        clients=clients,
    )


def counters(visible: int, in_flight: int = 0, delayed: int = 0) -> dict[str, Any]:
    """An answer of GetQueueAttributes."""
    return {
        "Attributes": {
            "ApproximateNumberOfMessages": str(visible),
            "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            "ApproximateNumberOfMessagesDelayed": str(delayed),
        }
    }


def moment(seconds: float) -> datetime:
    """A time as boto3 gives it."""
    return datetime.fromtimestamp(seconds, UTC)
