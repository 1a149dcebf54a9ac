"""Read the newest large orders and rejections from their indexes, without a scan."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import islice

from botocore.exceptions import BotoCoreError, ClientError

from dashboards.collect.runner import CollectResult
from dashboards.errors import describe_error
from dashboards.state import Alert
from dashboards.target import Target
from storage import keys
from storage.attributes import EVENT_ID, EVENT_ID_CONFLICT, MESSAGE_ID, SUMMARY, text, texts
from tools.core.indexes import LARGE_ORDERS, NEWEST_REJECTED, newest_first
from tools.core.tables import Item

# The number of alerts of each kind that are kept, and that one query of a partition returns.
_MAX_ALERTS = 30
_PAGE_SIZE = 10


class Alerts:
    """Queries two indexes for their newest entries."""

    reading = "alerts"
    source = "DynamoDB"
    resource = "a table or index"

    def __init__(self, target: Target, interval: float) -> None:
        self.interval = interval
        self._dynamodb = target.clients["dynamodb"]
        self._events = target.events_table
        self._rejected = target.rejected_table

    def collect(self) -> CollectResult:
        """Read the newest alerts of both kinds, newest first. Raises the first error if both queries fail."""
        alerts: list[Alert] = []
        errors: list[Exception] = []
        for read in (self._read_large_orders, self._read_rejections):
            try:
                alerts += read()
            except (BotoCoreError, ClientError) as error:
                errors.append(error)
        if len(errors) == 2:
            raise errors[0]
        newest = sorted(alerts, key=lambda alert: alert.time, reverse=True)
        return CollectResult(
            tuple(newest), describe_error(errors[0], self.source, self.resource) if errors else None
        )

    def _read_large_orders(self) -> list[Alert]:
        partitions = keys.shard_keys(keys.LARGE_ORDERS)
        items = newest_first(self._dynamodb, self._events, LARGE_ORDERS, partitions, page=_PAGE_SIZE)
        return [_large_order(item) for item in islice(items, _MAX_ALERTS)]

    def _read_rejections(self) -> list[Alert]:
        partitions = keys.shard_keys(keys.REJECTED)
        items = newest_first(self._dynamodb, self._rejected, NEWEST_REJECTED, partitions, page=_PAGE_SIZE)
        return [_rejection(item) for item in islice(items, _MAX_ALERTS)]


def _large_order(item: Item) -> Alert:
    amount = f"{Decimal(item['amount']['N']):,.2f} {text(item, 'currency') or ''}"
    # Not received_at: the index of rejections lacks it, and the two differ when the queue is long.
    return Alert(_time(item, "processed_at"), "large order", amount.strip(), text(item, EVENT_ID) or "")


def _rejection(item: Item) -> Alert:
    kind = "conflict" if text(item, "kind") == EVENT_ID_CONFLICT else "rejected"
    event_id, message_id = text(item, EVENT_ID) or "", text(item, MESSAGE_ID) or ""
    return Alert(_time(item, "rejected_at"), kind, "; ".join(texts(item, SUMMARY)), event_id, message_id)


def _time(item: Item, name: str) -> float:
    return datetime.fromisoformat(item[name]["S"]).timestamp()
