"""`make demo`: send mixed events and account for every one of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import botocore.session

from producer.errors import ProducerError
from producer.options import Options
from producer.run import Result, produce
from tools.core.errors import OpsError
from tools.core.queues import Depth
from tools.core.resources import Resources
from tools.ops.demo import alerts, stalls
from tools.ops.demo.alerts import AlertCounts
from tools.ops.verify import manifest, reconcile, verify
from tools.ops.verify.reconcile import DEAD_LETTERED, DUPLICATE, REJECTED, STORED, Reconciliation

_INVALID = _DUPLICATE = _LARGE = 0.05
# Alerts come with their batch; this is for a topic that is slow.
_ALERT_SECONDS = 15.0
_SETTLED = (STORED, DUPLICATE, REJECTED, DEAD_LETTERED)


@dataclass(frozen=True)
class Demonstration:
    """A run from the first event sent to the last one settled, which took ``seconds``.

    ``bodies_kept`` is False where the emulator rewrites bodies, so that their content was not compared.
    """

    sent: Result
    account: Reconciliation
    heard: AlertCounts
    seconds: float
    bodies_kept: bool = True

    @property
    def settled(self) -> int:
        """How many of the events have come to an end: stored, duplicate, rejected or dead-lettered."""
        return sum(self.account.copies[place] for place in _SETTLED)

    @property
    def alerts_due(self) -> Counter[str]:
        """The alerts that this run's stored and rejected events deserve."""
        return expected_alerts(self.account)

    @property
    def adds_up(self) -> bool:
        """Whether every event was sent and settled as expected, and every alert was heard."""
        return (
            self.sent.complete
            and self.settled == self.account.sent == self.sent.sent_total
            and not self.account.findings
            and all(self.heard.by_type[kind] >= count for kind, count in self.alerts_due.items())
        )


def expected_alerts(account: Reconciliation) -> Counter[str]:
    """Alerts by type: one for each large order stored, one for each event rejected."""
    large = Counter({"large_order": sum(item.large_order for item in account.stored)})
    return +(large + Counter(item.kind for item in account.rejected))


def run(
    resources: Resources,
    count: int,
    *,
    wait: float,
    on_sent: Callable[[int], None],
    on_settled: Callable[[int], None],
    on_stall: Callable[[str], None],
) -> Demonstration:
    """Send ``count`` events and follow them until the queue has drained, ``wait`` seconds at most.

    ``on_sent`` and ``on_settled`` are told how many are sent and, roughly, settled; ``on_stall`` what the
    logs say when nothing has moved for 20 seconds. Only this run's events are counted, whatever else the
    pipeline holds. Raises OpsError when nothing could be sent.
    """
    manifests = resources.state_dir / "manifests"
    manifests.mkdir(parents=True, exist_ok=True)
    with alerts.subscribed(resources) as listener:
        began, started = time.monotonic(), time.time()
        watch = stalls.StallWatch(lambda: on_stall(stalls.explain(resources, started)))

        def follow(depth: Depth) -> None:
            on_settled(max(0, sent.sent_total - depth.total))
            watch.look(depth.total)

        try:
            sent = produce(
                Options(
                    queue_url=resources.queue_url,
                    count=count,
                    invalid_ratio=_INVALID,
                    large_ratio=_LARGE,
                    duplicate_ratio=_DUPLICATE,
                    endpoint_url=resources.endpoint,
                    manifest=manifests,
                ),
                on_progress=lambda progress: on_sent(progress.sent),
                session=_session(resources),
            )
        except ProducerError as error:
            raise OpsError(str(error)) from None
        if sent.manifest is None:
            raise OpsError(f"Nothing could be sent. {sent.error or ''}".rstrip())
        on_sent(sent.sent_total)
        copies = manifest.read(sent.manifest).sent
        found = verify.observe(
            resources,
            copies,
            wait=wait,
            progress=follow,
        )
        account = reconcile.reconcile(copies, found)
        seconds = time.monotonic() - began
        heard = listener.hear(
            {copy.message_id for copy in copies}, expected_alerts(account), patience=_ALERT_SECONDS
        )
    return Demonstration(sent, account, heard, seconds, resources.bodies_kept)


def _session(resources: Resources) -> botocore.session.Session:
    session = botocore.session.Session()
    session.set_config_variable("region", resources.region)
    if resources.credentials:
        session.set_credentials(*resources.credentials)
    return session
