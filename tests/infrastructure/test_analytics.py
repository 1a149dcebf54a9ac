"""Athena's tables, views and queries agree with the archiver and with DuckDB."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from archiver.lines import KINDS, TYPES
from tests.infrastructure.configuration import TERRAFORM, Block, blocks, resources, run_terraform, text
from tests.unit.tools.analytics.archive import event_line, key, put, rejected_line
from tools.analytics.archive import PREFIXES
from tools.analytics.database import PARTITIONS, open_archive
from tools.analytics.named_queries import NamedQuery, named_queries
from tools.local import hcl

# Athena's types, and DuckDB's names for them.
DUCKDB = {"array(varchar)": "varchar[]", "timestamp(3)": "timestamp_ms"}


@pytest.fixture(scope="module")
def local_values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return the evaluated local values of analytics.tf."""
    directory = tmp_path_factory.mktemp("analytics")
    shutil.copy(TERRAFORM / "variables.tf", directory)
    content = text()["analytics.tf"]
    said = "".join(content[slice(*block.range)] for block in hcl.parse(content) if block.kind == "locals")
    (directory / "analytics.tf").write_text(f'{said}\nlocals {{\nname = "rt-pipeline-test"\n}}\n')
    names = ("archive_lines", "archive_columns", "archive_days", "archive_database", "hive_types")
    answer = run_terraform(
        "console",
        "-var=environment=test",
        "-var=athena=true",
        directory=directory,
        stdin=f"jsonencode({{{', '.join(f'{name} = local.{name}' for name in names)}}})\n",
    )
    assert answer.returncode == 0, answer.stderr
    values: dict[str, Any] = json.loads(json.loads(answer.stdout))
    return values


def lines_table() -> Block:
    return resources("aws_glue_catalog_table")["archive_lines"]


def parameters() -> dict[str, str]:
    return {name.strip('"'): value for name, value in lines_table()["parameters"].items()}


@pytest.mark.parametrize("view", PARTITIONS)
def test_a_views_columns_equal_those_of_its_sql(
    view: str, local_values: dict[str, Any], tmp_path: Path
) -> None:
    with open_archive(tmp_path) as database:
        described = dict(line.split(": ") for line in database.columns().splitlines())[view]
    said = [
        f"{one['name']} {DUCKDB.get(one['type'], one['type'])}"
        for one in local_values["archive_columns"][view]
    ]
    assert ", ".join(said) == described


def test_every_type_with_another_name_in_hive_has_that_name(local_values: dict[str, Any]) -> None:
    # Glue's types are Hive's (Glue developer guide, "Data types"); these are called the same there.
    same = {"bigint", "boolean", "decimal(38,4)"}
    used = {one["type"] for columns in local_values["archive_columns"].values() for one in columns}
    assert used - same == set(local_values["hive_types"])


def test_every_type_and_kind_that_is_archived_is_projected(local_values: dict[str, Any]) -> None:
    projected = local_values["archive_lines"]
    assert set(projected["events"]["values"]) == TYPES
    assert set(projected["rejected"]["values"]) == KINDS
    assert {name: one["partition"] for name, one in projected.items()} == {
        name: partitions[0] for name, partitions in PARTITIONS.items()
    }


def test_the_downloaded_objects_are_those_that_athena_reads(local_values: dict[str, Any]) -> None:
    assert set(PREFIXES) == {
        f"{name}/{one['partition']}={value}/"
        for name, one in local_values["archive_lines"].items()
        for value in one["values"]
    }


@pytest.mark.parametrize("kind", ["order", "event_id_conflict"])
def test_the_projected_paths_are_those_that_the_archiver_writes(kind: str) -> None:
    written = key(kind, "2026-11-22T04")
    prefix, first = written.split("/")[:2]
    partition, value = first.split("=")
    template = re.search(r'"(s3://.*?)"', parameters()["storage.location.template"])
    assert template is not None
    path = template[1] % ("archive", prefix, partition, partition)
    for name, part in ((partition, value), ("dt", "2026-11-22"), ("hour", "04")):
        path = path.replace(f"$${{{name}}}", part)
    assert path == f"s3://archive/{written.rsplit('/', 1)[0]}"


def test_hours_have_two_digits_and_days_reach_as_far_as_the_archive() -> None:
    said = parameters()
    assert (said["projection.hour.range"], said["projection.hour.digits"]) == ("0,23", "2")
    assert said["projection.dt.format"] == "yyyy-MM-dd"
    assert said["projection.dt.range"] == "NOW-${var.archive_retention_days}DAYS,NOW"


@pytest.mark.parametrize("asked", [pytest.param(one, id=one.name) for one in named_queries()])
def test_a_saved_query_is_the_named_query_limited_to_the_last_days(
    asked: NamedQuery, local_values: dict[str, Any], tmp_path: Path
) -> None:
    query = resources("aws_athena_named_query")["questions"]["query"]
    assert query.startswith("WITH ${local.archive_days}")
    saved = f"WITH {local_values['archive_days']}\n-- {asked.title}\n{asked.sql}"
    assert isinstance(sqlglot.parse_one(saved, dialect="athena"), exp.Select)
    today, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(days=9)
    recent, old = tmp_path / "recent", tmp_path / "both"
    for directory, moments in ((recent, [today]), (old, [today, long_ago])):
        for moment in moments:
            fill(directory, moment)
    # Trino's full name of a table, in DuckDB the schema that it is in.
    here = saved.replace(f"{local_values['archive_database']}.", "main.")
    with open_archive(recent) as some, open_archive(old) as all_:
        expected = some.query(asked.sql).rows
        assert len(expected) > 0
        assert all_.query(here).rows == expected
        assert all_.query(asked.sql).rows != expected


def fill(directory: Path, moment: datetime) -> None:
    """Return one line of each kind, received at that time."""
    received, hour = f"{moment:%Y-%m-%dT%H:%M:%S}.000Z", f"{moment:%Y-%m-%dT%H}"
    order: dict[str, Any] = {"amount": "5000", "currency": "EUR", "large_order": True}
    sent = {
        "order": (event_line("{}", received_at=received, event_id=f"o-{hour}", **order)),
        "payment": event_line(
            '{"method":"card","status":"failed"}', received_at=received, event_id=f"p-{hour}"
        ),
        "activity": event_line('{"action":"search"}', received_at=received, event_id=f"a-{hour}"),
        "invalid_event": rejected_line("{}", received_at=received, message_id=f"m-{hour}"),
    }
    for kind, line in sent.items():
        put(directory, key(kind, hour), line)


def test_results_go_to_the_workgroups_bucket_and_expire() -> None:
    configuration = resources("aws_athena_workgroup")["archive"].block("configuration")
    assert configuration["enforce_workgroup_configuration"] is True
    result = configuration.block("result_configuration")
    assert result.block("encryption_configuration")["encryption_option"] == "SSE_S3"
    assert "aws_s3_bucket.athena_results" in result["output_location"]
    rule = resources("aws_s3_bucket_lifecycle_configuration")["athena_results"].block("rule")
    assert rule.block("expiration")["days"] == 7


def test_athena_resources_are_created_only_on_request() -> None:
    made = [block for block in blocks("resource") if "athena" in block.type or "glue" in block.type]
    made += [block for block in blocks("resource") if block.name == "athena_results"]
    assert len(made) >= 9
    for block in made:
        switch = str(block.body.get("count", block.body.get("for_each")))
        assert "var.athena" in switch or "local.archive_lines" in switch
