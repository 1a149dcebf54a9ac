"""Create the collectors of a pipeline, each with its interval."""

from dashboards.collect.log_group import LogGroup
from dashboards.collect.metrics import METRICS_INTERVAL, Metrics
from dashboards.collect.runner import Collector, Runner
from dashboards.collect.sources import Alarms, Alerts, Queues, TableCounts
from dashboards.reading_store import ReadingStore
from dashboards.target import Target


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
