"""A batch is archived whole or comes again, whatever its records hold and whatever S3 does."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError

from archiver.batch import Batch, name_of
from archiver.buckets import Buckets, Unavailable, call_limits, deadline
from archiver.report import report
from archiver.settings import Settings
from common import s3 as s3_objects
from common.settings import SettingsError
from tests.fakes import client_error
from tests.unit.archiver.factories import NOW, duplicate, order, record, rejected, stored
from tools.core import archive_objects

TIMEOUT = 60.0


class S3:
    """Objects by bucket and key. ``fault`` is raised by calls as long as it is set."""

    def __init__(self) -> None:
        self.objects: dict[tuple[str, str], bytes] = {}
        self.fault: Exception | None = None
        self.puts_allowed = 10**6

    def put_object(self, Bucket: str, Key: str, Body: bytes, ContentType: str) -> None:  # noqa: N803
        self.puts_allowed -= 1
        if self.fault or self.puts_allowed < 0:
            raise self.fault or client_error("PutObject", "SlowDown", 503)
        self.objects[Bucket, Key] = Body

    def get_object(self, Bucket: str, Key: str) -> Any:  # noqa: N803
        if self.fault:
            raise self.fault
        if (Bucket, Key) not in self.objects:
            raise client_error("GetObject", "NoSuchKey", 404)
        return {"Body": io.BytesIO(self.objects[Bucket, Key])}

    def lines(self) -> list[dict[str, Any]]:
        """Every line of the archive."""
        return [
            json.loads(line)
            for (bucket, _), data in self.objects.items()
            if bucket == "archive"
            for line in archive_objects.lines(data)
        ]


@pytest.fixture
def s3() -> S3:
    return S3()


def batch(s3: S3, remaining_millis: int = 60_000) -> Batch:
    until = deadline(lambda: remaining_millis, call_limits(TIMEOUT))
    buckets = Buckets(s3_objects.S3(s3), "payloads", "archive", until)
    return Batch("events", "rejected", "duplicates", buckets)


def test_what_is_inserted_is_archived_and_nothing_else(s3: S3) -> None:
    one, other = stored(order()), stored(order())
    records = [record(one), record(other, number=2, name="MODIFY"), record({}, number=3, name="REMOVE")]
    batch(s3).archive(records)
    assert [line["event_id"] for line in s3.lines()] == [one["event_id"]["S"]]


def test_each_table_goes_to_its_own_place(s3: S3) -> None:
    records = [record(stored(order())), record(rejected("{}"), "rejected", 2)]
    batch(s3).archive([*records, record(duplicate(order()), "duplicates", 3)])
    assert {key.split("/")[0] for _, key in s3.objects} == {"events", "rejected", "duplicates"}


def test_a_batch_of_nothing_inserted_writes_nothing(s3: S3) -> None:
    batch(s3).archive([record(stored(order()), name="MODIFY")])
    assert s3.objects == {}


@pytest.mark.parametrize(
    "poison",
    [
        {"eventName": "INSERT"},
        {"eventName": "INSERT", "eventSourceARN": None, "dynamodb": None},
        record({"event_id": {"S": "e"}}),
        record({"event_id": "not typed"}),
        record({**stored(order()), "payload": {"B": "%%%"}}),
        record(stored(order()), "another table"),
        record({**rejected("{}"), "kind": {"S": "other"}}, "rejected"),
        record({**rejected("{}"), "reasons": {"L": [{"S": "x"}]}}, "rejected"),
    ],
    ids=range(8),
)
def test_a_record_that_cannot_be_read_is_kept_aside_and_holds_up_nothing(
    s3: S3, poison: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    good = stored(order())
    done = batch(s3)
    done.archive([poison, record(good, number=2)])
    assert done.archived == {"unreadable": 1, "events": 1}
    (aside,) = [line for line in s3.lines() if "error" in line]
    assert aside["image"] == (poison.get("dynamodb") or {}).get("NewImage")
    assert [line["event_id"] for line in s3.lines() if "error" not in line] == [good["event_id"]["S"]]
    (logged,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (logged["level"], logged["why"]) == ("WARNING", aside["error"])


def test_a_claim_check_whose_object_is_gone_is_unreadable(s3: S3) -> None:
    item = {name: value for name, value in stored(order()).items() if name != "payload"}
    batch(s3).archive([record({**item, "payload_key": {"S": "payloads/gone"}})])
    (aside,) = s3.lines()
    assert "payloads/gone" in aside["error"]


def test_a_claim_check_that_s3_does_not_give_now_brings_the_batch_back(s3: S3) -> None:
    item = {name: value for name, value in stored(order()).items() if name != "payload"}
    s3.fault = client_error("GetObject", "AccessDenied", 403)
    with pytest.raises(Unavailable):
        batch(s3).archive([record({**item, "payload_key": {"S": "payloads/there"}})])
    assert s3.objects == {}


@pytest.mark.parametrize(
    "fault",
    [client_error("PutObject", "SlowDown", 503), ConnectTimeoutError(endpoint_url="s3")],
    ids=["throttled", "hangs"],
)
def test_an_archive_that_takes_nothing_brings_the_batch_back(s3: S3, fault: Exception) -> None:
    s3.fault = fault
    with pytest.raises(Unavailable):
        batch(s3).archive([record(stored(order()))])


def test_a_batch_that_comes_again_writes_the_same_objects(s3: S3) -> None:
    records = [record(stored(order()), number=1), record(stored(order(event_id="x")), number=2)]
    records.append(record({"poison": {"S": "x"}}, number=3))
    s3.puts_allowed = 1
    with pytest.raises(Unavailable):
        batch(s3).archive(records)
    s3.puts_allowed = 100
    batch(s3).archive(records)
    once = dict(s3.objects)
    batch(s3).archive(records)
    assert s3.objects == once
    assert len(s3.lines()) == 3


def test_other_records_make_another_name() -> None:
    one, two, three = ([record({}, number=n)] for n in (1, 2, 3))
    assert len({name_of(some) for some in (one, two, one + two, one + three, one + two + three)}) == 5


def test_nothing_is_begun_that_could_not_end_in_time(s3: S3) -> None:
    with pytest.raises(Unavailable, match="no time"):
        batch(s3, remaining_millis=12_000).archive([record(stored(order()))])
    assert s3.objects == {}


def test_the_report_counts_what_was_archived(s3: S3, capsys: pytest.CaptureFixture[str]) -> None:
    done = batch(s3)
    records = [record(stored(order())), record(rejected("{}"), "rejected", 2), record({}, number=3)]
    done.archive(records)
    capsys.readouterr()
    report(done, records, "request-1", NOW)
    line = json.loads(capsys.readouterr().out)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]} == {
        "ArchivedEvents": 1,
        "ArchivedRejected": 1,
        "ArchivedDuplicates": 0,
        "Unreadable": 1,
        "Objects": 3,
        "ArchivedBytes": sum(map(len, s3.objects.values())),
        "ArchiveLag": 0,
    }


def test_a_setting_that_is_missing_is_named() -> None:
    with pytest.raises(SettingsError, match="EVENTS_TABLE"):
        Settings.read({"FUNCTION_TIMEOUT_SECONDS": "60"})
    with pytest.raises(SettingsError, match="must be a number"):
        Settings.read({"FUNCTION_TIMEOUT_SECONDS": "soon"})
