"""The newest large orders and rejections, by index and never by scanning."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import islice

from botocore.exceptions import BotoCoreError, ClientError

from dashboards.collect.runner import Seen
from dashboards.errors import error_text
from dashboards.state import Alert
from dashboards.target import Target
from storage.attributes import text
from storage.keys import shard_keys
from tools.core.indexes import LARGE_ORDERS, NEWEST_REJECTED, newest_first
from tools.core.tables import Item

# How many of each kind are kept to be shown, and how many of each partition of an index are asked for.
_SHOWN = 30
_PAGE = 10


class Alerts:
    """Queries two indexes for their newest entries."""

    reading = "alerts"
    source = "DynamoDB"
    thing = "a table or index"

    def __init__(self, target: Target, every: float) -> None:
        self.every = every
        self._dynamodb = target.clients["dynamodb"]
        self._events = target.events_table
        self._rejected = target.rejected_table

    def collect(self) -> Seen:
        """The newest of both kinds, newest first. Raises what the calls raised if neither could be had."""
        found: list[Alert] = []
        failed: list[Exception] = []
        for read in (self._large_orders, self._rejections):
            try:
                found += read()
            except (BotoCoreError, ClientError) as error:
                failed.append(error)
        if len(failed) == 2:
            raise failed[0]
        newest = sorted(found, key=lambda alert: alert.at, reverse=True)
        return Seen(tuple(newest), error_text(failed[0], self.source, self.thing) if failed else None)

    def _large_orders(self) -> list[Alert]:
        items = newest_first(self._dynamodb, self._events, LARGE_ORDERS, shard_keys("large"), page=_PAGE)
        return [_large_order(item) for item in islice(items, _SHOWN)]

    def _rejections(self) -> list[Alert]:
        items = newest_first(
            self._dynamodb, self._rejected, NEWEST_REJECTED, shard_keys("rejected"), page=_PAGE
        )
        return [_rejection(item) for item in islice(items, _SHOWN)]


def _large_order(item: Item) -> Alert:
    amount = f"{Decimal(item['amount']['N']):,.2f} {text(item, 'currency') or ''}"
    # Not when it was received: the index of rejections has no such time, and in a backlog the two differ.
    return Alert(_moment(item, "processed_at"), "large order", amount.strip(), text(item, "event_id") or "")


def _rejection(item: Item) -> Alert:
    kind = "conflict" if text(item, "kind") == "event_id_conflict" else "rejected"
    why, event_id = text(item, "summary") or "", text(item, "event_id") or ""
    return Alert(_moment(item, "rejected_at"), kind, why, event_id)


def _moment(item: Item, name: str) -> float:
    return datetime.fromisoformat(item[name]["S"]).timestamp()
