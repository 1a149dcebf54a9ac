"""Keeps what an emulator and its functions logged, to explain a run that failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from tools.core.paths import ROOT
from tools.core.state import StackState

DIRECTORY = ROOT / "build" / "logs"


def keep(name: str, *content: bytes) -> None:
    """Write one log into `build/logs`."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    (DIRECTORY / f"{name}.log").write_bytes(b"".join(content))


@contextmanager
def kept_where_a_test_fails(state: StackState, session: pytest.Session) -> Iterator[None]:
    """Write the logs of the stack's functions where its user fails, or any test of the run has."""
    failed = True
    try:
        yield
        failed = session.testsfailed > 0
    finally:
        if failed:
            keep_functions(state)


def keep_functions(state: StackState) -> None:
    """Write what each function of a stack logged, before the stack is destroyed with its logs."""
    client = state.client("logs")
    try:
        for page in client.get_paginator("describe_log_groups").paginate(
            logGroupNamePrefix=f"/aws/lambda/{state.name}"
        ):
            for group in page["logGroups"]:
                name = group["logGroupName"]
                lines = [
                    event["message"].rstrip("\n") + "\n"
                    for events in client.get_paginator("filter_log_events").paginate(logGroupName=name)
                    for event in events["events"]
                ]
                keep(name.rpartition("/")[2], "".join(lines).encode())
    except (BotoCoreError, ClientError) as error:
        # The emulator may have ended, which is then what the run failed of.
        keep(state.name, f"The functions' logs cannot be read: {error}\n".encode())
