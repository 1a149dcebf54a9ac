"""The producer beside plain boto3 loops, and beside the most that the emulator takes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.benchmarks import senders
from tools.benchmarks.hosting import environment
from tools.benchmarks.measure import in_turn, spread
from tools.benchmarks.mock_aws import MockAws
from tools.core.paths import ROOT
from tools.core.state import ACCESS_KEY, StackState
from tools.local import ministack, processes

# Events in one measurement, by size in KB: about a second of work each.
COUNTS: dict[int, dict[str, int]] = {
    1: {senders.OURS: 20_000, senders.SINGLE: 500, senders.BATCHED: 4_000},
    200: {senders.OURS: 4_000, senders.SINGLE: 250, senders.BATCHED: 400},
}
EMULATOR_COUNTS = {1: 10_000, 200: 500}
_PREPARED = [way for way in senders.WAYS if way.startswith("prepared")]


def run(
    rounds: int = 7,
    counts: Mapping[int, Mapping[str, int]] = COUNTS,
    emulator_counts: Mapping[int, int] = EMULATOR_COUNTS,
) -> dict[str, Any]:
    """CPU and wall milliseconds per event against a sink, and events per second into the emulator's SQS."""
    with MockAws() as sink:
        queue_url = f"{sink.endpoint}/000000000000/events"
        found = {
            f"{kb}": {"sink": _compare(list(ways), rounds, lambda way: _send(way, queue_url, kb, ways[way]))}  # noqa: B023 - used at once
            for kb, ways in counts.items()
        }
    for kb, count in emulator_counts.items():
        found[f"{kb}"]["emulator"] = _ceiling(kb, count, rounds)
    return found


def _ceiling(kb: int, count: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary:
        state_dir = Path(temporary)
        emulator = ministack.start(state_dir, processes.free_port(), {})
        try:
            sqs = StackState(
                emulator.endpoint, "us-east-1", "ministack", {}, access_key=emulator.access_key
            ).client("sqs")

            def send(way: str) -> dict[str, float]:
                queue_url = sqs.create_queue(
                    QueueName="events", Attributes={"MaximumMessageSize": "1048576"}
                )["QueueUrl"]
                try:
                    return _send(way, queue_url, kb, count, emulator.access_key)
                finally:
                    sqs.delete_queue(QueueUrl=queue_url)

            return _compare([senders.OURS, *_PREPARED], rounds, send)
        finally:
            ministack.stop(emulator, state_dir)


def _compare(ways: list[str], rounds: int, send: Any) -> dict[str, Any]:
    results = in_turn(ways, rounds, lambda way, _: send(way))
    return {
        way: {
            "cpu_ms": spread([1000 * one["cpu"] / one["sent"] for one in measured]),
            "wall_ms": spread([1000 * one["wall"] / one["sent"] for one in measured]),
            "events_per_second": spread([one["sent"] / one["wall"] for one in measured]),
        }
        for way, measured in zip(ways, results, strict=True)
    }


def _send(way: str, queue_url: str, kb: int, count: int, access_key: str = ACCESS_KEY) -> dict[str, float]:
    endpoint = queue_url.rpartition("/000000000000/")[0]
    done = subprocess.run(
        [sys.executable, "-m", "tools.benchmarks.senders", way, queue_url, str(kb), str(count)],
        cwd=ROOT,
        env=environment(endpoint)
        | {"AWS_ACCESS_KEY_ID": access_key, "PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"{way} failed:\n{done.stderr}")
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured
