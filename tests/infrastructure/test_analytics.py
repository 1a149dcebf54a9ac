"""Athena's tables, views and queries match the archiver's paths and DuckDB's results."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

import contract
from archiver.lines import KINDS
from tests.infrastructure.configuration import TERRAFORM, blocks, resources, run_terraform, text
from tests.unit.tools.analytics.archive_files import event_line, object_key, rejected_line, write_object
from tools.analytics.database import open_archive
from tools.analytics.named_queries import NamedQuery, named_queries
from tools.analytics.views import DIRECTORY, VIEWS, View
from tools.core.archive_range import PREFIXES
from tools.core.paths import ROOT
from tools.local import hcl

# Athena's types, and DuckDB's names for them.
DUCKDB = {"array(varchar)": "varchar[]", "timestamp(3)": "timestamp_ms"}


@pytest.fixture(scope="module")
def local_values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return Terraform's values of the locals of analytics.tf."""
    directory = tmp_path_factory.mktemp("analytics")
    shutil.copy(TERRAFORM / "variables.tf", directory)
    content = text()["analytics.tf"]
    source = "".join(content[slice(*block.range)] for block in hcl.parse(content) if block.kind == "locals")
    (event_types,) = (line for line in text()["locals.tf"].splitlines() if "event_types =" in line)
    (directory / "analytics.tf").write_text(
        f'{source}\nlocals {{\nname = "rt-pipeline-test"\n{event_types}\n}}\n'
    )
    names = (
        *("archive_lines", "archive_paths", "archive_projection", "archive_columns", "archive_days"),
        *("archive_database", "hive_types"),
    )
    answer = run_terraform(
        "console",
        "-var=environment=test",
        "-var=athena=true",
        f"-var=checkout={ROOT}",
        directory=directory,
        stdin=f"jsonencode({{{', '.join(f'{name} = local.{name}' for name in names)}}})\n",
    )
    assert answer.returncode == 0, answer.stderr
    values: dict[str, Any] = json.loads(json.loads(answer.stdout))
    return values


@pytest.mark.parametrize("view", VIEWS)
def test_glue_lists_the_columns_of_the_view_with_their_types(
    view: str, local_values: dict[str, Any], tmp_path: Path
) -> None:
    with open_archive(tmp_path) as database:
        described = dict(line.split(": ") for line in database.columns().splitlines())[view]
    listed = [
        f"{column['name']} {DUCKDB.get(column['type'], column['type'])}"
        for column in local_values["archive_columns"][view]
    ]
    assert ", ".join(listed) == described


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_athena_gets_the_sql_that_duckdb_runs(view: View) -> None:
    assert (DIRECTORY / f"{view.name}.sql").read_text("utf-8") == view.sql(), "run: make docs"


def test_every_type_with_another_name_in_hive_is_translated(local_values: dict[str, Any]) -> None:
    # These types have the same name in Hive (Glue developer guide, "Data types").
    same = {"bigint", "boolean", "decimal(38,4)"}
    used = {column["type"] for columns in local_values["archive_columns"].values() for column in columns}
    assert used - same == set(local_values["hive_types"])


def test_every_type_and_kind_that_is_archived_is_projected(local_values: dict[str, Any]) -> None:
    projected = local_values["archive_lines"]
    assert set(projected["events"]["type"]) == set(contract.EVENT_TYPES)
    assert set(projected["rejected"]["kind"]) == KINDS
    assert {name: [*lines, "dt", "hour"] for name, lines in projected.items()} == {
        name: view.partitions for name, view in VIEWS.items()
    }
    for name, lines in projected.items():
        for partition, values in lines.items():
            projection = local_values["archive_projection"][name]
            assert projection[f"projection.{partition}.type"] == "enum"
            assert projection[f"projection.{partition}.values"] == ",".join(values)


def test_make_query_downloads_the_prefixes_that_athena_reads(local_values: dict[str, Any]) -> None:
    assert set(PREFIXES) == {
        f"{name}/{partition}={value}/"
        for name, lines in local_values["archive_lines"].items()
        for partition, values in lines.items()
        for value in values
    } | {"duplicates/"}


@pytest.mark.parametrize("kind", ["order", "event_id_conflict", "duplicates"])
def test_the_projected_paths_are_the_archivers(kind: str, local_values: dict[str, Any]) -> None:
    written = object_key(kind, "2026-11-22T04")
    prefix, *parts = written.split("/")[:-1]
    path = local_values["archive_paths"][prefix]
    for name, value in (part.split("=") for part in parts):
        path = path.replace(f"${{{name}}}", value)
    assert path == written.rsplit("/", 1)[0]
    table = resources("aws_glue_catalog_table")["archive_lines"]["parameters"]
    assert '"s3://${aws_s3_bucket.archive[0].id}/${local.archive_paths[each.key]}"' in table


def test_projected_hours_have_two_digits_and_days_cover_the_retention(local_values: dict[str, Any]) -> None:
    for projection in local_values["archive_projection"].values():
        assert (projection["projection.hour.range"], projection["projection.hour.digits"]) == ("0,23", "2")
        assert projection["projection.dt.format"] == "yyyy-MM-dd"
        assert projection["projection.dt.range"] == "NOW-1095DAYS,NOW"


@pytest.mark.parametrize("named", [pytest.param(query, id=query.name) for query in named_queries()])
def test_a_saved_query_is_the_named_query_over_the_last_seven_days(
    named: NamedQuery, local_values: dict[str, Any], tmp_path: Path
) -> None:
    query = resources("aws_athena_named_query")["questions"]["query"]
    assert query.startswith("WITH ${local.archive_days}")
    saved = f"WITH {local_values['archive_days']}\n-- {named.title}\n{named.sql}"
    assert isinstance(sqlglot.parse_one(saved, dialect="athena"), exp.Select)
    today, long_ago = datetime.now(UTC), datetime.now(UTC) - timedelta(days=9)
    recent, old = tmp_path / "recent", tmp_path / "both"
    for directory, times in ((recent, [today]), (old, [today, long_ago])):
        for received in times:
            fill(directory, received)
    # A table's database in Athena is its schema in DuckDB.
    duckdb_sql = saved.replace(f"{local_values['archive_database']}.", "main.")
    with open_archive(recent) as recent_only, open_archive(old) as everything:
        expected = recent_only.query(named.sql).rows
        assert len(expected) > 0
        assert everything.query(duckdb_sql).rows == expected
        assert everything.query(named.sql).rows != expected


def fill(directory: Path, received: datetime) -> None:
    """Write a line of every kind, received at this time."""
    received_at, hour = f"{received:%Y-%m-%dT%H:%M:%S}.000Z", f"{received:%Y-%m-%dT%H}"
    order: dict[str, Any] = {"amount": "5000", "currency": "EUR", "large_order": True}
    lines = {
        "order": (event_line("{}", received_at=received_at, event_id=f"o-{hour}", **order)),
        "payment": event_line(
            '{"method":"card","status":"failed"}', received_at=received_at, event_id=f"p-{hour}"
        ),
        "activity": event_line('{"action":"search"}', received_at=received_at, event_id=f"a-{hour}"),
        "invalid_event": rejected_line("{}", received_at=received_at, message_id=f"m-{hour}"),
    }
    for kind, line in lines.items():
        write_object(directory, object_key(kind, hour), line)


def test_the_workgroup_enforces_encrypted_results_that_expire() -> None:
    configuration = resources("aws_athena_workgroup")["archive"].block("configuration")
    assert configuration["enforce_workgroup_configuration"] is True
    result = configuration.block("result_configuration")
    assert result.block("encryption_configuration")["encryption_option"].startswith(
        '${var.kms_key_arn == null ? "SSE_S3"'
    )
    assert "aws_s3_bucket.athena_results" in result["output_location"]
    rule = resources("aws_s3_bucket_lifecycle_configuration")["athena_results"].block("rule")
    assert rule.block("expiration")["days"] == 7


def test_athena_resources_exist_only_if_athena_is_on() -> None:
    created = [block for block in blocks("resource") if "athena" in block.type or "glue" in block.type]
    created += [block for block in blocks("resource") if block.name == "athena_results"]
    assert len(created) >= 7
    for block in created:
        switch = str(block.body.get("count", block.body.get("for_each")))
        assert "var.athena" in switch or "local.archive_lines" in switch


def test_the_bucket_of_results_is_found_by_the_name_of_the_payload_bucket() -> None:
    # tools/ops/erase/objects.py
    buckets = resources("aws_s3_bucket")
    payloads, results = (buckets[name]["bucket"] for name in ("payloads", "athena_results"))
    assert payloads.replace("-payloads-", "-athena-") == results
