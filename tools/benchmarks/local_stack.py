"""Start a local stack for a benchmark, and query it."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session

from storage.attributes import EVENT_ID, PAYLOAD_ENCODING
from tools.benchmarks.designs import Design
from tools.core import queues
from tools.core.state import SECRET_KEY, StackState
from tools.deploy import versions
from tools.local import lifecycle, processes
from tools.local.emulator import Emulator

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class LocalStack:
    """A running MiniStack with the pipeline, and its state directory."""

    state: StackState
    state_dir: Path

    @property
    def queue_url(self) -> str:
        """Return the URL of the events queue."""
        return str(self.state.outputs["queue_url"])

    def session(self) -> Any:
        """Return a botocore session with the emulator's credentials, for the producer."""
        session = botocore.session.Session()
        session.set_credentials(self.state.access_key, SECRET_KEY)
        return session

    def deploy(self, design: Design) -> None:
        """Deploy a design as the version that the queue's alias points to."""
        function = self.state.outputs["function_name"]
        client = self.state.client("lambda")
        with tempfile.TemporaryDirectory() as temporary:
            version = client.update_function_code(
                FunctionName=function,
                ZipFile=design.build_zip(Path(temporary) / "function.zip"),
                Publish=True,
            )
        client.get_waiter("function_updated_v2").wait(
            FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        client.update_alias(FunctionName=function, Name=versions.LIVE, FunctionVersion=version["Version"])

    def allow_batch_writes(self) -> None:
        """Let the function write batches, which only the floor does. The stack is the benchmark's own."""
        function = self.state.client("lambda").get_function_configuration(
            FunctionName=self.state.outputs["function_name"]
        )
        statement = {"Effect": "Allow", "Action": "dynamodb:BatchWriteItem", "Resource": "*"}
        self.state.client("iam").put_role_policy(
            RoleName=function["Role"].rpartition("/")[2],
            PolicyName="floor",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )

    def set_concurrency(self, workers: int) -> None:
        """Set the maximum number of concurrent invocations by the queue."""
        client = self.state.client("lambda")
        function = f"{self.state.outputs['function_name']}:{versions.LIVE}"
        (mapping,) = client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        client.update_event_source_mapping(
            UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": workers}
        )

    def wait_until_drained(self, timeout: float) -> float:
        """Wait until the queue is empty. Return when that was first observed, by ``time.perf_counter``.

        Raises TimeoutError after ``timeout`` seconds.
        """
        sqs = self.state.client("sqs")
        deadline = time.perf_counter() + timeout
        while True:
            observed = time.perf_counter()
            waiting = queues.depth(sqs, self.queue_url).total
            if not waiting:
                return observed
            if observed > deadline:
                raise TimeoutError(f"{waiting} messages were left in the queue after {timeout:g} s")
            time.sleep(_POLL_SECONDS)

    def count_stored(self) -> int:
        """Count the items of the events table."""
        return sum(page["Count"] for page in self._pages(Select="COUNT"))

    def count_stored_by_ours(self) -> int:
        """Count the items that this pipeline's own code wrote: other designs store no encoding."""
        condition = f"attribute_exists({PAYLOAD_ENCODING})"
        return sum(page["Count"] for page in self._pages(Select="COUNT", FilterExpression=condition))

    def any_customer(self) -> str:
        """Return the customer of some event."""
        (item,) = next(iter(self._pages(Limit=1)))["Items"]
        return str(item["customer_id"]["S"])

    def delete_events(self) -> None:
        """Delete all items of the events table, so that the same events can be sent again."""
        dynamodb = self.state.client("dynamodb")
        table = self.state.outputs["table_name"]
        for page in self._pages(ProjectionExpression=EVENT_ID):
            for first in range(0, len(page["Items"]), 25):
                deletions = [{"DeleteRequest": {"Key": key}} for key in page["Items"][first : first + 25]]
                dynamodb.batch_write_item(RequestItems={table: deletions})

    def _pages(self, **options: Any) -> Any:
        paginator = self.state.client("dynamodb").get_paginator("scan")
        return paginator.paginate(TableName=self.state.outputs["table_name"], **options)

    def peaks_mb(self) -> dict[str, float]:
        """Return the peak memory of the emulator and of each function's largest worker, if there is /proc."""
        peaks: dict[str, float] = {}
        for index, pid in enumerate(self._processes()):
            name = self._function_of(pid) if index else "emulator"
            if name and (peak := peak_mb(pid)) is not None:
                peaks[name] = max(peak, peaks.get(name, 0.0))
        return peaks

    def _function_of(self, pid: int) -> str | None:
        """Return which function a worker runs, by the name of the directory in which MiniStack starts it."""
        try:
            directory = str(Path(f"/proc/{pid}/cwd").readlink())
        except OSError:
            return None
        outputs = {"processor": "function_name", "archiver": "archiver_function_name"}
        names = {name: self.state.outputs.get(output) for name, output in outputs.items()}
        return next((name for name, function in names.items() if function and function in directory), None)

    def cpu_seconds(self) -> tuple[float, float]:
        """Return the CPU time of the emulator and of all its Lambda workers; 0 without /proc."""
        emulator, *workers = [_cpu_seconds(pid) for pid in self._processes()] or [0.0]
        return emulator, sum(workers)

    def _processes(self) -> list[int]:
        """Return the process ids of the emulator and of its workers."""
        emulator = Emulator.load(self.state_dir)
        return processes.group_members(int(emulator.name)) if emulator else []


def peak_mb(pid: int) -> float | None:
    """Return the peak memory of a process, in MB of 1,048,576 bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM")), None)


def _cpu_seconds(pid: int) -> float:
    try:
        # User and system time are fields 14 and 15; field 2, in parentheses, may contain spaces (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def start_stack(*, archive: bool = False) -> Iterator[LocalStack]:
    """Start a stack on a free port, and remove it afterwards.

    It has no archive unless that is measured, because the baselines have none.
    """
    with tempfile.TemporaryDirectory() as temporary:
        state_dir = Path(temporary) / "stack"
        try:
            state = lifecycle.up(
                state_dir,
                processes.free_port(),
                "ministack",
                overrides={"archive": archive},
                log=lambda _: None,
            )
            yield LocalStack(state, state_dir)
        finally:
            lifecycle.down(state_dir)
