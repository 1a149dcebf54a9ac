"""`make erase`: nothing of the customer remains anywhere, and nothing of others changes."""

from __future__ import annotations

import json
import random
import re
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contract import content_hash
from storage import zstd
from tests.integration.conftest import OUTCOME_SECONDS, Pipeline
from tests.integration.running_ops import ops, resources
from tests.targets import BODIES
from tests.waiting import eventually
from tools.core import archive_objects, queues
from tools.core.archive_objects import DamagedObject
from tools.core.tables import to_json
from tools.ops import erasures
from tools.ops.erase import erase as erasing

TABLES = ("table_name", "rejected_table_name", "duplicates_table_name")


def activity(customer: str, event_id: str = "", **more: object) -> str:
    event = {
        "event_id": event_id or f"evt-{uuid.uuid4()}",
        "event_type": "activity",
        "occurred_at": datetime.now(UTC).isoformat(),
        "customer_id": customer,
        "session_id": "s",
        "action": "page_view",
        **more,
    }
    return json.dumps(event)


def noise(size: int) -> str:
    return random.Random(size).randbytes(size).hex()


def buckets(pipeline: Pipeline) -> list[str]:
    payloads = str(pipeline.state.outputs["payload_bucket"])
    return [payloads, str(pipeline.state.outputs["archive_bucket"]), payloads.replace("payloads", "athena")]


def versions(pipeline: Pipeline) -> Iterator[tuple[str, bytes]]:
    """Every version of every object, unpacked as far as it can be."""
    for bucket in buckets(pipeline):
        for page in pipeline.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for entry in page.get("Versions", ()):
                version = {"Bucket": bucket, "Key": entry["Key"], "VersionId": entry["VersionId"]}
                data = pipeline.s3.get_object(**version)["Body"].read()
                yield f"{bucket}/{entry['Key']}@{entry['VersionId']}", unpacked(data)


def unpacked(data: bytes) -> bytes:
    unpackers: tuple[Callable[[bytes], bytes], ...] = (
        lambda data: b"\n".join(archive_objects.lines(data)),
        zlib.decompress,
        lambda data: zstd.decompress(data, 1 << 24),
    )
    for unpack in unpackers:
        try:
            return unpack(data)
        except (DamagedObject, zlib.error, zstd.DamagedFrame):
            continue
    return data


def everything(pipeline: Pipeline) -> dict[str, bytes]:
    """Every item with its body, version of an object, message that is dead-lettered, and local file."""
    found = dict(versions(pipeline))
    for table in TABLES:
        for page in pipeline.dynamodb.get_paginator("scan").paginate(TableName=pipeline.state.outputs[table]):
            for item in page["Items"]:
                body = pipeline.body_of(item) if "payload_encoding" in item else ""
                found[f"{table} {item['message_id']['S']}"] = (to_json({"M": item}) + body).encode()
    for url in (pipeline.dlq_url, pipeline.state.outputs["archive_failures_queue_url"]):
        messages = list(queues.receive_all(pipeline.sqs, url)) if pipeline.depth(url) else []
        queues.release(pipeline.sqs, url, [each["ReceiptHandle"] for each in messages])
        found |= {f"{url} {each['MessageId']}": each["Body"].encode() for each in messages}
    local = (path for path in pipeline.state_dir.rglob("*") if path.is_file())
    return found | {str(path): unpacked(path.read_bytes()) for path in local}


def having(pipeline: Pipeline, customer: str) -> list[str]:
    token = re.compile(rb"(?<![\w-])" + re.escape(customer.encode()) + rb"(?![\w-])")
    return [where for where, data in everything(pipeline).items() if token.search(data)]


def items(pipeline: Pipeline, customers: set[str]) -> list[str]:
    pages = pipeline.dynamodb.get_paginator("scan").paginate(TableName=pipeline.state.outputs["table_name"])
    rows = (item for page in pages for item in page["Items"] if item["customer_id"]["S"] in customers)
    return sorted(to_json({"M": item}) + pipeline.body_of(item) for item in rows)


def lines(pipeline: Pipeline) -> list[bytes]:
    return sorted(
        line
        for where, data in versions(pipeline)
        if where.startswith(f"{buckets(pipeline)[1]}/")
        for line in data.split(b"\n")
        if line
    )


def archive_objects_now(pipeline: Pipeline) -> dict[str, bytes]:
    bucket = buckets(pipeline)[1]
    pages = pipeline.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ())]
    return {key: pipeline.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def send_all(pipeline: Pipeline, customer: str, other: str) -> set[str]:
    """Send one of each kind for both. Return the message ids, when all are archived."""
    ids: set[str] = set()
    for each in (customer, other):
        first, large = activity(each, action="view"), activity(each, note=noise(450_000))
        conflict = activity(each, json.loads(first)["event_id"], action="another")
        ids |= set(pipeline.send(first, large, f'{{"customer_id": "{each}"}}', f"no JSON, of {each}: ä"))
        eventually(
            lambda large=large: pipeline.item("table_name", json.loads(large)["event_id"]),  # type: ignore[misc]
            within=OUTCOME_SECONDS,
            what="the large event is stored",
        )
        ids |= set(
            pipeline.send(first, f" {large}", conflict, activity(each, action="", note=noise(450_000)))
        )
    pipeline.drain()
    eventually(lambda: all(sum(i.encode() in line for line in lines(pipeline)) for i in ids),
               within=OUTCOME_SECONDS, what="all is archived")  # fmt: skip
    return ids


@pytest.fixture(scope="module")
def pipeline(new_stack: Callable[..., AbstractContextManager[Pipeline]]) -> Iterator[Pipeline]:
    with new_stack() as running:
        yield running


@pytest.fixture(scope="module")
def athena(pipeline: Pipeline) -> str:
    bucket = buckets(pipeline)[2]
    if bucket not in {each["Name"] for each in pipeline.s3.list_buckets()["Buckets"]}:
        pipeline.s3.create_bucket(Bucket=bucket)
    return bucket


@pytest.mark.needs(BODIES)
def test_nothing_of_the_customer_remains_and_nothing_of_others_changes(
    pipeline: Pipeline, athena: str
) -> None:
    customer = f"kunde-{uuid.uuid4().hex[:8]}"
    other = f"{customer}0"
    mention = activity(other, referred_by=customer)
    pipeline.send(mention)
    ids = send_all(pipeline, customer, other)
    escaped = activity(customer).replace('"kunde', '"\\u006bunde')
    dead = [
        pipeline.sqs.send_message(QueueUrl=pipeline.dlq_url, MessageBody=body)["MessageId"]
        for body in (escaped, activity(other), "broken { " + customer)
    ]
    unreadable = {"event_id": {"S": f"foreign-{uuid.uuid4()}"}, "customer_id": {"S": customer}}
    unreadable["message_id"] = {"S": str(uuid.uuid4())}
    pipeline.dynamodb.put_item(TableName=pipeline.state.outputs["table_name"], Item=unreadable)
    pipeline.s3.put_object(Bucket=athena, Key="results/1.csv", Body=f'"a","{customer}"\n'.encode())
    pipeline.s3.put_object(Bucket=athena, Key="results/2.csv", Body=f'"a","{other}"\n'.encode())
    pipeline.s3.put_bucket_versioning(
        Bucket=buckets(pipeline)[1], VersioningConfiguration={"Status": "Enabled"}
    )
    # An orphan, as a function leaves it that dies after it has written the payload.
    orphan = activity(customer, note=noise(410_000)).encode()
    pipeline.s3.put_object(
        Bucket=buckets(pipeline)[0],
        Key=f"payloads/{content_hash(orphan.decode())}",
        Body=zlib.compress(orphan),
    )
    manifests = pipeline.state_dir / "manifests"
    manifests.mkdir(exist_ok=True)
    write_manifest(pipeline, manifests / "run.jsonl", ids)
    eventually(lambda: unreadable["event_id"]["S"].encode() in b"".join(lines(pipeline)),
               within=OUTCOME_SECONDS, what="the unreadable record is archived")  # fmt: skip
    before = items(pipeline, {other}), [line for line in lines(pipeline) if other.encode() in line]

    rehearsed = ops(pipeline, "erase", CUSTOMER=customer, DRY_RUN="1", JSON="1")
    assert rehearsed.returncode == 0, rehearsed.stderr
    found = json.loads(rehearsed.stdout)
    assert (found["dry_run"], found["erased"], found["problems"]) == (True, False, [])
    mentioned = json.loads(mention)["event_id"]
    assert mentioned in [each["name"] for each in found["mentions"]]
    # What would be erased is shown before a question, which JSON=1 still asks.
    assert mentioned in rehearsed.stderr
    assert len(having(pipeline, customer)) > 15
    counts = found["found"]
    # A repeated delivery or batch leaves one more version or line.
    assert counts.pop("payload objects") >= 4
    assert counts.pop("archive lines") >= 9
    assert counts == {
        "stored events": 2,
        "rejected events": 4,
        "duplicates": 2,
        "dead-lettered": 2,
        "archive failures": 0,
        "Athena results": 1,
        "manifest lines": 8,
        "cached objects": 0,
        "reports": 0,
    }
    archived = archive_objects_now(pipeline)
    done = ops(pipeline, "erase", CUSTOMER=customer, AUTO_APPROVE="1")
    assert done.returncode == 0, done.stdout + done.stderr

    remaining = {where.partition("@")[0] for where in having(pipeline, customer)}
    mentioning = [line for line in lines(pipeline) if customer.encode() + b'"' in line]
    assert all(json.loads(mention)["event_id"].encode() in line for line in mentioning)
    assert all("table_name" in where or "/events/" in where for where in remaining), remaining
    after = items(pipeline, {other}), [line for line in lines(pipeline) if other.encode() in line]
    assert after == before
    assert dead[1] in " ".join(everything(pipeline))
    (record,) = [data for where, data in versions(pipeline) if "/erasures/" in where]
    assert customer.encode() not in record
    assert set(dead[::2]) < set(json.loads(record)["message_ids"])

    again = ops(pipeline, "erase", CUSTOMER=customer, AUTO_APPROVE="1")
    assert "There is nothing to erase." in again.stdout
    # The archiver repeats its batches. The duplicates' lines do not have the customer's id.
    for key, data in archived.items():
        pipeline.s3.put_object(Bucket=buckets(pipeline)[1], Key=key, Body=data)
    repeated = ops(pipeline, "erase", CUSTOMER=customer, AUTO_APPROVE="1")
    assert "Erased, as recorded before." in repeated.stdout
    erased = [message_id.encode() for message_id in json.loads(record)["message_ids"]]
    assert not [line for line in lines(pipeline) if any(message_id in line for message_id in erased)]
    assert [line for line in set(lines(pipeline)) if other.encode() in line] != []
    verified = ops(pipeline, "verify", JSON="1")
    verdict = json.loads(verified.stdout)
    assert (verified.returncode, verdict["findings"]) == (0, [])
    assert (verdict["run"]["sent"], verdict["run"]["erased"], verdict["run"]["lost"]) == (16, 8, 0)
    assert "+ 8 erased" in ops(pipeline, "verify").stdout


def write_manifest(pipeline: Pipeline, path: Path, ids: set[str]) -> None:
    header = {
        "manifest": 1,
        "run_id": "run",
        "seed": 1,
        "queue_url": pipeline.queue_url,
        "started_at": "",
        "arguments": {},
    }
    rows: dict[str, dict[str, Any]] = {}
    for expect, table in zip(("stored", "rejected", "duplicate"), TABLES, strict=True):
        for page in pipeline.dynamodb.get_paginator("scan").paginate(TableName=pipeline.state.outputs[table]):
            for item in page["Items"]:
                rows[item["message_id"]["S"]] = {
                    "message_id": item["message_id"]["S"],
                    "event_id": item.get("event_id", {}).get("S"),
                    "event_type": "activity",
                    "content_hash": item["content_hash"]["S"] if "content_hash" in item else "",
                    "expect": expect,
                    "large_order": False,
                    "index": len(rows),
                }
    sent = [header, *(rows[message_id] for message_id in sorted(ids)), {"sent": len(ids), "failed": []}]
    path.write_text("".join(json.dumps(line) + "\n" for line in sent))


@pytest.mark.needs(BODIES)
def test_parts_remove_everything_of_the_customer_together(pipeline: Pipeline, athena: str) -> None:
    customer = f"parted-{uuid.uuid4().hex[:8]}"
    other = f"{customer}0"
    send_all(pipeline, customer, other)
    (gone, *_) = (
        item["event_id"]["S"]
        for page in pipeline.dynamodb.get_paginator("scan").paginate(
            TableName=pipeline.state.outputs["table_name"]
        )
        for item in page["Items"]
        if item["customer_id"]["S"] == customer
    )
    # Only the part that reads its line knows whose the duplicate of this event is.
    pipeline.dynamodb.delete_item(
        TableName=pipeline.state.outputs["table_name"], Key={"event_id": {"S": gone}}
    )
    before = items(pipeline, {other}), [line for line in lines(pipeline) if other.encode() in line]
    for part in ("2/3", "3/3", "1/3"):
        done = ops(pipeline, "erase", CUSTOMER=customer, PART=part, AUTO_APPROVE="1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"make erase CUSTOMER={customer} PART={part}" in done.stdout
    assert having(pipeline, customer) == []
    # The log has ids on AWS, too.
    found = [where for where, data in everything(pipeline).items() if gone.encode() in data]
    assert [where for where in found if "emulator.log" not in where] == []
    after = items(pipeline, {other}), [line for line in lines(pipeline) if other.encode() in line]
    assert after == before


@pytest.mark.needs(BODIES)
def test_an_erasure_that_was_stopped_anywhere_is_completed_by_a_second_one(pipeline: Pipeline) -> None:
    known = resources(pipeline)
    # Each search would wait for the end of a queue that is not empty.
    pipeline.sqs.purge_queue(QueueUrl=pipeline.dlq_url)

    def find(customer: str) -> erasing.Plan:
        return erasing.find(known, customer, lambda _: None)

    customers = [f"stopped-{uuid.uuid4().hex[:8]}" for _ in find("nobody-at-all").places]
    first = {customer: activity(customer) for customer in customers}
    for customer, body in first.items():
        pipeline.send(body, activity(customer, note=noise(450_000)), f"of {customer}")
    pipeline.drain()
    pipeline.send(*first.values())
    pipeline.drain()
    message_ids: set[str] = set()
    for stop, customer in enumerate(customers):
        plan = eventually(
            lambda customer=customer: plan if (plan := find(customer)).counts["archive lines"] >= 4 else None,  # type: ignore[misc]
            within=OUTCOME_SECONDS,
            what="all is archived",
        )
        message_ids |= plan.search.message_ids
        done: list[str] = []

        def killed(title: str, done: list[str] = done, stop: int = stop) -> None:
            if len(done) == stop:
                raise KeyboardInterrupt
            done.append(title)

        with pytest.raises(KeyboardInterrupt):
            plan.erase(killed)
        again = find(customer)
        again.erase(lambda _: None)
        assert not again.search.problems
    assert message_ids <= erasures.message_ids(known)
    # The log has ids on AWS, too.
    traces = [each.encode() for each in (*customers, *message_ids)]
    assert [
        where
        for where, data in everything(pipeline).items()
        if any(each in data for each in traces) and "/erasures/" not in where and "emulator.log" not in where
    ] == []


def test_a_short_id_is_not_erased_without_its_confirmation(pipeline: Pipeline) -> None:
    refused = ops(pipeline, "erase", CUSTOMER="c-1", AUTO_APPROVE="1")
    assert refused.returncode == 2
    assert "make erase CUSTOMER=c-1 CONFIRM=c-1" in refused.stderr
    assert ops(pipeline, "erase", CUSTOMER="c-1", CONFIRM="c-1", DRY_RUN="1").returncode == 0
