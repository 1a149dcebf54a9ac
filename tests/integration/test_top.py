"""Run `make top` on a running stack: its values, its permissions, an endpoint that fails and recovers."""

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

from dashboards.collect.metrics import Metrics, list_metrics
from dashboards.collect.runner import Runner
from dashboards.collect.sources import create_runner
from dashboards.reading_store import ReadingStore
from dashboards.target import Target, find_target
from dashboards.values import Absent
from tests.integration.conftest import Pipeline
from tests.integration.test_pipeline import activity, event_id, order
from tests.targets import ENDPOINT, IAM, LOG_FIGURES, PERCENTILES
from tests.waiting import eventually
from tools.core.errors import ToolError
from tools.core.paths import ROOT
from tools.core.state import SECRET_KEY

POLICY = ROOT / "dashboards" / "reader-policy.json"
READINGS = ("depth", "activity", "tables", "alerts", "alarms")
# Only emulators need this: the log group is read because they have no metrics.
READ_LOG = {
    "Sid": "ReadLog",
    "Effect": "Allow",
    "Action": ["logs:FilterLogEvents"],
    "Resource": ["arn:${partition}:logs:*:*:log-group:/aws/lambda/${name}-processor*"],
}


def run_top(pipeline: Pipeline, *arguments: str) -> subprocess.CompletedProcess[str]:
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


def read_panels(pipeline: Pipeline) -> dict[str, Any]:
    """Return the panels that --json prints."""
    result = run_top(pipeline, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    panels: dict[str, Any] = json.loads(result.stdout)["panels"]
    return panels


@pytest.mark.needs(LOG_FIGURES)
def test_the_values_match_the_events_that_were_sent(pipeline: Pipeline) -> None:
    before = read_panels(pipeline)
    large = order("4321")
    pipeline.send(activity(), large, large, "{}")
    pipeline.drain()

    def panels_after() -> dict[str, Any] | None:
        after = read_panels(pipeline)
        return (
            after
            if after["dynamodb"]["figures"]["events"] > before["dynamodb"]["figures"]["events"]
            else None
        )

    after = eventually(panels_after, within=30, what="more events in the table")
    difference = {
        name: after["dynamodb"]["figures"][name] - before["dynamodb"]["figures"][name]
        for name in ("events", "rejected", "duplicates")
    }
    assert difference == {"events": 2, "rejected": 1, "duplicates": 1}
    assert after["queue"]["figures"]["visible"] == 0
    assert after["lambda"]["figures"]["duration_p95_ms"] > 0
    newest = after["alerts"]["newest"]
    assert ("large order", event_id(large)) in {(alert["kind"], alert["event_id"]) for alert in newest}
    assert any(alert["kind"] == "rejected" for alert in newest)
    assert {alarm["name"] for alarm in after["alarms"]["alarms"]} >= {"dead-letters", "function-errors"}


@pytest.mark.needs(LOG_FIGURES)
def test_one_frame_is_printed_and_names_the_sources(pipeline: Pipeline) -> None:
    result = run_top(pipeline, "--once")
    assert result.returncode == 0, result.stdout
    for part in ("Queue", "Throughput", "Lambda", "DynamoDB", "Alerts", "Alarms", "log group", "SQS"):
        assert part in result.stdout


@pytest.mark.needs(LOG_FIGURES)
def test_values_that_an_emulator_lacks_are_absent_with_their_reason(pipeline: Pipeline) -> None:
    panels = read_panels(pipeline)
    assert panels["lambda"]["absent"]["throttles_in_900_seconds"] == "not logged"
    assert panels["dynamodb"]["absent"]["write_units_per_second"] == "no metrics"
    assert panels["dynamodb"]["figures"]["write_units_per_second"] is None


# --- permissions --------------------------------------------------------------------------------------------


@dataclass
class Reader:
    """An IAM user with the reader policy, from which a test can remove actions."""

    iam: Any
    pipeline: str
    name: str
    policy: dict[str, Any]

    def put_policy(self, policy: Mapping[str, Any]) -> None:
        """Replace the user's policy."""
        document = json.dumps(policy).replace("${name}", self.pipeline).replace("${partition}", "aws")
        self.iam.put_user_policy(UserName=self.name, PolicyName="reader", PolicyDocument=document)

    @contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Remove one action from the policy while the context is open."""
        statements = [
            {**statement, "Action": actions}
            for statement in self.policy["Statement"]
            if (actions := [name for name in statement["Action"] if name != action])
        ]
        self.put_policy({**self.policy, "Statement": statements})
        try:
            yield
        finally:
            self.put_policy(self.policy)


def log_in(monkeypatch: pytest.MonkeyPatch, pipeline: Pipeline, key: str, secret: str) -> None:
    """Export an endpoint and credentials, as in a shell."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", pipeline.state.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    for name in ("AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def reader(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[Reader]:
    """An IAM user with the policy of docs/monitoring.md, whose credentials are exported."""
    iam = pipeline.state.client("iam")
    name = f"reader-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    policy = json.loads(POLICY.read_text())
    policy["Statement"].append(READ_LOG)
    user = Reader(iam, pipeline.name, name, policy)
    user.put_policy(policy)
    log_in(monkeypatch, pipeline, key["AccessKeyId"], key["SecretAccessKey"])
    try:
        yield user
    finally:
        iam.delete_user_policy(UserName=name, PolicyName="reader")
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)


def find_by_name(pipeline: Pipeline) -> Target:
    """Find the pipeline by its name, as on AWS, with the exported credentials."""
    return find_target(pipeline.name, None, pipeline.state.region)


def read_errors(target: Target) -> dict[str, str | None]:
    """Read every source once, and CloudWatch's metrics as on AWS. Return each reading's error."""
    runner, store = create_runner(target, 1.0)
    runner.run_once(30, second_depth_after=0.0)
    state = store.state(time.time())
    aws_store = ReadingStore(target.name, target.location, dict.fromkeys(READINGS, ("CloudWatch", 30.0)))
    Runner([Metrics(target)], aws_store).run_once(30, second_depth_after=0.0)
    errors = {name: getattr(state, name).error for name in READINGS}
    return errors | {"metrics": aws_store.state(time.time()).activity.error}


@pytest.mark.needs(IAM)
def test_the_documented_policy_allows_every_call(pipeline: Pipeline, reader: Reader) -> None:
    assert read_errors(find_by_name(pipeline)) == dict.fromkeys((*READINGS, "metrics"))


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
def test_the_panel_that_needs_a_removed_action_shows_the_error(
    pipeline: Pipeline, reader: Reader, action: str, reading: str
) -> None:
    target = find_by_name(pipeline)
    with reader.without(action):
        errors = read_errors(target)
    assert {name: error for name, error in errors.items() if error} == {reading: f"not allowed: {action}"}


@pytest.mark.needs(IAM)
def test_the_error_names_get_queue_url_if_the_policy_lacks_it(pipeline: Pipeline, reader: Reader) -> None:
    with reader.without("sqs:GetQueueUrl"), pytest.raises(ToolError, match="GetQueueUrl"):
        find_by_name(pipeline)


@pytest.mark.needs(ENDPOINT)
def test_the_error_names_a_pipeline_that_does_not_exist(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(monkeypatch, pipeline, pipeline.state.access_key, SECRET_KEY)
    with pytest.raises(ToolError, match="no queue rt-other-prod-events"):
        find_target("rt-other-prod", None, pipeline.state.region)


def test_the_policy_only_allows_read_actions() -> None:
    actions = {
        action for statement in json.loads(POLICY.read_text())["Statement"] for action in statement["Action"]
    }
    assert all(action.partition(":")[2].startswith(("Get", "Describe", "Query")) for action in actions)


# --- CloudWatch ----------------------------------------------------------------------------------------


@pytest.mark.needs(ENDPOINT)
@pytest.mark.needs(PERCENTILES)
def test_values_are_read_from_cloudwatch(pipeline: Pipeline) -> None:
    found = find_target(None, None, None, {"STACK_DIR": str(pipeline.state_dir)})
    # No alarm watches metrics of this name.
    other = f"other-{uuid.uuid4().hex[:8]}"
    target = replace(found, function_name=other, queue_url=f"{pipeline.state.endpoint}/0/{other}")
    minute = datetime.fromtimestamp(time.time() // 60 * 60 - 120, UTC)
    values = {"latency_p95": 180.0, "duration_p95": 250.0, "oldest": 9.0, "sent": 240.0}
    cloudwatch = pipeline.state.client("cloudwatch")
    for metric in list_metrics(target):
        if metric.key in values:
            dimensions = [{"Name": name, "Value": value} for name, value in metric.dimensions]
            datum = {"Dimensions": dimensions, "Timestamp": minute, "Value": values[metric.key]}
            cloudwatch.put_metric_data(
                Namespace=metric.namespace, MetricData=[{"MetricName": metric.name, **datum}]
            )
    activity = Metrics(target).collect().value
    assert (activity.latency_p95, activity.duration_p95, activity.oldest, activity.sent) == (
        180.0,
        250.0,
        9.0,
        4.0,
    )
    assert activity.received == Absent("silent for 5 min")


# --- an endpoint that fails and recovers --------------------------------------------------------------------


class TcpProxy:
    """A port that forwards to the emulator while the proxy is open. The port never changes."""

    def __init__(self, endpoint: str) -> None:
        host, _, port = endpoint.removeprefix("http://").partition(":")
        self._backend = host, int(port)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._listener: socket.socket | None = None
        self._connections: list[socket.socket] = []

    def open(self) -> None:
        """Forward connections."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._port))
        listener.listen()
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        """Refuse new connections and close the existing ones."""
        if self._listener:
            # A thread blocked in accept() would keep the port open.
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
                back = socket.create_connection(self._backend)
                self._connections += [front, back]
                threading.Thread(target=self._forward, args=(front, back), daemon=True).start()

    @staticmethod
    def _forward(front: socket.socket, back: socket.socket) -> None:
        with front, back, suppress(OSError, ValueError):
            while True:
                ready, _, _ = select.select([front, back], [], [])
                for source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    (back if source is front else front).sendall(data)


@pytest.fixture
def proxy(pipeline: Pipeline) -> Iterator[TcpProxy]:
    opened = TcpProxy(pipeline.state.endpoint)
    opened.open()
    yield opened
    opened.close()


@pytest.mark.needs(ENDPOINT)
def test_every_panel_shows_an_endpoint_failure_and_recovers_after_it(
    pipeline: Pipeline, proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    exports = {
        name: value.replace(pipeline.state.endpoint, proxy.endpoint)
        for name, value in pipeline.state.environment().items()
    }
    log_in(monkeypatch, pipeline, pipeline.state.access_key, SECRET_KEY)
    runner, store = create_runner(find_target(None, None, None, exports), 0.5)

    def errors() -> list[str | None]:
        return [reading.error for reading in store.state(time.time()).readings]

    def all_sources_answer() -> bool:
        state = store.state(time.time())
        return all(reading.value is not None and not reading.error for reading in state.readings)

    runner.start()
    try:
        eventually(all_sources_answer, within=30, what="every source has answered")
        proxy.close()
        eventually(lambda: all(errors()), within=30, what="every source fails")
        assert all(str(error).endswith("does not answer") for error in errors())
        assert store.state(time.time()).depth.value is not None
        proxy.open()
        eventually(all_sources_answer, within=30, what="every source answers again")
    finally:
        runner.stop()
