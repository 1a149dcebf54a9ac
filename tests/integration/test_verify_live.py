"""`make verify` beside a producer: it accuses no healthy pipeline, and accounts for all at the end."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from tests.integration.conftest import Pipeline
from tests.integration.running_ops import environment_of, ops
from tests.integration.test_ops_recovery import activity, new_id
from tools.core.paths import ROOT

COUNT = 2400
RATE = 60


def _verified(pipeline: Pipeline, wait: int) -> tuple[int, dict[str, Any]]:
    result = ops(pipeline, "verify", JSON="1", WAIT=str(wait))
    assert result.returncode in (0, 3), result.stdout + result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    assert (document["holds"], document["undecided"]) == (result.returncode == 0, result.returncode == 3)
    return result.returncode, document


def test_verify_beside_a_sender_is_never_a_violation_and_accounts_for_all_at_the_end(
    new_stack: Callable[..., AbstractContextManager[Pipeline]],
) -> None:
    with new_stack() as pipeline:
        ratios = ("--duplicate-ratio", "0.05", "--invalid-ratio", "0.05", "--large-ratio", "0.02")
        sender = subprocess.Popen(
            [
                *(sys.executable, "-m", "producer.send_test_events", "--count", str(COUNT)),
                *("--rate", str(RATE), "--seed", "16", "--target-kb", "2", *ratios),
            ],
            env=environment_of(pipeline) | pipeline.state.environment(),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        documents = []
        try:
            while sender.poll() is None:
                # A conflict, and a copy that has one more blank.
                event_id = new_id()
                bodies = [activity(event_id), activity(event_id, "other")]
                pipeline.send(*bodies, bodies[0] + " ")
                documents.append(_verified(pipeline, wait=2)[1])
        finally:
            sender.kill()
            assert sender.wait() == 0
        runs = [document["run"] for document in documents if "run" in document]
        assert len(documents) >= 3
        assert [run for run in runs if run["recounted"] or not (run["running"] or run["complete"])] == []
        pipeline.drain()
        status, document = _verified(pipeline, wait=60)
    assert (status, document["findings"]) == (0, [])
    run = document["run"]
    assert (run["sent"], run["complete"], run["running"], run["recounted"]) == (COUNT, True, False, 0)
    assert run["stored"] + run["duplicate"] + run["rejected"] == COUNT
