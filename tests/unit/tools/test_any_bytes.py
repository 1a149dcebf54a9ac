"""Whatever bytes arrive, the function and every reader agree about them."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest

from tests import fuzz
from tests.unit.processor.conftest import Harness, order, record
from tests.unit.processor.test_any_bytes import bodies
from tests.unit.tools.analytics import fakes as analytics
from tests.unit.tools.fakes import FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tools.analytics import __main__ as analytics_command
from tools.core import queues
from tools.core.resources import Resources
from tools.ops.__main__ import main

HOUR = {"SINCE": "2026-11-23T00:00", "UNTIL": "2026-11-24T00:00", "ARCHIVE_BUCKET": "archive"}


def _batch(numbers: random.Random) -> list[str]:
    chosen = list(islice(bodies(numbers.getrandbits(32), 40), 40))
    raw = numbers.randbytes(numbers.randint(0, 60)).decode("latin-1")
    first = order(event_id="twice")
    return [*chosen, raw, fuzz.text(numbers), first, " " + first, order("77", event_id="twice")]


@pytest.mark.fuzz
def test_every_reader_succeeds_and_agrees(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    monkeypatch.setattr(queues, "peek", lambda resources, url: None)
    for seed in fuzz.seeds(6):
        with fuzz.case(seed) as numbers:
            _check(numbers, monkeypatch, capsysbinary, tmp_path / str(seed))


def _check(
    numbers: random.Random,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
    directory: Path,
) -> None:
    harness = Harness(now=datetime(2026, 11, 23, 2, 4, tzinfo=UTC))
    sent = {f"m-{number}": body for number, body in enumerate(_batch(numbers))}
    records = [record(body, message_id) for message_id, body in sent.items()]
    for start in range(0, len(records), 10):
        assert harness.deliver(*records[start : start + 10]) == []

    dynamodb, s3 = FakeDynamoDB(), FakeS3()
    for table in ("events", "rejected", "duplicates"):
        dynamodb.tables[table] = {
            key: {name: value for name, value in item.items() if name != "alert_pending"}
            for key, item in getattr(harness, table).items()
        }
    s3.objects.update(harness.s3.objects)
    resources = pipeline(
        endpoint="http://127.0.0.1:1",
        state_dir=directory,
        sqs=FakeSQS(),
        dynamodb=dynamodb,
        s3=s3,
        archive=True,
    )
    monkeypatch.setattr(Resources, "find", lambda *_: resources)

    assert main(["rearchive", "--since", HOUR["SINCE"], "--until", HOUR["UNTIL"]]) == 0
    assert main(["verify", "--wait", "0", "--all", "1", "--manifest", "none"]) == 0
    assert main(["events", "--limit", "1000"]) == 0
    assert main(["rejected", "--limit", "1000"]) == 0
    for event_id, item in harness.events.items():
        capsysbinary.readouterr()
        assert main(["get", "--event-id", event_id]) == 0
        body = sent[item["message_id"]["S"]].encode("utf-8", "surrogatepass")
        assert body in capsysbinary.readouterr().out
    for message_id in harness.rejected:
        assert main(["rejected", "--id", message_id]) == 0

    archive = analytics.FakeS3()
    archive.objects = {key: data for key, data in s3.objects.items() if key.endswith(".jsonl.zst")}
    copy = replace(resources, archive_bucket="archive", clients={"s3": archive})
    monkeypatch.setattr(Resources, "find", lambda *_: copy)
    assert analytics_command.main(["report"], {**HOUR, "OUT": str(directory / "report.html")}) == 0
    counts: Counter[str] = Counter()
    for view in ("events", "rejected"):
        capsysbinary.readouterr()
        query = {**HOUR, "Q": f"select count(*) as n from {view}", "FORMAT": "json"}
        assert analytics_command.main(["query"], query) == 0
        counts[view] = json.loads(capsysbinary.readouterr().out)["n"]
    assert counts == {"events": len(harness.events), "rejected": len(harness.rejected)}
    assert counts.total() + len(harness.duplicates) == len(sent)
