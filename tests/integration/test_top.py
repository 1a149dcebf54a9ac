"""The terminal program on a running stack: its figures, its rights, an endpoint that goes and comes."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboards.collect.all import watch
from dashboards.collect.metrics import Metrics, metrics_of
from dashboards.collect.runner import Runner
from dashboards.reading_store import ReadingStore
from dashboards.target import Target, find
from dashboards.values import Absent
from tests.integration.conftest import Pipeline
from tests.integration.test_pipeline import activity, event_id, order
from tests.targets import ENDPOINT, IAM, LOG_FIGURES, PERCENTILES
from tests.waiting import eventually
from tools.core.errors import OpsError
from tools.core.paths import ROOT
from tools.core.state import SECRET_KEY

POLICY = ROOT / "dashboards" / "reader-policy.json"
READINGS = ("depth", "activity", "tables", "alerts", "alarms")
# An emulator has no metrics, so there the log group is read; on AWS nobody needs this.
READ_LOG = {
    "Sid": "ReadLog",
    "Effect": "Allow",
    "Action": ["logs:FilterLogEvents"],
    "Resource": ["arn:aws:logs:*:*:log-group:/aws/lambda/${name}-processor*"],
}


def top(pipeline: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program on the stack of the tests."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "lambda_src")]),
        "STACK_DIR": str(pipeline.state_dir),
        **pipeline.target.environment(),
    }
    return subprocess.run(
        [sys.executable, "-m", "dashboards", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def panels(pipeline: Pipeline) -> dict[str, Any]:
    """What --json says."""
    done = top(pipeline, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["panels"]
    return found


@pytest.mark.needs(LOG_FIGURES)
def test_the_figures_are_those_of_what_was_sent(pipeline: Pipeline) -> None:
    before = panels(pipeline)
    large = order("4321")
    pipeline.send(activity(), large, large, "{}")
    pipeline.drain()

    def told() -> dict[str, Any] | None:
        after = panels(pipeline)
        return (
            after
            if after["dynamodb"]["figures"]["events"] > before["dynamodb"]["figures"]["events"]
            else None
        )

    after = eventually(told, within=30, what="more events in the table")
    counted = {
        name: after["dynamodb"]["figures"][name] - before["dynamodb"]["figures"][name]
        for name in ("events", "rejected", "duplicates")
    }
    assert counted == {"events": 2, "rejected": 1, "duplicates": 1}
    assert after["queue"]["figures"]["visible"] == 0
    assert after["lambda"]["figures"]["duration_p95_ms"] > 0
    newest = after["alerts"]["newest"]
    assert ("large order", event_id(large)) in {(alert["kind"], alert["event_id"]) for alert in newest}
    assert any(alert["kind"] == "rejected" for alert in newest)
    assert {alarm["name"] for alarm in after["alarms"]["alarms"]} >= {"dead-letters", "function-errors"}


@pytest.mark.needs(LOG_FIGURES)
def test_one_frame_is_printed_and_names_the_sources(pipeline: Pipeline) -> None:
    done = top(pipeline, "--once")
    assert done.returncode == 0, done.stdout
    for part in ("Queue", "Throughput", "Lambda", "DynamoDB", "Alerts", "Alarms", "log group", "SQS"):
        assert part in done.stdout


@pytest.mark.needs(LOG_FIGURES)
def test_what_an_emulator_cannot_tell_is_absent_with_its_reason(pipeline: Pipeline) -> None:
    found = panels(pipeline)
    assert found["lambda"]["absent"]["throttles_in_900_seconds"] == "not logged"
    assert found["dynamodb"]["absent"]["write_units_per_second"] == "no metrics"
    assert found["dynamodb"]["figures"]["write_units_per_second"] is None


# --- rights --------------------------------------------------------------------------------------------


@dataclass
class Reader:
    """An IAM user who may read, and whose rights can be narrowed."""

    iam: Any
    pipeline: str
    name: str
    policy: dict[str, Any]

    def put(self, policy: Mapping[str, Any]) -> None:
        """Give the user exactly this policy."""
        document = json.dumps(policy).replace("${name}", self.pipeline)
        self.iam.put_user_policy(UserName=self.name, PolicyName="reader", PolicyDocument=document)

    @contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Take one action from the user for a while."""
        statements = [
            {**statement, "Action": left}
            for statement in self.policy["Statement"]
            if (left := [name for name in statement["Action"] if name != action])
        ]
        self.put({**self.policy, "Statement": statements})
        try:
            yield
        finally:
            self.put(self.policy)


def log_in(monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline, key: str, secret: str) -> None:
    """Put an endpoint and credentials into the environment, as a person's shell holds them."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", pipeline.state.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def reader(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """A user with the policy that docs/monitoring.md gives, whose keys the environment holds."""
    iam = pipeline.state.client("iam")
    name = f"reader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    policy = json.loads(POLICY.read_text())
    policy["Statement"].append(READ_LOG)
    user = Reader(iam, pipeline.name, name, policy)
    user.put(policy)
    log_in(monkeypatch, pipeline, key["AccessKeyId"], key["SecretAccessKey"])
    try:
        yield user
    finally:
        iam.delete_user_policy(UserName=name, PolicyName="reader")
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)


def by_name(pipeline: Pipeline) -> Target:
    """The pipeline found by its name, as on AWS, with the environment's credentials."""
    return find(pipeline.name, None, pipeline.state.region)


def looked_at(target: Target) -> dict[str, str | None]:
    """Everything asked once: each reading's problem, and that of CloudWatch's metrics, as on AWS."""
    runner, board = watch(target, 1.0)
    runner.once(30, depth_again_after=0.0)
    state = board.state(time.time())
    aws = ReadingStore(target.name, target.where, dict.fromkeys(READINGS, ("CloudWatch", 30.0)))
    Runner([Metrics(target)], aws).once(30, depth_again_after=0.0)
    problems = {name: getattr(state, name).problem for name in READINGS}
    return problems | {"metrics": aws.state(time.time()).activity.problem}


@pytest.mark.needs(IAM)
def test_with_the_policy_in_the_docs_everything_can_be_read(pipeline: Pipeline, reader: Reader) -> None:
    assert looked_at(by_name(pipeline)) == dict.fromkeys((*READINGS, "metrics"))


@pytest.mark.needs(IAM)
@pytest.mark.parametrize(
    ("action", "reading"),
    [
        ("sqs:GetQueueAttributes", "depth"),
        ("dynamodb:DescribeTable", "tables"),
        ("dynamodb:Query", "alerts"),
        ("cloudwatch:DescribeAlarms", "alarms"),
        ("cloudwatch:GetMetricData", "metrics"),
        ("logs:FilterLogEvents", "activity"),
    ],
)
def test_without_one_of_its_actions_the_panel_concerned_says_so(
    pipeline: Pipeline, reader: Reader, action: str, reading: str
) -> None:
    target = by_name(pipeline)
    with reader.without(action):
        problems = looked_at(target)
    assert {name: said for name, said in problems.items() if said} == {reading: f"not allowed: {action}"}


@pytest.mark.needs(IAM)
def test_without_the_right_to_find_the_queue_the_program_says_so(pipeline: Pipeline, reader: Reader) -> None:
    with reader.without("sqs:GetQueueUrl"), pytest.raises(OpsError, match="GetQueueUrl"):
        by_name(pipeline)


@pytest.mark.needs(ENDPOINT)
def test_a_pipeline_that_is_not_there_is_named(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    log_in(monkeypatch, pipeline, pipeline.state.access_key, SECRET_KEY)
    with pytest.raises(OpsError, match="no queue rt-other-prod-events"):
        find("rt-other-prod", None, pipeline.state.region)


def test_the_policy_reads_and_never_writes() -> None:
    actions = {
        action for statement in json.loads(POLICY.read_text())["Statement"] for action in statement["Action"]
    }
    assert all(action.partition(":")[2].startswith(("Get", "Describe", "Query")) for action in actions)


# --- CloudWatch ----------------------------------------------------------------------------------------


@pytest.mark.needs(ENDPOINT)
@pytest.mark.needs(PERCENTILES)
def test_figures_that_cloudwatch_has_are_read_from_it(pipeline: Pipeline) -> None:
    known = find(None, None, None, {"STACK_DIR": str(pipeline.state_dir)})
    # Names of its own: what is put here is no alarm's business.
    other = f"other-{uuid.uuid4().hex[:8]}"
    target = replace(known, function_name=other, queue_url=f"{pipeline.state.endpoint}/0/{other}")
    minute = datetime.fromtimestamp(time.time() // 60 * 60 - 120, UTC)
    wanted = {"latency_p95": 180.0, "duration_p95": 250.0, "oldest": 9.0, "sent": 240.0}
    cloudwatch = pipeline.state.client("cloudwatch")
    for metric in metrics_of(target):
        if metric.key in wanted:
            dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
            datum = {"Dimensions": dimensions, "Timestamp": minute, "Value": wanted[metric.key]}
            cloudwatch.put_metric_data(
                Namespace=metric.namespace, MetricData=[{"MetricName": metric.name, **datum}]
            )
    found = Metrics(target).collect().value
    assert (found.latency_p95, found.duration_p95, found.oldest, found.sent) == (180.0, 250.0, 9.0, 4.0)
    assert found.received == Absent("silent for 5 min")


# --- an endpoint that goes and comes --------------------------------------------------------------------


class Door:
    """A port that leads to the emulator while it is open. Open or shut, it stays the same port."""

    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        self._behind = host, int(port)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._listener: socket.socket | None = None
        self._connections: list[socket.socket] = []

    def open(self) -> None:
        """Let connections through."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen()
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def shut(self) -> None:
        """Refuse connections and cut those that there are."""
        if self._listener:
            # A thread in accept() would hold the port on.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                front, _ = listener.accept()
                back = socket.create_connection(self._behind)
                self._connections += [front, back]
                threading.Thread(target=self._pass_on, args=(front, back), daemon=True).start()

    @staticmethod
    def _pass_on(front: socket.socket, back: socket.socket) -> None:
        with front, back, suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([front, back], [], [])
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    (back if source is front else front).sendall(data)


@pytest.fixture
def door(pipeline: Pipeline) -> Iterator[Door]:
    made = Door(pipeline.state.endpoint)
    made.open()
    yield made
    made.shut()


@pytest.mark.needs(ENDPOINT)
def test_an_endpoint_that_goes_is_said_on_every_panel_and_all_recover_when_it_is_back(
    pipeline: Pipeline, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = {
        name: value.replace(pipeline.state.endpoint, door.endpoint)
        for name, value in pipeline.state.environment().items()
    }
    log_in(monkeypatch, pipeline, pipeline.state.access_key, SECRET_KEY)
    runner, board = watch(find(None, None, None, exports), 0.5)

    def problems() -> list[str | None]:
        return [reading.problem for reading in board.state(time.time()).readings]

    def all_well() -> bool:
        state = board.state(time.time())
        return all(reading.value is not None and not reading.problem for reading in state.readings)

    runner.start()
    try:
        eventually(all_well, within=30, what="every source has answered")
        door.shut()
        eventually(lambda: all(problems()), within=30, what="every source is in trouble")
        assert all(str(problem).endswith("does not answer") for problem in problems())
        assert board.state(time.time()).depth.value is not None
        door.open()
        eventually(all_well, within=30, what="every source answers again")
    finally:
        runner.stop()
