"""Each benchmark runs with few events. No test asserts a time."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import boto3
import pytest

from tools.benchmarks import (
    archive,
    cold_start,
    footprint,
    growth,
    handler,
    load_test,
    microbenchmarks,
    pages,
    producer,
    results,
    senders,
    stack_times,
)
from tools.benchmarks.__main__ import BENCHMARKS, main
from tools.benchmarks.designs import DESIGNS, OURS, POWERTOOLS, vendored_packages
from tools.benchmarks.measure import SOURCE, spread
from tools.benchmarks.mock_aws import MockAws
from tools.benchmarks.pages import GOALS
from tools.benchmarks.tables import CHARTS, TABLES
from tools.benchmarks.worker_process import CREDENTIALS, WorkerProcess, start_workers


def save_and_render(directory: Path, name: str, measured: dict[str, Any]) -> None:
    """Save results and render them, as `make bench` does."""
    results.save(name, measured, results.describe_environment(), directory)
    pages.write_chart(name, directory)
    assert "Measured 20" in pages.sections(directory)[name]
    if name in CHARTS:
        ElementTree.parse(directory / f"{name}.svg")


@pytest.fixture(scope="module")
def workers() -> Iterator[tuple[dict[str, WorkerProcess], MockAws, Path]]:
    with start_workers(DESIGNS) as started:
        yield started


@pytest.fixture
def shared_workers(
    workers: tuple[dict[str, WorkerProcess], MockAws, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let benchmarks share the workers, which take a second each to start."""
    started, *rest = workers
    for module in (handler, footprint, growth):
        monkeypatch.setattr(
            module,
            "start_workers",
            lambda designs: nullcontext(({each.name: started[each.name] for each in designs}, *rest)),
        )


@pytest.mark.usefixtures("shared_workers")
def test_the_handler_benchmark_measures_every_design(tmp_path: Path) -> None:
    measured = handler.run(rounds=1, sizes=(1,), batches=1)
    assert set(measured["1"]) == {design.name for design in DESIGNS}
    save_and_render(tmp_path, "handler", measured)


def test_the_microbenchmarks_measure_every_step(tmp_path: Path) -> None:
    measured = microbenchmarks.run(rounds=1, counts={20: 10})
    assert all(step["median"] > 0 for step in measured["20"].values())
    save_and_render(tmp_path, "parts", measured)


@pytest.mark.usefixtures("shared_workers")
def test_the_footprint_counts_requests_and_stored_bytes_of_a_batch(tmp_path: Path) -> None:
    measured = footprint.run(sizes=(1, 20))
    small, middle = measured["1"]["ours"], measured["20"]["ours"]
    assert small["valid"]["requests"] == {"PublishBatch": 1, "TransactWriteItems": 1}
    assert middle["valid"]["requests"] == {"PublishBatch": 1, "PutItem": 10}
    assert small["large"]["published"] == small["invalid"]["published"] > small["valid"]["published"]
    assert measured["20"]["powertools"]["valid"]["item_bytes"] > 2 * middle["valid"]["item_bytes"]
    assert small["valid"]["metrics"] > 0
    save_and_render(tmp_path, "footprint", measured)


@pytest.mark.usefixtures("shared_workers")
def test_the_growth_benchmark_counts_the_calls_of_each_batch_size(tmp_path: Path) -> None:
    batches = growth.measure_batches(rounds=1, events=10)
    assert [batches[size]["ours"]["calls"] for size in ("1", "10")] == [2, 0.2]
    assert batches["100"]["ours"]["calls"] < 0.1
    assert all(measured["powertools"]["calls"] >= 1 for measured in batches.values())
    rates = {"2": {"ours": {"events_per_second": spread([1.0])}}}
    save_and_render(tmp_path, "growth", {"batches": batches, "workers": rates})


def test_the_cold_start_benchmark_imports_the_zips(tmp_path: Path) -> None:
    measured = cold_start.run(rounds=1)
    assert measured["powertools"][SOURCE]["peak_mb"]["median"] > 0
    save_and_render(tmp_path, "cold_start", measured)


def test_the_producer_benchmark_sends_in_every_way(tmp_path: Path) -> None:
    few = dict.fromkeys((senders.OURS, senders.SINGLE, senders.BATCHED), 12)
    measured = producer.run(rounds=1, counts={1: few}, emulator_counts={1: 20})
    assert set(measured["1"]["sink"]) == set(few)
    assert "prepared-4" in measured["1"]["emulator"]
    save_and_render(tmp_path, "producer", measured)


def test_the_archive_benchmark_archives_every_event() -> None:
    measured = archive.measure_handler(kb=1, size=20, rounds=1)
    assert measured["cpu_ms"]["median"] > 0
    assert 0 < measured["share"]["median"] < 1


def test_the_stacks_times_are_measured_in_a_copy_of_the_checkout(tmp_path: Path) -> None:
    measured = stack_times.run({"inspect the copy": ("test", "-f", "Makefile", "-a", "!", "-e", ".venv")})
    save_and_render(tmp_path, "stack_times", measured)


def test_a_command_that_fails_is_not_a_measurement() -> None:
    with pytest.raises(RuntimeError, match="false failed"):
        stack_times.run({"failing": ("false",)})


def test_the_mock_answers_like_aws() -> None:
    with MockAws() as mock:

        def client(service: str) -> Any:
            return boto3.client(
                service,
                endpoint_url=mock.endpoint,
                region_name="us-east-1",
                aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            )

        mock.start_recording()
        client("dynamodb").put_item(TableName="events", Item={"event_id": {"S": "1"}})
        client("s3").put_object(Bucket="payloads", Key="a", Body=b"x" * 300_000)
        entries = [{"Id": str(n), "MessageBody": "hello"} for n in range(10)]
        sent = client("sqs").send_message_batch(QueueUrl=f"{mock.endpoint}/0/events", Entries=entries)
        alerts = [{"Id": str(n), "Message": "hello"} for n in range(3)]
        published = client("sns").publish_batch(TopicArn="arn:x", PublishBatchRequestEntries=alerts)
        operations = [request.operation for request in mock.stop_recording()]
    assert len(sent["Successful"]) == 10
    assert {"0", "1", "2"} <= {entry["Id"] for entry in published["Successful"]}
    assert operations == ["PutItem", "PutObject", "SendMessageBatch", "PublishBatch"]


def test_a_baselines_zip_has_the_packages_that_the_runtime_lacks(tmp_path: Path) -> None:
    names = {package.name.lower().replace("_", "-") for package in vendored_packages()}
    assert {"aws-lambda-powertools", "pydantic", "pydantic-core"} <= names
    assert not names & {"boto3", "botocore", "urllib3", "jmespath"}
    files = POWERTOOLS.unpack(tmp_path / "powertools")
    assert (files / "pydantic" / "__init__.py").exists()
    assert len(OURS.build_zip(tmp_path / "ours.zip")) < len(POWERTOOLS.build_zip(tmp_path / "powertools.zip"))


def test_every_benchmark_has_a_table_and_every_goal_a_benchmark() -> None:
    assert set(BENCHMARKS) == set(TABLES)
    assert {goal["benchmark"] for goal in GOALS} <= set(BENCHMARKS)


def test_a_goal_is_met_by_complete_results_alone(tmp_path: Path) -> None:
    run = {"seconds": 100, "verify": {"seconds": 30}, "peak_mb": {"verify": 100}}

    def row(count: int) -> list[str]:
        results.save("headline", {"count": count, **run}, results.describe_environment(), tmp_path)
        return [pages.goal_row(goal, tmp_path)[-1] for goal in GOALS if goal["benchmark"] == "headline"]

    assert row(load_test.COUNT) == ["yes", "**no**", "yes", "", "", ""]
    assert row(1) == [""] * 6


@pytest.mark.parametrize("environment", [{"BENCH": "handlers"}, {"ROUNDS": "0"}, {"COUNT": "many"}])
def test_invalid_variables_are_explained_and_nothing_runs(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(environment) == 2
    assert next(iter(environment)) in capsys.readouterr().err


def test_a_benchmark_that_fails_is_explained_and_keeps_the_last_results(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> dict[str, Any]:
        raise TimeoutError("3 messages were left in the queue")

    monkeypatch.setattr("tools.benchmarks.__main__.BENCHMARKS", {"handler": fail})
    monkeypatch.setattr(results, "save", pytest.fail)
    assert main({}) == 1
    printed = capsys.readouterr().err
    assert "handler failed: 3 messages were left" in printed
    assert "make bench BENCH=handler" in printed
