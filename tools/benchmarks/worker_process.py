"""A stack of the benchmarks' own, and what they ask of it."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session

from tools.benchmarks.designs import Design
from tools.core.state import ACCESS_KEY, SECRET_KEY, StackState
from tools.deploy import versions
from tools.local import lifecycle, processes
from tools.local.emulator import Emulator

_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class RunningStack:
    """MiniStack with Terraform applied, and where it keeps its state."""

    state: StackState
    state_dir: Path

    @property
    def queue_url(self) -> str:
        """The events queue."""
        return str(self.state.outputs["queue_url"])

    def session(self) -> Any:
        """A botocore session with the emulator's credentials, for the producer."""
        session = botocore.session.Session()
        session.set_credentials(ACCESS_KEY, SECRET_KEY)
        return session

    def deploy(self, design: Design) -> None:
        """Put a design's code in the function's place, as a version that the queue's alias goes to."""
        function = self.state.outputs["function_name"]
        client = self.state.client("lambda")
        with tempfile.TemporaryDirectory() as temporary:
            made = client.update_function_code(
                FunctionName=function, ZipFile=design.zip(Path(temporary) / "function.zip"), Publish=True
            )
        client.get_waiter("function_updated_v2").wait(
            FunctionName=function, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )
        client.update_alias(FunctionName=function, Name=versions.LIVE, FunctionVersion=made["Version"])

    def drained_at(self, within: float) -> float:
        """Wait until the queue is empty; returns when it was first seen so, by ``time.perf_counter``.

        Raises TimeoutError after ``within`` seconds.
        """
        sqs = self.state.client("sqs")
        deadline = time.perf_counter() + within
        while True:
            seen = time.perf_counter()
            answer = sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["All"])
            waiting = sum(
                int(answer["Attributes"][f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible")
            )
            if not waiting:
                return seen
            if seen > deadline:
                raise TimeoutError(f"{waiting} messages were left in the queue after {within:g} s")
            time.sleep(_POLL_SECONDS)

    def stored(self) -> int:
        """How many items the events table holds."""
        return sum(page["Count"] for page in self._pages(Select="COUNT"))

    def stored_by_ours(self) -> int:
        """How many of them this pipeline's own code wrote: no other design names an encoding."""
        condition = "attribute_exists(payload_encoding)"
        return sum(page["Count"] for page in self._pages(Select="COUNT", FilterExpression=condition))

    def forget_events(self) -> None:
        """Empty the events table, so that the same events can be sent again."""
        dynamodb = self.state.client("dynamodb")
        table = self.state.outputs["table_name"]
        for page in self._pages(ProjectionExpression="event_id"):
            for first in range(0, len(page["Items"]), 25):
                deletions = [{"DeleteRequest": {"Key": key}} for key in page["Items"][first : first + 25]]
                dynamodb.batch_write_item(RequestItems={table: deletions})

    def _pages(self, **options: Any) -> Any:
        paginator = self.state.client("dynamodb").get_paginator("scan")
        return paginator.paginate(TableName=self.state.outputs["table_name"], **options)

    def peaks_mb(self) -> dict[str, float]:
        """Peak memory so far of the emulator and of each Lambda worker; nothing where /proc is not."""
        peaks = {}
        for place, pid in enumerate(self._processes()):
            if (peak := peak_mb(pid)) is not None:
                peaks["emulator" if place == 0 else f"worker {place}"] = peak
        return peaks

    def cpu_seconds(self) -> tuple[float, float]:
        """CPU time so far of the emulator, and of its Lambda workers together; 0 where /proc is not."""
        emulator, *workers = [_cpu_seconds(pid) for pid in self._processes()] or [0.0]
        return emulator, sum(workers)

    def _processes(self) -> list[int]:
        """The emulator's, and those of its workers."""
        emulator = Emulator.load(self.state_dir)
        return processes.group_members(int(emulator.name)) if emulator else []


def peak_mb(pid: int) -> float | None:
    """The most memory that a process ever had, in MB of 1,048,576 bytes."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM")), None)


def _cpu_seconds(pid: int) -> float:
    try:
        # After the command's name, in parentheses; user and system time are fields 14 and 15 (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _nothing(line: str) -> None:
    """Takes the lines that bringing up a stack says."""


@contextmanager
def stack(*, archive: bool = False) -> Iterator[RunningStack]:
    """Bring up a stack of its own on a free port, and remove it afterwards.

    Without the archive, unless it is what is measured: no rival has one.
    """
    with tempfile.TemporaryDirectory() as temporary:
        state_dir = Path(temporary) / "stack"
        try:
            state = lifecycle.up(
                state_dir,
                processes.free_port(),
                "ministack",
                overrides={"archive": archive},
                log=_nothing,
            )
            yield RunningStack(state, state_dir)
        finally:
            lifecycle.down(state_dir)
