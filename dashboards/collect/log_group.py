"""What the function did, read from its log group: for emulators, whose CloudWatch does not know.

The function writes a line for each batch, with its metrics embedded (common.telemetry), and Lambda one
that begins with REPORT for each invocation.
"""

from __future__ import annotations

import time
from collections import Counter

import contract
from dashboards.collect.log_lines import Batch, Run, Runs
from dashboards.collect.runner import Seen
from dashboards.collect.timeseries import Bins, Recent
from dashboards.state import HISTORY, Activity
from dashboards.target import Target
from dashboards.values import NO_METRIC, Absent
from tools.core.log_events import events_since

# Rates are means over so many seconds, durations and latencies those of so many.
_MEAN_OF = 10
_RECENT = 60
# Lines come in the order of their times, give or take this. Looking back further would mean reading more
# lines a second time.
_LATE_MILLIS = 2000
_NAMES = ("Received", "Stored", "Duplicates", "Rejected")
_TYPES = tuple(contract.SCHEMA["properties"]["event_type"]["enum"])
_METRICS = (*_NAMES, "Redelivered", *(f"Stored{name.capitalize()}" for name in _TYPES))
# The outcomes that take a message out of the queue.
_SETTLED = ("Stored", "Duplicates", "Rejected", "Redelivered")
_NOT_LOGGED = Absent("not logged")


class LogGroup:
    """Follows the function's log group with FilterLogEvents."""

    reading = "activity"
    source = "log group"
    thing = "the log group"

    def __init__(self, target: Target, every: float) -> None:
        self.every = every
        self._logs = target.clients["logs"]
        self._group = f"/aws/lambda/{target.function_name}"
        self._since = time.time() - HISTORY
        self._start = int(self._since * 1000)
        self._runs = Runs()
        self._counts = Bins()
        self._durations = Recent(_RECENT)
        self._running = Recent(_MEAN_OF)
        self._latencies = Recent(_RECENT)

    def collect(self) -> Seen:
        """Read what is new and sum up."""
        newest = self._start
        for event in events_since(self._logs, self._group, self._start):
            newest = max(newest, event["timestamp"])
            told = self._runs.take(event)
            if isinstance(told, Batch):
                self._count_batch(told)
            elif isinstance(told, Run):
                self._count_run(told)
        self._start = max(self._start, newest - _LATE_MILLIS)
        now = time.time()
        for kept in (self._counts, self._durations, self._running, self._latencies):
            kept.forget(now)
        self._runs.forget(self._start / 1000, now - HISTORY)
        return Seen(self._activity(now))

    def _count_batch(self, batch: Batch) -> None:
        counts = Counter({name: int(batch.fields.get(name, 0)) for name in _METRICS})
        counts["settled"] = sum(counts[name] for name in _SETTLED)
        self._counts.add(batch.at, counts)
        self._latencies.add(batch.at, batch.fields["IngestLatency"])

    def _count_run(self, run: Run) -> None:
        self._counts.add(run.at, Counter(invocations=1, errors=int(run.failed)))
        self._durations.add(run.at, [run.milliseconds])
        self._running.add(run.at, [run.milliseconds])

    def _activity(self, now: float) -> Activity:
        rate = {name: self._counts.rate(name, now, _MEAN_OF) for name in (*_NAMES, "invocations", "settled")}
        return Activity(
            ended=now,
            mean_of=_MEAN_OF,
            received=rate["Received"],
            stored=rate["Stored"],
            duplicates=rate["Duplicates"],
            rejected=rate["Rejected"],
            latency_p50=self._latencies.quantile(0.5, "nothing stored in 60 s"),
            latency_p95=self._latencies.quantile(0.95, "nothing stored in 60 s"),
            by_type={name: float(self._counts.total(f"Stored{name.capitalize()}")) for name in _TYPES},
            invocations=rate["invocations"],
            errors=float(self._counts.total("errors")),
            silent=float(self._runs.silent(now)),
            throttles=_NOT_LOGGED,
            duration_p50=self._durations.quantile(0.5, "no run in 60 s"),
            duration_p95=self._durations.quantile(0.95, "no run in 60 s"),
            concurrency=float(self._running.most_at_once()),
            write_units=NO_METRIC,
            read_units=NO_METRIC,
            table_throttles=NO_METRIC,
            sent=Absent("worked out from the counters"),
            settled=rate["settled"],
            oldest=NO_METRIC,
            series={
                name.lower(): self._counts.series(name, self._since, now)
                for name in (*_NAMES, "invocations", "settled")
            },
        )
