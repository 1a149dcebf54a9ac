"""Ten thousand rows come back under throttling, and after the restore was killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from tests.chaos.chaos_harness import ChaosHarness
from tests.integration import lost_tables
from tests.integration.running_ops import environment_of, ops
from tests.waiting import eventually
from tools.core.paths import ROOT
from tools.ops.recover.archive_reader import Selection
from tools.ops.recover.restore import Restore

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

EVENTS = 10_000
THROTTLED = {
    "service": "dynamodb",
    "error": {"code": "ProvisionedThroughputExceededException", "status": 400},
    "probability": 0.3,
}


def test_ten_thousand_rows_come_back_although_the_restore_is_killed_and_throttled(
    harness: ChaosHarness,
) -> None:
    pipeline = harness.pipeline
    lost_tables.send_mix(pipeline, EVENTS)
    lost_tables.wait_until_archived(pipeline)
    before = lost_tables.contents(pipeline)
    rows = sum(map(len, before.values()))

    lost_tables.lose_everything(pipeline)
    environment = environment_of(pipeline, AUTO_APPROVE="1")
    with subprocess.Popen(
        [sys.executable, "-m", "tools.ops", "restore"], env=environment, cwd=ROOT, stdout=subprocess.DEVNULL
    ) as killed:
        eventually(lambda: pipeline.count("table_name") > 500, within=120, what="some rows are back")
        os.kill(killed.pid, signal.SIGKILL)
    assert 0 < sum(map(pipeline.count, before)) < rows
    done = ops(pipeline, "restore", AUTO_APPROVE="1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert lost_tables.contents(pipeline) == before

    lost_tables.lose_everything(pipeline)
    resources = replace(harness.resources, endpoint=harness.burst.url, clients={})
    job = Restore(resources, Selection())
    job.estimate()
    injected = harness.injected
    with harness.burst.microburst_rules(THROTTLED):
        result = job.run(lambda done: None)
    assert harness.injected - injected > 20
    assert not result.findings
    assert lost_tables.contents(pipeline) == before

    verified = ops(pipeline, "verify", MANIFEST="none", DEEP="1")
    assert verified.returncode == 0, verified.stdout
