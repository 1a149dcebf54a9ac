"""``python -m tools.analytics query|report``. All options are environment variables, as make passes them."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from storage.columns import EVENTS
from tools.analytics import output
from tools.analytics.archive import SyncResult, sync_archive
from tools.analytics.database import MAX_DIGITS, Database, open_archive
from tools.analytics.named_queries import find_query, named_queries
from tools.analytics.report import Source, render_report
from tools.core.archive_range import ArchiveRange
from tools.core.cli import run
from tools.core.console import err, out, progress_bars, safe_text
from tools.core.errors import ToolError, UsageError, is_on, require_known
from tools.core.files import write_private
from tools.core.paths import REPORT_PAGE
from tools.core.program import print_error, start
from tools.core.resources import Resources, require_archive

_EXAMPLE = 'make query Q="select type, count(*) from events group by 1"'
# A week of events downloads in seconds.
_DEFAULT_SINCE = "7d"
_LISTED = 20
# Queries that may read a decimal column.
_MONEY = re.compile(
    r"(?<!\()\*|" + "|".join(column.name for column in EVENTS if column.sql.startswith("decimal"))
)


@dataclass(frozen=True)
class OpenArchive:
    """The downloaded range of the archive, and a database over it."""

    database: Database
    synced: SyncResult
    selected: ArchiveRange
    now: datetime


def run_query(resources: Resources, environment: Mapping[str, str]) -> int:
    """Print the rows of one query, which is given as SQL (Q=) or by name (NAME=)."""
    output_format = environment.get("FORMAT") or ("json" if is_on(environment, "JSON") else "table")
    require_known("FORMAT", output_format, output.FORMATS)
    if output_format != "json" and is_on(environment, "JSON"):
        raise UsageError(f"FORMAT={output_format} and JSON=1 name two formats: give one of them.", _EXAMPLE)
    raw = is_on(environment, "RAW")
    sql, name = environment.get("Q"), environment.get("NAME")
    if bool(sql) == bool(name):
        named = "\n".join(f"make query NAME={query.name:24}  {query.title}" for query in named_queries())
        raise UsageError("Which query? Set either Q= or NAME=.", f"{_EXAMPLE}\n{named}")
    selected_sql = find_query(name).sql if name else str(sql)
    with _open_selected(resources, environment) as archive:
        try:
            output.print_rows(archive.database, selected_sql, output_format, raw=raw)
        finally:
            if _MONEY.search(selected_sql):
                _warn_of_large_amounts(archive.database)
    return 0


def write_report(resources: Resources, environment: Mapping[str, str]) -> int:
    """Write the results of all named queries to one HTML page."""
    target = Path(environment.get("OUT") or REPORT_PAGE)
    if target.is_dir():
        raise UsageError(f"OUT={target} is a directory.", "OUT is a file: OUT=build/report.html")
    with _open_selected(resources, environment) as archive:
        location = f"{resources.endpoint or f'AWS, {resources.region}'}, s3://{resources.archive_bucket}"
        name = resources.function_name.removesuffix("-processor")
        source = Source(name, location, archive.selected, archive.now)
        page = render_report(archive.database, archive.synced, source)
        _warn_of_large_amounts(archive.database)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_private(target, page)
    out.print(f"Wrote {target}. Open it in a browser; it needs no network.")
    return 0


def _warn_of_large_amounts(database: Database) -> None:
    rows = database.too_large(_LISTED + 1).rows
    for event_id, name, value in rows[:_LISTED]:
        err.print(safe_text(f"The {name} of event {event_id} is {value}.", "bold"))
    if rows:
        more = "More events have" if len(rows) > _LISTED else "That is"
        err.print(
            f"{more} over {MAX_DIGITS} digits before the point, which release 1.0.0 accepted. "
            "A sum of them can overflow, so the named queries give each a row of its own.",
            style="bold",
        )


def _warn_of_refused_objects(synced: SyncResult) -> None:
    for key, problem in synced.refused[:_LISTED]:
        err.print(safe_text(f"Not read completely: {key}: {problem}", "bold"))
    if len(synced.refused) > _LISTED:
        err.print(f"and {len(synced.refused) - _LISTED:,} more", style="bold")


@contextmanager
def _open_selected(resources: Resources, environment: Mapping[str, str]) -> Iterator[OpenArchive]:
    now = datetime.now(UTC)
    selected = ArchiveRange.read(environment.get("SINCE") or _DEFAULT_SINCE, environment.get("UNTIL"), now)
    require_archive(resources)
    bucket = resources.archive_bucket
    with (
        progress_bars(None, "objects downloaded") as (progress,),
        sync_archive(resources.client("s3"), bucket, resources.query_cache, selected, progress) as synced,
    ):
        _warn_of_refused_objects(synced)
        if not synced.objects:
            raise ToolError(
                f"Nothing of {selected.since:%Y-%m-%d %H:%M} to {selected.until:%Y-%m-%d %H:%M} UTC "
                f"is archived in s3://{bucket}.",
                "Events are archived a minute or two after they are stored. SINCE=30d looks further back.",
            )
        with open_archive(synced.directory, selected) as database:
            yield OpenArchive(database, synced, selected, now)


COMMANDS: Mapping[str, Callable[[Resources, Mapping[str, str]], int]] = {
    "query": run_query,
    "report": write_report,
}


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command and return its exit status."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        return print_error(UsageError(f"Which command: {' or '.join(COMMANDS)}?", _EXAMPLE))
    command = COMMANDS[arguments[0]]
    return run(lambda: Resources.find(environment), lambda resources: command(resources, environment))


if __name__ == "__main__":
    start(lambda: main(sys.argv[1:], os.environ))
