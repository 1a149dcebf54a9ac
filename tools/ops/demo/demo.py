"""`make demo`: send mixed events and check the outcome of each."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from producer.delivery import Result
from producer.errors import ProducerError
from producer.manifest import read_run
from producer.options import Options
from producer.run import produce
from tools.core.aws import create_session
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.ops.alert_queue import AlertQueue, subscribed
from tools.ops.demo import stalls
from tools.ops.verify import reconcile, verify
from tools.ops.verify.reconcile import DEAD_LETTERED, DUPLICATE, REJECTED, STORED, Reconciliation

_INVALID_RATIO = _DUPLICATE_RATIO = 0.05
# Of 72 orders; a shop has fewer large ones.
_LARGE_RATIO = 0.25
# Alerts normally arrive with their batch. This allows for a slow topic.
_ALERT_TIMEOUT = 15.0
_FINAL_OUTCOMES = (STORED, DUPLICATE, REJECTED, DEAD_LETTERED)


@dataclass
class AlertCounts:
    """The alerts of one run. ``by_type`` counts each message once, ``repeated`` counts further alerts."""

    by_type: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    _counted: set[tuple[str, str]] = field(default_factory=set)

    def add(self, alert: dict[str, Any], message_ids: set[str]) -> None:
        """Count an alert if it is about one of these messages."""
        kind = str(alert.get("alert_type", ""))
        if kind == "batch_processed":
            self.by_type[kind] += any(each in message_ids for each in alert.get("message_ids", []))
            return
        message_id = str(alert.get("message_id", ""))
        if message_id not in message_ids:
            return
        if (kind, message_id) in self._counted:
            self.repeated += 1
        else:
            self._counted.add((kind, message_id))
            self.by_type[kind] += 1


def count_alerts(
    queue: AlertQueue, message_ids: set[str], expected: Counter[str], *, idle_timeout: float
) -> AlertCounts:
    """Count the alerts about these messages until the expected ones have arrived.

    Gives up when no alert has arrived for ``idle_timeout`` seconds.
    """
    counts = AlertCounts()
    last = time.monotonic()
    while True:
        notifications = queue.receive()
        for notification in notifications:
            counts.add(notification.alert or {}, message_ids)
        if notifications:
            last = time.monotonic()
            continue
        # An empty receive waits a second, so that the summary of the last batch is counted too.
        complete = all(counts.by_type[kind] >= count for kind, count in expected.items())
        if complete or time.monotonic() - last >= idle_timeout:
            return counts


@dataclass(frozen=True)
class DemoResult:
    """The result of a demo, which took ``seconds`` from the first event to the last alert.

    ``bodies_kept`` is False if the emulator rewrites bodies, so that their content was not compared.
    """

    sent: Result
    reconciliation: Reconciliation
    alerts: AlertCounts
    seconds: float
    bodies_kept: bool = True

    @property
    def processed(self) -> int:
        """Return the number of events that are stored, duplicate, rejected or dead-lettered."""
        return sum(self.reconciliation.outcomes[outcome] for outcome in _FINAL_OUTCOMES)

    @property
    def expected_alerts(self) -> Counter[str]:
        """Return the number of alerts by type that this run's stored and rejected events cause."""
        return expected_alerts(self.reconciliation)

    @property
    def ok(self) -> bool:
        """Return whether every event has its expected outcome and every alert was received."""
        return (
            self.sent.complete
            and self.processed == self.reconciliation.sent == self.sent.sent_total
            and not self.reconciliation.discrepancies
            and all(self.alerts.by_type[kind] >= count for kind, count in self.expected_alerts.items())
        )


def expected_alerts(reconciliation: Reconciliation) -> Counter[str]:
    """Return the number of alerts by type: one for each large order stored and each event rejected."""
    large = Counter({"large_order": sum(item.large_order for item in reconciliation.stored)})
    return +(large + Counter(item.kind for item in reconciliation.rejected))


def run(
    resources: Resources,
    count: int,
    *,
    wait: float,
    on_sent: Callable[[int], None],
    on_processed: Callable[[int], None],
    on_stall: Callable[[str], None],
) -> DemoResult:
    """Send ``count`` events and wait up to ``wait`` seconds until the queue has drained.

    ``on_sent`` and ``on_processed`` get the number of events so far; the latter is approximate. ``on_stall``
    gets the end of the logs if the queue has not become shorter for 20 seconds. Only this run's events are
    counted. Raises ToolError if no event could be sent.
    """
    manifests = resources.state_dir / "manifests"
    manifests.mkdir(parents=True, exist_ok=True)
    with subscribed(resources, "demo") as queue:
        start, started_at = time.monotonic(), time.time()
        watch = stalls.StallWatch(lambda: on_stall(stalls.explain(resources, started_at)))

        def on_progress(step: str, done: int) -> None:
            if step == verify.WAITING:
                on_processed(max(0, sent.sent_total - done))
                watch.update(done)

        try:
            sent = produce(
                Options(
                    queue_url=resources.queue_url,
                    count=count,
                    invalid_ratio=_INVALID_RATIO,
                    large_ratio=_LARGE_RATIO,
                    duplicate_ratio=_DUPLICATE_RATIO,
                    endpoint_url=resources.endpoint,
                    manifest=manifests,
                ),
                on_progress=lambda progress: on_sent(progress.sent),
                session=create_session(resources.endpoint, resources.region, resources.credentials),
            )
            if sent.manifest is None:
                raise ToolError(f"No event could be sent. {sent.error or ''}".rstrip())
            messages = read_run(sent.manifest).messages
        except ProducerError as error:
            raise ToolError(str(error)) from None
        on_sent(sent.sent_total)
        snapshot = verify.collect_when_drained(resources, messages, wait=wait, progress=on_progress)
        reconciliation = reconcile.reconcile(messages, snapshot)
        seconds = time.monotonic() - start
        counts = count_alerts(
            queue,
            {message.message_id for message in messages},
            expected_alerts(reconciliation),
            idle_timeout=_ALERT_TIMEOUT,
        )
    return DemoResult(sent, reconciliation, counts, seconds, resources.bodies_kept)
