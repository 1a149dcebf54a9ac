"""Read what the function processed from its log group: for emulators, whose CloudWatch lacks the metrics.

The function writes a line with embedded metrics for each batch (`common.telemetry`). Lambda writes a REPORT
line for each invocation.
"""

import time
from collections import Counter

import contract
from dashboards.collect.log_lines import BatchLine, Invocation, InvocationTracker
from dashboards.collect.runner import Collector, CollectResult
from dashboards.collect.timeseries import CountsBySecond, RecentSamples
from dashboards.state import HISTORY, Activity
from dashboards.target import Target
from dashboards.values import NO_METRIC, Absent
from tools.core.log_events import events_since

# Seconds that rates are means over, and seconds that quantiles cover.
_RATE_WINDOW = 10
_QUANTILE_WINDOW = 60
# Lines may come out of order by this much. A longer time would read more lines twice.
_REREAD_MILLIS = 2000
_OUTCOMES = ("Received", "Stored", "Duplicates", "Rejected")
_BY_TYPE = {name: f"Stored{name.capitalize()}" for name in contract.EVENT_TYPES}
# The outcomes that delete a message from the queue.
_DELETED = ("Stored", "Duplicates", "Rejected", "Redelivered")
_METRICS = dict.fromkeys((*_OUTCOMES, *_DELETED, *_BY_TYPE.values()))
_NOT_LOGGED = Absent("not logged")
_NOTHING_STORED = f"nothing stored in {_QUANTILE_WINDOW} s"
_NO_INVOCATION = f"no run in {_QUANTILE_WINDOW} s"


class LogGroup(Collector):
    """Follows the function's log group with FilterLogEvents."""

    reading = "activity"
    source = "log group"
    resource = "the log group"

    def __init__(self, target: Target, interval: float) -> None:
        super().__init__(target, interval)
        self._group = f"/aws/lambda/{target.function_name}"
        self._since = time.time() - HISTORY
        self._start_millis = int(self._since * 1000)
        self._invocations = InvocationTracker()
        self._counts = CountsBySecond()
        self._durations = RecentSamples(_QUANTILE_WINDOW)
        self._recent_durations = RecentSamples(_RATE_WINDOW)
        self._latencies = RecentSamples(_QUANTILE_WINDOW)
        self._queued = RecentSamples(_QUANTILE_WINDOW)

    def collect(self) -> CollectResult:
        """Read the new lines and return the activity."""
        newest = self._start_millis
        for event in events_since(self.target.clients["logs"], self._group, self._start_millis):
            newest = max(newest, event["timestamp"])
            reported = self._invocations.process(event)
            if isinstance(reported, BatchLine):
                self._add_batch(reported)
            elif isinstance(reported, Invocation):
                self._add_invocation(reported)
        self._start_millis = max(self._start_millis, newest - _REREAD_MILLIS)
        now = time.time()
        for samples in (self._counts, self._durations, self._recent_durations, self._latencies, self._queued):
            samples.expire(now)
        self._invocations.expire(self._start_millis / 1000, now - HISTORY)
        return CollectResult(self._build_activity(now))

    def _add_batch(self, batch: BatchLine) -> None:
        counts = Counter({name: int(batch.fields.get(name, 0)) for name in _METRICS})
        counts["deleted"] = sum(counts[name] for name in _DELETED)
        self._counts.add(batch.time, counts)
        self._latencies.add(batch.time, batch.fields.get("IngestLatency", []))
        self._queued.add(batch.time, batch.fields.get("QueueLatency", []))

    def _add_invocation(self, invocation: Invocation) -> None:
        self._counts.add(invocation.time, Counter(invocations=1, errors=int(invocation.failed)))
        self._durations.add(invocation.time, [invocation.millis])
        self._recent_durations.add(invocation.time, [invocation.millis])

    def _build_activity(self, now: float) -> Activity:
        rate_names = (*_OUTCOMES, "invocations", "deleted")
        rates = {name.lower(): self._counts.rate(name, now, _RATE_WINDOW) for name in rate_names}
        return Activity(
            window_end=now,
            window=_RATE_WINDOW,
            **rates,
            latency_p50=self._latencies.quantile(0.5, _NOTHING_STORED),
            latency_p95=self._latencies.quantile(0.95, _NOTHING_STORED),
            queued_p95=self._queued.quantile(0.95, _NOTHING_STORED),
            by_type={name: float(self._counts.total(metric)) for name, metric in _BY_TYPE.items()},
            errors=float(self._counts.total("errors")),
            silent=float(self._invocations.count_silent(now)),
            throttles=_NOT_LOGGED,
            duration_p50=self._durations.quantile(0.5, _NO_INVOCATION),
            duration_p95=self._durations.quantile(0.95, _NO_INVOCATION),
            concurrency=float(self._recent_durations.peak_concurrency()),
            write_units=NO_METRIC,
            read_units=NO_METRIC,
            table_throttles=NO_METRIC,
            sent=Absent("derived from the counters"),
            oldest=NO_METRIC,
            series={name.lower(): self._counts.series(name, self._since, now) for name in rate_names},
        )
