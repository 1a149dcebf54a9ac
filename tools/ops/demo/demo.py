"""`make demo`: send mixed events and check the outcome of each."""

import time
from argparse import Namespace
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
from tools.core.console import TROUBLE, err, out, plural, progress_bars, safe_text
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.text import indent_lines, make_command
from tools.ops.alert_queue import AlertQueue, subscribed
from tools.ops.demo import stalls
from tools.ops.demo.stalls import STALL_SECONDS, StallWatch
from tools.ops.verify import reconcile, verify
from tools.ops.verify.reconcile import (
    DEAD_LETTERED,
    DUPLICATE,
    LOST,
    QUEUED,
    REJECTED,
    STORED,
    Reconciliation,
)
from tools.ops.verify.report import counts_table, frequencies, show_discrepancies, show_not_compared

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


def demo(resources: Resources, options: Namespace) -> int:
    """Send mixed events and check the outcome of each."""
    err.print(f"Sending to {resources.queue_url} (named by {resources.source})")
    with progress_bars(options.count, "sent", "processed") as (on_sent, on_processed):
        result = _run(resources, options.count, options.wait, on_sent, on_processed)
    show(result)
    return 0 if result.ok else 1


def _run(
    resources: Resources,
    count: int,
    wait: float,
    on_sent: Callable[[int], None],
    on_processed: Callable[[int], None],
) -> DemoResult:
    """Send ``count`` events and wait up to ``wait`` seconds until the queue has drained.

    ``on_sent`` and ``on_processed`` get the number of events so far; the latter is approximate. Only this
    run's events are counted. Raises ToolError if no event could be sent.
    """
    manifests = resources.state_dir / "manifests"
    manifests.mkdir(parents=True, exist_ok=True)
    with subscribed(resources, "demo") as queue:
        start, started_at = time.monotonic(), time.time()
        watch = StallWatch(lambda: _show_stall(stalls.explain(resources, started_at)))

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


def _show_stall(reason: str) -> None:
    err.print(indent_lines(f"No progress for {STALL_SECONDS:.0f} s. {reason}"), style=TROUBLE)


def show(result: DemoResult) -> None:
    """Print the result of a result."""
    sent, run, alerts = result.sent, result.reconciliation, result.alerts
    out.print(f"\n{plural(sent.sent_total, 'event')} sent, run {sent.run_id}")
    table = counts_table()

    def add(name: str, count: int, comment: str = "", style: str = "") -> None:
        table.add_row(safe_text(name), f"{count:,}", comment, style=style)

    add("stored", run.outcomes[STORED], frequencies(item.event_type for item in run.stored))
    add("  large orders", sum(item.large_order for item in run.stored))
    add("duplicates", run.outcomes[DUPLICATE])
    add("rejected", run.outcomes[REJECTED])
    for rule, count in Counter(item.rule or item.kind for item in run.rejected).most_common():
        add(f"  {rule}", count)
    add("dead-lettered", run.outcomes[DEAD_LETTERED])
    add("total", result.processed, f"of {run.sent:,} sent", style="bold")
    table.add_section()
    expected = result.expected_alerts
    for kind in sorted(expected.keys() | alerts.by_type.keys()):
        add(
            f"alerts {kind}",
            alerts.by_type[kind],
            f"of {expected[kind]:,} expected" if expected[kind] else "",
        )
    if alerts.repeated:
        add("alerts repeated", alerts.repeated)
    table.add_row("seconds", f"{result.seconds:.1f}", f"{sent.seconds:.1f} of them for sending")
    out.print(table)
    _show_conclusion(result)


def _show_conclusion(result: DemoResult) -> None:
    sent, run = result.sent, result.reconciliation
    if not result.bodies_kept:
        show_not_compared()
    if result.ok:
        out.print("Every event is accounted for.", style="bold")
        if run.stored:
            out.print(safe_text(f"Show one of them: {make_command('get', EVENT_ID=run.stored[0].event_id)}"))
        return
    out.print("Not every event is accounted for:", style="bold red")
    if not sent.complete:
        missing = len(sent.failed) + sent.unsent
        out.print(safe_text(f"  {plural(missing, 'event')} could not be sent. {sent.error or ''}"))
    if run.outcomes[QUEUED]:
        out.print(f"  {plural(run.outcomes[QUEUED], 'event')} still queued. See why: make logs LEVEL=WARNING")
    if run.outcomes[LOST]:
        out.print(f"  {plural(run.outcomes[LOST], 'event')} not found.")
    show_discrepancies(run.discrepancies)
    for kind, count in result.expected_alerts.items():
        if result.alerts.by_type[kind] < count:
            out.print(f"  {count - result.alerts.by_type[kind]:,} {kind} alerts are missing.")
