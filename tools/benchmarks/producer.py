"""Compare the producer with boto3 loops, and with the highest rate that the emulator accepts."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.benchmarks import senders
from tools.benchmarks.measure import compare
from tools.benchmarks.mock_aws import MockAws
from tools.benchmarks.worker_process import PYTHONPATH, function_environment
from tools.core.paths import ROOT
from tools.core.state import ACCESS_KEY, StackState
from tools.local import ministack, processes

# Events in one measurement by size in KB and way of sending: each takes about a second.
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
    """Return milliseconds per event sent to the mock, and events per second sent to the emulator."""
    results = {f"{kb}": {"sink": _measure_mock(kb, ways, rounds)} for kb, ways in counts.items()}
    for kb, count in emulator_counts.items():
        results[f"{kb}"]["emulator"] = _measure_emulator(kb, count, rounds)
    return results


def _measure_mock(kb: int, counts: Mapping[str, int], rounds: int) -> dict[str, Any]:
    with MockAws() as mock:
        queue_url = f"{mock.endpoint}/000000000000/events"
        ways = {way: way for way in counts}
        return compare(ways, rounds, lambda way: _send(way, queue_url, kb, counts[way]))


def _measure_emulator(kb: int, count: int, rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as temporary:
        state_dir = Path(temporary)
        emulator = ministack.start(state_dir, processes.free_port(), {})
        state = StackState(emulator.endpoint, "us-east-1", "ministack", {}, access_key=emulator.access_key)
        sqs = state.client("sqs")

        def send(way: str) -> dict[str, float]:
            queue = {"QueueName": "events", "Attributes": {"MaximumMessageSize": "1048576"}}
            queue_url = sqs.create_queue(**queue)["QueueUrl"]
            try:
                return _send(way, queue_url, kb, count, emulator.access_key)
            finally:
                sqs.delete_queue(QueueUrl=queue_url)

        try:
            return compare({way: way for way in (senders.OURS, *_PREPARED)}, rounds, send)
        finally:
            ministack.stop(emulator, state_dir)


def _send(way: str, queue_url: str, kb: int, count: int, access_key: str = ACCESS_KEY) -> dict[str, float]:
    endpoint = queue_url.rpartition("/000000000000/")[0]
    process = subprocess.run(
        [sys.executable, "-m", "tools.benchmarks.senders", way, queue_url, str(kb), str(count)],
        cwd=ROOT,
        env=function_environment(endpoint) | PYTHONPATH | {"AWS_ACCESS_KEY_ID": access_key},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise RuntimeError(f"{way} failed:\n{process.stderr}")
    measured: dict[str, float] = json.loads(process.stdout.splitlines()[-1])
    return measured
