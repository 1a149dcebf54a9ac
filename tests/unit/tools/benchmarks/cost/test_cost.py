"""The cost model, with invented measurements that are easy to compute by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tools.benchmarks.cost.__main__ import main
from tools.benchmarks.cost.archive import RETENTION_DAYS, WINDOW_SECONDS, archive_cost
from tools.benchmarks.cost.capacity import concurrency, limits, ramp_seconds
from tools.benchmarks.cost.measured import Measured, interpolate
from tools.benchmarks.cost.model import (
    DESIGNS,
    ORIGINAL,
    OURS,
    break_even_kb,
    compute_cost,
    write_units,
)
from tools.benchmarks.cost.prices import LIMITS, PRICE_LIST, price
from tools.benchmarks.cost.workload import Workload


def invented() -> Measured:
    """Return results in which our items have half the event's size plus 500 bytes.

    The baselines' items have the event's size plus 200 bytes. CPU is 1 ms per KB. The archiver needs 0.1 ms
    per event; an event of 1 KB has 384 bytes in the archive.
    """

    def kinds(kb: float, ours: bool) -> dict[str, Any]:
        size = kb * 1024 / 2 + 500 if ours else kb * 1024 + 200
        kind = {"item_bytes": size, "logged": 2000 if ours else 0, "batch": 10}
        return {"valid": {**kind, **({"metrics": 13} if ours else {})}, "large": kind, "invalid": kind}

    footprint = {str(kb): {name: kinds(kb, name == OURS) for name in DESIGNS} for kb in (1, 200, 1000)}
    handler = {str(kb): {name: {"cpu_ms": {"median": float(kb)}} for name in DESIGNS} for kb in (1, 200)}
    archive = {
        str(kb): {"cpu_ms": {"median": 0.1}, "share": {"median": share}}
        for kb, share in ((1, 0.375), (200, 0.3))
    }
    return Measured(footprint, handler, archive)


MEASURED = invented()
SMALL = Workload(large=0)
BIG = replace(SMALL, sizes=((200, 1.0),))


def test_every_price_and_limit_has_a_source_at_aws() -> None:
    for entry in (*PRICE_LIST["prices"].values(), *LIMITS.values()):
        assert entry["source"].startswith(("https://docs.aws.amazon.com/", "https://aws.amazon.com/"))
    assert PRICE_LIST["read"]


def test_a_started_kilobyte_is_a_write_unit_and_two_in_a_transaction() -> None:
    assert write_units(1024, transaction=False) == 1
    assert write_units(1025, transaction=False) == 2
    assert write_units(1025, transaction=True) == 4


def test_a_small_event_costs_a_transaction_and_two_index_entries() -> None:
    # 512 + 500 bytes: one KB, twice, and two index entries.
    assert compute_cost(SMALL, OURS, MEASURED).write_units == 4


def test_a_batch_of_one_needs_no_transaction() -> None:
    assert compute_cost(replace(SMALL, batch=1), OURS, MEASURED).write_units == 3


def test_a_big_event_is_put_without_a_transaction() -> None:
    # 102,400 + 500 bytes are 101 KB.
    assert compute_cost(BIG, OURS, MEASURED).write_units == 101 + 2
    assert compute_cost(BIG, OURS, MEASURED).table_units == 101
    assert (
        compute_cost(BIG, ORIGINAL, MEASURED).write_units
        == compute_cost(BIG, ORIGINAL, MEASURED).table_units
        == 201
    )


def test_a_large_orders_item_is_written_again_after_its_alert() -> None:
    alone = compute_cost(replace(BIG, large=1.0, batch=1), OURS, MEASURED)
    assert alone.write_units == 101 + 3 + 101


def test_only_this_pipeline_stores_an_invalid_event() -> None:
    workload = replace(BIG, invalid=1.0, batch=1)
    assert compute_cost(workload, OURS, MEASURED).write_units == 101 + 1 + 101
    assert compute_cost(workload, ORIGINAL, MEASURED).write_units == 0
    assert (
        compute_cost(workload, ORIGINAL, MEASURED).per_million["SQS"]
        > compute_cost(workload, OURS, MEASURED).per_million["SQS"]
    )


def test_a_duplicate_of_a_big_event_costs_its_put_and_a_row() -> None:
    assert compute_cost(replace(BIG, duplicates=1.0), OURS, MEASURED).write_units == 101 + 1


def test_a_duplicate_among_small_events_cancels_their_transaction() -> None:
    with_some = compute_cost(replace(SMALL, duplicates=0.1), OURS, MEASURED).write_units
    assert with_some > 0.9 * 4 + 0.1 * 3


def test_a_payload_that_exceeds_an_item_is_stored_in_s3() -> None:
    workload = replace(SMALL, sizes=((1000, 1.0),), incompressible=1.0)
    result = compute_cost(workload, OURS, MEASURED)
    assert result.per_million["S3"] == pytest.approx(1000 * price("s3_thousand_puts"))
    assert result.can_store
    assert not compute_cost(workload, ORIGINAL, MEASURED).can_store


def test_sqs_counts_chunks_of_64_kb() -> None:
    # Five events of 200 KB go together: 1,000 KB in 16 chunks, both ways, and a tenth of a delete.
    requests = 16 / 5 * 2 + 1 / 10
    assert compute_cost(BIG, OURS, MEASURED).per_million["SQS"] == pytest.approx(requests * 0.40)


def test_a_month_costs_its_millions_of_events_and_the_fixed_part() -> None:
    result = compute_cost(SMALL, OURS, MEASURED)
    millions = 100 * 365 * 24 * 3600 / 12 / 1e6
    assert result.month(SMALL) == pytest.approx(result.total * millions + 13 * 0.30)


def test_a_quiet_pipeline_archives_the_events_of_one_window_per_shard() -> None:
    # A new table has four shards. 8 events a second are 120 from each shard in a minute, in three objects.
    result = archive_cost(replace(SMALL, events_per_second=8), MEASURED)
    assert result.batch == 8 / 4 * WINDOW_SECONDS
    assert result.puts == pytest.approx(1e6 / 120 * 3 / 1000 * price("s3_thousand_puts"), rel=1e-6)
    assert result.object_bytes == pytest.approx(384 * 120 / 3, rel=1e-6)


def test_the_archivers_time_is_the_sum_of_lines_and_puts() -> None:
    result = archive_cost(replace(SMALL, events_per_second=8), MEASURED)
    seconds = (0.1 * 120 * 1769 / 512 + 3 * 30) / 1000
    dollars = 1e6 / 120 * (seconds * 0.5 * price("lambda_gb_second") + price("lambda_million_requests") / 1e6)
    assert result.lambda_ == pytest.approx(dollars, rel=1e-6)


def test_big_events_fill_a_batch_by_their_bytes() -> None:
    # Items of 102,900 bytes, 40% more as JSON: 43 of them are 6 MB.
    assert archive_cost(replace(BIG, events_per_second=1000), MEASURED).batch == pytest.approx(
        43.67, abs=0.01
    )


def test_one_event_an_hour_is_one_object() -> None:
    result = archive_cost(replace(SMALL, events_per_second=1 / 3600), MEASURED)
    assert result.batch == 1
    assert result.puts == pytest.approx(1000 * price("s3_thousand_puts"))


def test_only_large_objects_move_to_cheaper_classes() -> None:
    months = RETENTION_DAYS / (365 / 12)
    gb = 384 * 1e6 / 1024**3
    quiet = archive_cost(replace(SMALL, events_per_second=8), MEASURED)
    assert quiet.keep == pytest.approx(gb * price("s3_gb_month") * months)
    busy = archive_cost(replace(SMALL, events_per_second=1000), MEASURED)
    assert busy.object_bytes > 128 * 1024
    assert busy.keep < quiet.keep / 2


def test_athena_bills_the_compressed_bytes() -> None:
    assert archive_cost(SMALL, MEASURED).read == pytest.approx(384 * 1e6 / 1024**4 * 5)


def test_a_mix_costs_the_weighted_sum_of_its_parts() -> None:
    mix = replace(SMALL, sizes=((1, 0.5), (200, 0.5)))
    halves = (compute_cost(SMALL, OURS, MEASURED).total + compute_cost(BIG, OURS, MEASURED).total) / 2
    assert compute_cost(mix, OURS, MEASURED).total == pytest.approx(halves)


def test_from_some_size_on_compression_makes_the_pipeline_cheaper() -> None:
    even = break_even_kb(MEASURED)
    assert even is not None
    below, above = (Workload(sizes=((kb, 1.0),)) for kb in (even - 1, even))
    assert compute_cost(below, OURS, MEASURED).total >= compute_cost(below, ORIGINAL, MEASURED).total
    assert compute_cost(above, OURS, MEASURED).total < compute_cost(above, ORIGINAL, MEASURED).total


def test_events_of_200_kb_cost_at_most_40_percent_of_the_original_design() -> None:
    workload, measured = Workload(sizes=((200, 1.0),)), Measured.load()
    ours, original = (compute_cost(workload, design, measured).total for design in (OURS, ORIGINAL))
    assert ours <= 0.4 * original


def test_sizes_between_two_measured_ones_are_interpolated() -> None:
    points = {1.0: 10.0, 3.0: 30.0, 4.0: 100.0}
    assert [interpolate(points, x) for x in (0, 1, 2, 3, 3.5, 5)] == [0, 10, 20, 30, 65, 170]


def test_concurrency_follows_littles_law() -> None:
    # Ten events of 1 ms CPU at 512 of 1,769 MB, a transaction and a summary.
    seconds = (10 * 1769 / 512 + 15 + 20) / 1000
    workload = replace(SMALL, events_per_second=1000)
    assert concurrency(workload, MEASURED) == pytest.approx(1000 / 10 * seconds)


def test_the_ramp_to_305_concurrent_batches_takes_a_minute() -> None:
    assert ramp_seconds(305) == pytest.approx(60)
    assert ramp_seconds(3) == 0


def test_limits_are_sorted_by_the_rate_at_which_they_are_reached() -> None:
    rates = [reached.events_per_second for reached in limits(BIG, MEASURED)]
    assert rates == sorted(rates)
    assert all(reached.change for reached in limits(BIG, MEASURED))


@pytest.mark.parametrize(
    "invalid",
    [{"sizes": ((1, 0.5),)}, {"large": 0.7, "invalid": 0.7}, {"batch": 0}, {"sizes": ((0, 1.0),)}],
)
def test_an_invalid_workload_is_refused(invalid: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Workload(**invalid)


def test_the_command_prints_the_cost_of_a_given_workload(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({"RATE": "500", "KB": "1:0.8,200:0.2"}) == 0
    assert "a month at 500/s" in capsys.readouterr().out


def test_json_is_one_document_of_the_given_workload_or_of_the_default_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for given, rate in (({"RATE": "500"}, 500), ({}, 100)):
        assert main({"JSON": "1", **given}) == 0
        printed = json.loads(capsys.readouterr().out)
        assert printed["workload"]["events_per_second"] == rate
        for design in printed["designs"].values():
            assert design["total_per_million"] == pytest.approx(sum(design["per_million"].values()))
        assert all(limit["events_per_second"] > 0 for limit in printed["limits"])


def test_the_command_prints_all_tables(capsys: pytest.CaptureFixture[str]) -> None:
    assert main({}) == 0
    assert "USD per million events" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("RATE", value) for value in ("many", "nan", "inf", "-5", "0", "1e308")],
        *[("KB", value) for value in ("nan", "inf", "0", "1025", "1:nan", "1:0.5", "1:2,3:-1")],
        *[("BATCH", value) for value in ("nan", "inf", "0", "10001")],
        *[("LARGE", value) for value in ("nan", "-0.1", "1.1")],
    ],
)
def test_the_command_refuses_an_invalid_number_with_an_example(
    name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main({name: value}) == 2
    printed = capsys.readouterr().err
    assert name in printed.splitlines()[0]
    assert "make cost" in printed
