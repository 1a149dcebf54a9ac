"""A stack whose function calls AWS through two fault proxies, and runs of events on it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import botocore.session

import contract
from producer.manifest import SentMessage, SentRun, read_run
from producer.options import Options
from producer.run import produce
from tests.chaos.burst import Burst
from tests.chaos.relay import Relay
from tests.integration.conftest import Inbox, Pipeline, free_port
from tests.waiting import eventually
from tools.core.http import direct_opener
from tools.core.resources import Resources
from tools.core.state import naming
from tools.local import ministack, processes
from tools.local.emulator import Emulator
from tools.ops.recover import redrive
from tools.ops.verify import reconcile, verify
from tools.ops.verify.lookup import Lookup

_direct = direct_opener()

SHARES = {"invalid_ratio": 0.05, "large_ratio": 0.1, "duplicate_ratio": 0.05}


@dataclass
class Row:
    """The result of a run: a row of the table at the end."""

    fault: str
    events: int = 0
    injected: int = 0
    stored: int = 0
    duplicates: int = 0
    rejected: int = 0
    dead_lettered: int = 0
    expected: int = 0
    alerted: int = 0
    repeated: int = 0
    seconds: float = 0
    verdict: str = "failed"


class ChaosHarness:
    """The stack, its proxies, and ways to disturb it."""

    def __init__(self, pipeline: Pipeline, burst: Burst, relay: Relay) -> None:
        self.pipeline = pipeline
        self.burst = burst
        self.relay = relay
        self.resources = Resources.of_stack(pipeline.state_dir)
        self.rows: list[Row] = []

    @property
    def injected(self) -> int:
        """Faults injected so far, by either proxy."""
        return self.burst.fired() + self.relay.spoiled

    @property
    def accidents(self) -> int:
        """Calls that timed out although they took effect, and functions that timed out."""
        log = (self.pipeline.state_dir / ministack.LOG).read_text(errors="replace")
        return self.relay.unheard + log.count("timed out after")

    def kill_workers(self) -> int:
        """Kill every process that runs a function; returns how many there were."""
        emulator = Emulator.load(self.pipeline.state_dir)
        assert emulator is not None
        killed = 0
        for pid in processes.group_members(int(emulator.name)):
            if "_worker.py" in processes.command_line(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
        return killed

    @contextlib.contextmanager
    def queue(self, **attributes: str) -> Iterator[None]:
        """Change attributes of the events queue for a while; ``maxReceiveCount`` is one of them here."""
        sqs, url = self.pipeline.sqs, self.pipeline.queue_url
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        changed = dict(attributes)
        receives = changed.pop("maxReceiveCount", None)
        if receives:
            policy = {**json.loads(before["RedrivePolicy"]), "maxReceiveCount": int(receives)}
            changed["RedrivePolicy"] = json.dumps(policy)
        sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before[name] for name in changed})

    @contextlib.contextmanager
    def mapping_disabled(self) -> Iterator[None]:
        """Disable the event source mapping for the length of a block."""
        functions = self.pipeline.state.client("lambda")
        name = self.pipeline.state.outputs["function_name"]
        (mapping,) = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)

    @contextlib.contextmanager
    def archiving(self, **settings: int) -> Iterator[None]:
        """Change settings of the archiver's event source mappings for a while."""
        functions = self.pipeline.state.client("lambda")
        name = self.pipeline.state.outputs["archiver_function_name"]
        mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], **settings)
        try:
            yield
        finally:
            for mapping in mappings:
                before = {setting: mapping[setting] for setting in settings}
                functions.update_event_source_mapping(UUID=mapping["UUID"], **before)

    def waiting(self) -> list[dict[str, Any]]:
        """The messages of the events queue, as records of the event source mapping; nothing is received."""
        url = f"{self.pipeline.state.endpoint}/_ministack/sqs/messages?"
        query = urllib.parse.urlencode({"QueueUrl": self.pipeline.queue_url})
        request = urllib.request.Request(url + query, headers=naming(self.pipeline.state.access_key))
        with _direct.open(request, timeout=30) as answer:
            accounts = json.load(answer)["messages"]
        now = str(int(time.time() * 1000))
        return [
            {
                "messageId": message["MessageId"],
                "body": message["Body"],
                "attributes": {"SentTimestamp": now},
                "messageAttributes": {},
            }
            for regions in accounts.values()
            for queues in regions.values()
            for messages in queues.values()
            for message in messages
        ]

    def invoke(self, records: list[dict[str, Any]]) -> None:
        """Deliver records past the queue."""
        functions = self.pipeline.state.client("lambda")
        payload = json.dumps({"Records": records}).encode()
        functions.invoke(FunctionName=self.pipeline.state.outputs["function_name"], Payload=payload)

    @contextlib.contextmanager
    def run(self, fault: str) -> Iterator[Run]:
        """Run events under a fault. It always ends with a row, and with an empty queue."""
        row = Row(fault)
        self.rows.append(row)
        began, before = time.monotonic(), self.injected
        try:
            with self.pipeline.inbox() as inbox:
                run = Run(self, row, inbox, accidents_before=self.accidents)
                yield run
                run.drain()
                run.check()
                row.verdict = "ok"
        finally:
            row.seconds = time.monotonic() - began
            row.injected += self.injected - before
            if row.verdict != "ok":
                for url in (self.pipeline.queue_url, self.pipeline.dlq_url):
                    self.pipeline.sqs.purge_queue(QueueUrl=url)


@dataclass
class Run:
    """Events sent under one fault, and what became of them."""

    harness: ChaosHarness
    row: Row
    inbox: Inbox
    sent: list[SentMessage] = field(default_factory=list)
    accidents_before: int = 0
    # Alerts may be repeated where a process died or an answer was lost, see docs/reliability.md.
    repeats_allowed: bool = False

    def produce(self, count: int, **options: Any) -> None:
        """Send events with the producer, which expects 5% of them to be rejected and 5% to be duplicates."""
        session = botocore.session.Session()
        session.set_config_variable("region", self.harness.resources.region)
        session.set_credentials(*(self.harness.resources.credentials or ("", "")))
        directory = self.harness.pipeline.state_dir / "manifests"
        directory.mkdir(exist_ok=True)
        target = Options(
            queue_url=self.harness.pipeline.queue_url,
            count=count,
            manifest=directory,
            **{**SHARES, **options},
        )
        result = produce(target, session=session)
        assert result.complete, result.error
        assert result.manifest is not None
        self.sent += read_run(Path(result.manifest)).messages

    def send(self, bodies: Iterable[str], expect: str = "stored") -> None:
        """Send bodies of valid events that raise no alert when stored."""
        for body in bodies:
            (message_id,) = self.harness.pipeline.send(body)
            event = json.loads(body)
            digest = contract.content_hash(body)
            self.sent.append(
                SentMessage(
                    message_id, event["event_id"], event["event_type"], digest, expect, large_order=False
                )
            )

    def drain(self, within: float = 180) -> None:
        """Wait until the queue is empty, and redrive what is dead-lettered until nothing is."""
        pipeline = self.harness.pipeline

        def is_drained() -> bool:
            if pipeline.depth():
                return False
            if not pipeline.depth(pipeline.dlq_url):
                return True
            self.redrive()
            return False

        eventually(is_drained, within=within, what="both queues are empty")

    def redrive(self) -> None:
        """Move what is dead-lettered back, as `make redrive` does."""
        redriven = redrive.redrive(self.harness.resources, rate=None, progress=lambda moved: None)
        assert redriven.is_balanced
        self.row.dead_lettered += redriven.moved

    def check(self) -> None:
        """Compare what was sent with what is stored, and with the alerts that came."""
        row = self.row
        run = SentRun(row.fault, self.harness.pipeline.queue_url, tuple(self.sent), failed=0, complete=True)
        verdict = verify.verify(self.harness.resources, [run], wait=60, everything=True)
        account = reconcile.reconcile(self.sent, Lookup(self.harness.resources).collect(self.sent))
        row.events = account.sent
        row.stored, row.duplicates, row.rejected = (
            account.outcomes[place] for place in (reconcile.STORED, reconcile.DUPLICATE, reconcile.REJECTED)
        )
        expected = {("large_order", item.event_id) for item in account.stored if item.large_order}
        expected |= {(item.kind, item.message_id) for item in account.rejected}
        came = Counter(named for alert in self.inbox.read() if (named := _named(alert)) in expected)
        row.expected, row.alerted = len(expected), len(came)
        row.repeated = came.total() - len(came)
        assert not verdict.discrepancies, verdict.discrepancies
        assert verdict.archive is not None
        assert not verdict.archive.on_its_way, verdict.archive.on_its_way
        assert account.accounted == account.sent
        assert account.recounted == 0
        assert not expected - set(came), f"never alerted: {expected - set(came)}"
        if not self.repeats_allowed and self.harness.accidents == self.accidents_before:
            repeated = [named for named, times in came.items() if times > 1]
            assert not repeated, f"alerted more than once: {repeated}"


def _named(alert: dict[str, Any]) -> tuple[str, str]:
    kind = alert["alert_type"]
    return kind, alert.get("event_id" if kind == "large_order" else "message_id", "")


Stacks = Callable[..., AbstractContextManager[Pipeline]]


@contextlib.contextmanager
def start_harness(
    new_stack: Stacks, log: Path, *, function_timeout: int, visibility: int
) -> Iterator[ChaosHarness]:
    """Bring up a stack whose function calls AWS through the proxies.

    Times are in seconds. The visibility timeout is far below the six times the function's timeout that AWS
    asks for, so that a returned message comes again within the test's time.
    """
    port = free_port()
    burst = Burst(f"http://127.0.0.1:{port}", free_port(), log)
    relay = Relay(burst.url)
    relay.start()
    # microburst changes the signed Host header, so signatures cannot be checked.
    environment = {"AWS_ENDPOINT_URL": relay.url, "AUTH": "false"}
    overrides = {"function_timeout": function_timeout, "max_receive_count": 5}
    try:
        with new_stack(overrides=overrides, emulator_environment=environment, port=port) as pipeline:
            harness = ChaosHarness(pipeline, burst, relay)
            with harness.queue(VisibilityTimeout=str(visibility)):
                yield harness
    finally:
        relay.stop()
        burst.stop()
