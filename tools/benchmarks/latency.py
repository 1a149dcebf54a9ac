"""Measure the time from sending an event until it is stored, and until a subscriber has its alert.

Every fifth event is a large order, which raises an alert. An event counts as stored when a reader of the
table sees it. The reader asks for a sample of the events again and again, for each design in the same way.
"""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count as count_from
from itertools import islice
from statistics import quantiles
from typing import Any

from producer.send.target import Target
from storage.attributes import EVENT_ID
from tools.benchmarks import fixtures
from tools.benchmarks.designs import ORIGINAL, OURS, POWERTOOLS, Design
from tools.benchmarks.end_to_end import deploy_and_warm_up, warm_up
from tools.benchmarks.local_stack import LocalStack, start_stack
from tools.benchmarks.measure import TOP_RATE, compare
from tools.benchmarks.senders import finished_request, send_requests
from tools.core import tables
from tools.core.resources import Resources
from tools.ops import alert_queue
from tools.ops.alert_queue import AlertQueue

DESIGNS = (OURS, ORIGINAL, POWERTOOLS)
RATES = (5, 50, 200)
# The highest rate is this share of what the slowest design can process.
TOP_SHARE = 0.8
PERCENTILES = (50, 95, 99)
_COLD = ("cold_stored_ms", "cold_alert_ms")
BURST = 5_000
_SECONDS = 20
_LARGE_INTERVAL = 5
_SAMPLED_PER_SECOND = 25
_POLL_SECONDS = 0.004
_TIMEOUT_SECONDS = 300.0

Times = dict[str, float]
"""Seconds of ``time.perf_counter`` by event_id."""


def run(rounds: int = 3, count: int = BURST) -> dict[str, Any]:
    """Return latencies in ms at each rate, cold, and of a burst. ``count`` events are the burst, at most."""
    with start_stack() as stack:
        return measure(stack, rounds, count)


def measure(stack: LocalStack, rounds: int, count: int, rates: Sequence[int] = RATES) -> dict[str, Any]:
    """Measure on a running stack, and deploy this pipeline's own code at the end."""
    resources = Resources.of_stack(stack.state_dir)
    designs = {design.name: design for design in DESIGNS}
    with alert_queue.subscribed(resources, "latency") as subscriber:
        watch = _Watch(stack, resources, subscriber)
        try:
            bursts = compare(designs, rounds, lambda design: watch.burst(design, count))
            slowest = min(burst["rate"]["median"] for burst in bursts.values())
            by_name = {f"{rate}": float(rate) for rate in rates} | {TOP_RATE: TOP_SHARE * slowest}
            paced = {}
            for name, rate in by_name.items():
                events = min(count, max(1, round(rate * _SECONDS)))
                paced[name] = compare(designs, rounds, partial(watch.paced, rate=rate, count=events))
        finally:
            stack.deploy(OURS)
    cold = {name: {each: burst.pop(each) for each in _COLD} for name, burst in bursts.items()}
    return {
        "top_rate": round(by_name[TOP_RATE], 1),
        "rates": paced,
        "cold": cold,
        "burst": {"count": count} | bursts,
    }


def _percentiles(values: list[float]) -> dict[str, float]:
    cuts = quantiles(values, n=100, method="inclusive") if values[1:] else values * 99
    return {f"p{percent}": cuts[percent - 1] for percent in PERCENTILES}


class _Watch:
    """Sends events and notes when they are stored and when their alerts arrive."""

    def __init__(self, stack: LocalStack, resources: Resources, subscriber: AlertQueue) -> None:
        self._stack, self._resources, self._subscriber = stack, resources, subscriber
        self._dynamodb = stack.state.client("dynamodb")
        self._target = Target.find(stack.queue_url, stack.state.endpoint, stack.session())

    def burst(self, design: Design, count: int) -> dict[str, float]:
        """Measure the first event after a deploy, and many events at once."""
        self._stack.deploy(design)
        cold = self._measure(list(_events(1, _LARGE_INTERVAL - 1)), 0)
        self._stack.delete_events()
        warm_up(self._stack)
        times = self._measure(list(_events(count)), 0)
        self._stack.delete_events()
        return {
            "cold_stored_ms": cold["stored_ms"][0],
            "cold_alert_ms": cold["alert_ms"][0],
            "rate": count / (times["drained"] - times["start"]),
            "last_alert_seconds": times["last_alert"] - times["start"],
        }

    def paced(self, design: Design, rate: float, count: int) -> dict[str, Any]:
        """Measure events that are sent at a rate."""
        deploy_and_warm_up(self._stack, design)
        times = self._measure(list(_events(count)), rate, sample=max(1, round(rate / _SAMPLED_PER_SECOND)))
        self._stack.delete_events()
        return {name: _percentiles(times[name]) for name in ("stored_ms", "alert_ms")}

    def _measure(self, events: list[tuple[str, str, bool]], rate: float, sample: int = 1) -> dict[str, Any]:
        """Send events, all at once if ``rate`` is 0. Return the latencies of a sample, and of all alerts."""
        burst = rate == 0 and len(events) > 1
        size = 10 if burst or rate > RATES[-1] else 1
        batches = [events[first : first + size] for first in range(0, len(events), size)]
        requests = [finished_request(self._target, [body for _, body, _ in batch]) for batch in batches]
        sampled = [] if burst else [event_id for event_id, _, _ in events[::sample]]
        large = {event_id for event_id, _, is_large in events if is_large}
        sent: Times = {}
        stop = threading.Event()
        with ThreadPoolExecutor(2) as pool:
            stored = pool.submit(self._watch_table, sampled, sent, stop)
            alerted = pool.submit(self._watch_alerts, large, stop)
            try:
                send_requests(self._target, self._on_time(batches, requests, rate, sent))
                drained = self._stack.wait_until_drained(_TIMEOUT_SECONDS)
                finished = stored.result()
                arrived = alerted.result()
            finally:
                stop.set()
        return {
            "stored_ms": [1000 * (finished[event_id] - sent[event_id]) for event_id in sampled],
            "alert_ms": [1000 * (arrived[event_id] - sent[event_id]) for event_id in large],
            "start": min(sent.values()),
            "last_alert": max(arrived.values(), default=0.0),
            "drained": drained,
        }

    def _on_time(
        self, batches: list[list[tuple[str, str, bool]]], requests: list[bytes], rate: float, sent: Times
    ) -> Iterator[bytes]:
        start = time.perf_counter()
        for number, (batch, request) in enumerate(zip(batches, requests, strict=True)):
            due = start + (number * len(batches[0]) / rate if rate else 0)
            time.sleep(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            sent.update((event_id, now) for event_id, _, _ in batch)
            yield request

    def _watch_table(self, sampled: list[str], sent: Times, stop: threading.Event) -> Times:
        """Return when each event was first seen in the table."""
        seen: Times = {}
        deadline = time.perf_counter() + _TIMEOUT_SECONDS
        while len(seen) < len(sampled) and not stop.wait(_POLL_SECONDS):
            waiting = [event_id for event_id in sampled if event_id in sent and event_id not in seen]
            found = tables.existing_keys(self._dynamodb, self._resources.table_name, EVENT_ID, waiting)
            seen |= dict.fromkeys(found, time.perf_counter())
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{len(sampled) - len(seen)} events were not stored")
        return seen

    def _watch_alerts(self, large: set[str], stop: threading.Event) -> Times:
        """Return when each large order's alert arrived."""
        arrived: Times = {}
        deadline = time.perf_counter() + _TIMEOUT_SECONDS
        while large - arrived.keys() and not stop.is_set():
            received = self._subscriber.receive()
            now = time.perf_counter()
            for alert in (notification.alert or {} for notification in received):
                if alert.get("alert_type") == "large_order" and alert.get("event_id") in large:
                    arrived.setdefault(alert["event_id"], now)
            if now > deadline:
                raise TimeoutError(f"{len(large - arrived.keys())} alerts did not arrive")
        return arrived


def _events(count: int, first: int = 0) -> Iterator[tuple[str, str, bool]]:
    """Yield event_id, body of 1 KB, and whether it is a large order."""
    valid, large = fixtures.generate_bodies(1, fixtures.VALID), fixtures.generate_bodies(1, fixtures.LARGE)
    bodies = zip(valid, large, count_from(), strict=False)
    for usual, order, number in islice(bodies, first, first + count):
        is_large = number % _LARGE_INTERVAL == _LARGE_INTERVAL - 1
        body = order if is_large else usual
        yield json.loads(body)[EVENT_ID], body, is_large
