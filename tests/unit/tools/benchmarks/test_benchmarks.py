"""Each benchmark runs, at a tiny size, so that none of them rots. No test asserts a time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import boto3
import pytest

from tools.benchmarks import (
    archive,
    cold_start,
    environment,
    footprint,
    handler,
    microbenchmarks,
    pages,
    producer,
    results,
    senders,
    stack_times,
)
from tools.benchmarks.__main__ import RUNS, main
from tools.benchmarks.designs import ALL, OURS, POWERTOOLS, vendored
from tools.benchmarks.docs import figures
from tools.benchmarks.goals import GOALS
from tools.benchmarks.hosting import CREDENTIALS
from tools.benchmarks.mock_aws import MockAws
from tools.benchmarks.tables import CHARTS, TABLES


def keep(directory: Path, name: str, measured: dict[str, Any]) -> None:
    """Do with results what `make bench` does: they must be fit to be shown."""
    results.save(name, measured, environment.describe(), directory)
    pages.write_chart(name, directory)
    assert "Measured 20" in pages.sections(directory)[name]
    if name in CHARTS:
        ElementTree.parse(directory / f"{name}.svg")


def test_the_handler_benchmark_measures_every_design(tmp_path: Path) -> None:
    measured = handler.run(rounds=1, sizes=(1,), batches=1)
    assert set(measured["1"]) == {design.name for design in ALL}
    keep(tmp_path, "handler", measured)


def test_the_parts_of_the_work_are_measured_each_by_itself(tmp_path: Path) -> None:
    measured = microbenchmarks.run(rounds=1, kb=20, count=2)
    assert all(found["median"] > 0 for found in measured["20"].values())
    keep(tmp_path, "parts", measured)


def test_the_footprint_counts_what_a_batch_sends_and_stores(tmp_path: Path) -> None:
    measured = footprint.run(sizes=(1, 20))
    small, middle = measured["1"]["ours"], measured["20"]["ours"]
    assert small["valid"]["requests"] == {"PublishBatch": 1, "TransactWriteItems": 1}
    assert middle["valid"]["requests"] == {"PublishBatch": 1, "PutItem": 10}
    assert small["large"]["published"] == small["invalid"]["published"] > small["valid"]["published"]
    assert measured["20"]["powertools"]["valid"]["item_bytes"] > 2 * middle["valid"]["item_bytes"]
    assert small["valid"]["metrics"] > 0
    keep(tmp_path, "footprint", measured)


def test_the_cold_start_benchmark_imports_the_zips(tmp_path: Path) -> None:
    measured = cold_start.run(rounds=1)
    assert measured["powertools"][cold_start.SOURCE]["peak_mb"]["median"] > 0
    keep(tmp_path, "cold_start", measured)


def test_the_producer_benchmark_sends_in_every_way(tmp_path: Path) -> None:
    few = dict.fromkeys((senders.OURS, senders.SINGLE, senders.BATCHED), 12)
    measured = producer.run(rounds=1, counts={1: few}, emulator_counts={1: 20})
    assert set(measured["1"]["sink"]) == set(few)
    assert "prepared-4" in measured["1"]["emulator"]
    keep(tmp_path, "producer", measured)


def test_the_archive_benchmark_archives_every_event() -> None:
    measured = archive.handler(kb=1, size=20, rounds=1)
    assert measured["cpu_ms"]["median"] > 0
    assert 0 < measured["share"]["median"] < 1


def test_the_stack_s_times_are_taken_in_a_copy_of_the_checkout(tmp_path: Path) -> None:
    measured = stack_times.run({"looking at it": ("test", "-f", "Makefile", "-a", "!", "-e", ".venv")})
    keep(tmp_path, "stack_times", measured)


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="false failed"):
        stack_times.run({"failing": ("false",)})


def test_the_sink_answers_as_aws_does() -> None:
    with MockAws() as sink:

        def client(service: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=sink.endpoint,
                region_name="us-east-1",
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )

        sink.keep()
        client("dynamodb").put_item(TableName="events", Item={"event_id": {"S": "1"}})
        client("s3").put_object(Bucket="payloads", Key="a", Body=b"x" * 300_000)
        entries = [{"Id": str(n), "MessageBody": "hello"} for n in range(10)]
        sent = client("sqs").send_message_batch(QueueUrl=f"{sink.endpoint}/0/events", Entries=entries)
        alerts = [{"Id": str(n), "Message": "hello"} for n in range(3)]
        published = client("sns").publish_batch(TopicArn="arn:x", PublishBatchRequestEntries=alerts)
        taken = [one.operation for one in sink.taken() if one.operation != "control"]
    assert len(sent["Successful"]) == 10
    assert {"0", "1", "2"} <= {entry["Id"] for entry in published["Successful"]}
    assert taken == ["PutItem", "PutObject", "SendMessageBatch", "PublishBatch"]


def test_a_zip_of_the_rivals_brings_what_the_runtime_has_not(tmp_path: Path) -> None:
    names = {package.name.lower().replace("_", "-") for package in vendored()}
    assert {"aws-lambda-powertools", "pydantic", "pydantic-core"} <= names
    assert not names & {"boto3", "botocore", "urllib3", "jmespath"}
    files = POWERTOOLS.lay_out(tmp_path / "rival")
    assert (files / "pydantic" / "__init__.py").exists()
    assert len(OURS.zip(tmp_path / "ours.zip")) < len(POWERTOOLS.zip(tmp_path / "rival.zip"))


def test_every_benchmark_has_a_table_and_every_goal_a_benchmark() -> None:
    assert set(RUNS) == set(TABLES)
    assert {goal.benchmark for goal in GOALS} <= set(RUNS)


def test_the_pages_hold_what_was_measured_last() -> None:
    for name, sections in figures.PAGES.items():
        text = (figures.DOCS / name).read_text("utf-8")
        assert text == figures.filled(text, sections()), "run: make docs"


def test_every_generated_part_has_a_place_on_its_page() -> None:
    for name, sections in figures.PAGES.items():
        text = (figures.DOCS / name).read_text("utf-8")
        for section in sections():
            assert f"<!-- begin {section} -->" in text


@pytest.mark.parametrize("environment", [{"BENCH": "handlers"}, {"ROUNDS": "0"}, {"COUNT": "many"}])
def test_what_makes_no_sense_is_said_and_nothing_runs(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(environment) == 2
    assert next(iter(environment)) in capsys.readouterr().err
