"""The sources of a pipeline (queues, function, tables, alerts and alarms), each with its interval."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from dashboards.collect.log_group import LogGroup
from dashboards.collect.metrics import METRICS_INTERVAL, Metrics
from dashboards.collect.runner import Collector, CollectResult, Runner
from dashboards.errors import describe_error
from dashboards.reading_store import ReadingStore
from dashboards.state import Alarm, Alert, Depth, Tables
from dashboards.target import Target
from dashboards.values import NOT_READ_YET, Absent, Value
from storage import keys
from storage.attributes import EVENT_ID, EVENT_ID_CONFLICT, MESSAGE_ID, SUMMARY, text, texts
from tools.core import queues
from tools.core.indexes import LARGE_ORDERS, NEWEST_REJECTED, newest_first
from tools.core.tables import Item

# Dead letters change slowly, so their counter is read less often than the queue's.
_DEAD_LETTER_INTERVAL = 3.0
# The number of alerts of each kind that are kept, and that one query of a partition returns.
_MAX_ALERTS = 30
_PAGE_SIZE = 10
# Items that are read for them, at most.
_MAX_ITEMS = 1_000

T = TypeVar("T")


def create_runner(target: Target, interval: float) -> tuple[Runner, ReadingStore]:
    """Return a runner for a pipeline, not yet started, and the store that it writes to.

    ``interval`` is in seconds. Sources that change slowly or cost more are read less often.
    """
    on_aws = target.endpoint is None
    activity: Collector = (
        Metrics(target, max(interval, METRICS_INTERVAL)) if on_aws else LogGroup(target, max(interval, 2.0))
    )
    collectors: list[Collector] = [
        Queues(target, interval),
        activity,
        # AWS updates a table's item count about every six hours.
        TableCounts(target, max(interval, 60.0 if on_aws else 10.0)),
        Alerts(target, max(interval, 5.0)),
        Alarms(target, max(interval, 15.0 if on_aws else 5.0)),
    ]
    sources = {collector.reading: (collector.source, collector.interval) for collector in collectors}
    store = ReadingStore(target.name, target.location, sources)
    return Runner(collectors, store), store


class Queues(Collector):
    """Reads the queue, and every few seconds the dead-letter queue, with GetQueueAttributes."""

    reading = "depth"
    source = "SQS"
    resource = "the queue"

    def __init__(self, target: Target, interval: float) -> None:
        super().__init__(target, interval)
        self._dead_letters: tuple[Value, str | None] = NOT_READ_YET, None
        self._dead_letters_read_at = float("-inf")

    def collect(self) -> CollectResult:
        """Read the counters."""
        depth = queues.depth(self.target.clients["sqs"], self.target.queue_url)
        now = time.time()
        if now - self._dead_letters_read_at >= _DEAD_LETTER_INTERVAL:
            self._dead_letters, self._dead_letters_read_at = self._count_dead_letters(), now
        dead_letters, error = self._dead_letters
        return CollectResult(Depth(now, depth.visible, depth.in_flight, depth.delayed, dead_letters), error)

    def _count_dead_letters(self) -> tuple[Value, str | None]:
        try:
            return float(queues.depth(self.target.clients["sqs"], self.target.dlq_url).total), None
        except (BotoCoreError, ClientError) as error:
            description = describe_error(error, self.source, "the dead-letter queue")
            return Absent(description), description


class TableCounts(Collector):
    """Reads each table's ItemCount, which AWS updates about every six hours.

    Counting the items would read them all.
    """

    reading = "tables"
    source = "DynamoDB"
    resource = "a table"

    def collect(self) -> CollectResult:
        """Read the three counts. Raises the first error if none can be read."""
        target = self.target
        tables = (target.table_name, target.rejected_table_name, target.duplicates_table_name)
        counts, error = _read_each(self, self._count, tables)
        return CollectResult(Tables(*counts), error)

    def _count(self, table: str) -> float:
        described = self.target.clients["dynamodb"].describe_table(TableName=table)
        return float(described["Table"]["ItemCount"])


class Alerts(Collector):
    """Queries the indexes of large orders and of rejections for their newest entries, without a scan."""

    reading = "alerts"
    source = "DynamoDB"
    resource = "a table or index"

    def collect(self) -> CollectResult:
        """Read the newest alerts of both kinds, newest first. Raises the first error if both queries fail."""
        results, error = _read_each(
            self, lambda read: read(), (self._read_large_orders, self._read_rejections)
        )
        alerts = [alert for each in results if not isinstance(each, Absent) for alert in each]
        return CollectResult(tuple(sorted(alerts, key=lambda alert: alert.time, reverse=True)), error)

    def _read_large_orders(self) -> list[Alert]:
        partitions = keys.shard_keys(keys.LARGE_ORDERS)
        return self._newest(self.target.table_name, LARGE_ORDERS, partitions, _large_order)

    def _read_rejections(self) -> list[Alert]:
        partitions = keys.shard_keys(keys.REJECTED)
        return self._newest(self.target.rejected_table_name, NEWEST_REJECTED, partitions, _rejection)

    def _newest(
        self, table: str, index: Any, partitions: Sequence[str], to_alert: Callable[[Item], Alert]
    ) -> list[Alert]:
        dynamodb = self.target.clients["dynamodb"]
        items = newest_first(dynamodb, table, index, partitions, page=_PAGE_SIZE)
        return list(islice(_readable(islice(items, _MAX_ITEMS), to_alert), _MAX_ALERTS))


class Alarms(Collector):
    """Reads every metric and composite alarm whose name begins with the pipeline's name."""

    reading = "alarms"
    source = "CloudWatch"
    resource = "the alarms"

    def collect(self) -> CollectResult:
        """Read the alarms, sorted by name."""
        prefix = f"{self.target.name}-"
        paginator = self.target.clients["cloudwatch"].get_paginator("describe_alarms")
        alarms = [
            _alarm(description, prefix)
            for page in paginator.paginate(
                AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
            )
            for kind in ("CompositeAlarms", "MetricAlarms")
            for description in page.get(kind, [])
        ]
        return CollectResult(tuple(sorted(alarms, key=lambda alarm: alarm.name)))


def _read_each(
    collector: Collector, read: Callable[[Any], T], names: Sequence[Any]
) -> tuple[list[T | Absent], str | None]:
    """Read several things, and describe the error of those that cannot be read. Raises it if none can."""
    results: list[T | Absent] = []
    errors: list[Exception] = []
    for name in names:
        try:
            results.append(read(name))
        except (BotoCoreError, ClientError) as error:
            errors.append(error)
            results.append(Absent(describe_error(error, collector.source, collector.resource)))
    if len(errors) == len(names):
        raise errors[0]
    return results, next((result.reason for result in results if isinstance(result, Absent)), None)


def _readable(items: Iterable[Item], to_alert: Callable[[Item], Alert]) -> Iterator[Alert]:
    """Yield the alerts of items, without those that were written by hand and are none."""
    for item in items:
        with suppress(KeyError, TypeError, ValueError, ArithmeticError):
            yield to_alert(item)


def _large_order(item: Item) -> Alert:
    amount = f"{Decimal(item['amount']['N']):,.2f} {text(item, 'currency') or ''}"
    # Not received_at: the index of rejections lacks it, and the two differ when the queue is long.
    return Alert(_time(item, "processed_at"), "large order", amount.strip(), text(item, EVENT_ID) or "")


def _rejection(item: Item) -> Alert:
    kind = "conflict" if text(item, "kind") == EVENT_ID_CONFLICT else "rejected"
    event_id, message_id = text(item, EVENT_ID) or "", text(item, MESSAGE_ID) or ""
    return Alert(_time(item, "rejected_at"), kind, "; ".join(texts(item, SUMMARY)), event_id, message_id)


def _time(item: Item, name: str) -> float:
    return datetime.fromisoformat(item[name]["S"]).astimezone(UTC).timestamp()


def _alarm(description: dict[str, Any], prefix: str) -> Alarm:
    # StateUpdatedTimestamp also changes when only the reason of the state changes.
    since = description.get("StateTransitionedTimestamp") or description.get("StateUpdatedTimestamp")
    return Alarm(
        description["AlarmName"].removeprefix(prefix),
        description.get("StateValue") or "INSUFFICIENT_DATA",
        since.timestamp() if since else None,
    )
