"""Which collectors watch a pipeline, and how often each asks."""

from __future__ import annotations

from dashboards.collect.alarms import Alarms
from dashboards.collect.alerts import Alerts
from dashboards.collect.log_group import LogGroup
from dashboards.collect.metrics import EVERY, Metrics
from dashboards.collect.queues import Queues
from dashboards.collect.runner import Collector, Runner
from dashboards.collect.tables import TableCounts
from dashboards.reading_store import ReadingStore
from dashboards.target import Target


def watch(target: Target, interval: float) -> tuple[Runner, ReadingStore]:
    """Collectors for a pipeline, not yet started, and the board that they write on.

    ``interval`` is in seconds; what changes more slowly, or costs more, is asked less often.
    """
    on_aws = target.endpoint is None
    activity: Collector = (
        Metrics(target, max(interval, EVERY)) if on_aws else LogGroup(target, max(interval, 2.0))
    )
    collectors: list[Collector] = [
        Queues(target, interval),
        activity,
        # AWS counts a table's items anew every six hours.
        TableCounts(target, max(interval, 60.0 if on_aws else 10.0)),
        Alerts(target, max(interval, 5.0)),
        Alarms(target, max(interval, 15.0 if on_aws else 5.0)),
    ]
    sources = {collector.reading: (collector.source, collector.every) for collector in collectors}
    board = ReadingStore(target.name, target.where, sources)
    return Runner(collectors, board), board
