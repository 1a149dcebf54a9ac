"""``python -m tools.analytics query|report``: every option comes from the environment, as make passes it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.analytics import output, report
from tools.analytics.archive import SyncResult, fetched
from tools.analytics.database import Database, open_archive
from tools.analytics.named_queries import named_queries, named_query
from tools.analytics.report_range import ReportRange
from tools.core.cli import print_error, run
from tools.core.console import out, progress_bars
from tools.core.errors import OpsError, UsageError
from tools.core.paths import CACHE_DIR, ROOT
from tools.core.resources import Resources, require_archive

_EXAMPLES = 'make query Q="select type, count(*) from events group by 1"'
# Far enough back for a look, near enough for an archive of months to be fetched in seconds.
_SINCE = "7d"
_REPORT = ROOT / "build" / "report.html"


@dataclass(frozen=True)
class Opened:
    """The archive, ready to be asked, and what of it was fetched."""

    database: Database
    fetched: SyncResult
    span: ReportRange
    now: datetime


def query(resources: Resources, environment: Mapping[str, str]) -> int:
    """Answer one question, given as SQL or by its name."""
    form = environment.get("FORMAT") or "table"
    if form not in output.FORMS:
        raise UsageError(f"FORMAT={form} is unknown.", f"FORMAT is one of {', '.join(output.FORMS)}.")
    sql, name = environment.get("Q"), environment.get("NAME")
    if bool(sql) == bool(name):
        named = "\n".join(f"make query NAME={one.name:24}  {one.title}" for one in named_queries())
        raise UsageError("Which query? One of Q= and NAME= says it.", f"{_EXAMPLES}\n{named}")
    asked = named_query(name).sql if name else str(sql)
    with _opened(resources, environment) as archive:
        output.show(archive.database, asked, form)
    return 0


def render(resources: Resources, environment: Mapping[str, str]) -> int:
    """Write the answers to all named queries as one HTML page."""
    target = Path(environment.get("OUT") or _REPORT)
    if target.is_dir():
        raise UsageError(f"OUT={target} is a directory.", "OUT names the page: OUT=build/report.html")
    with _opened(resources, environment) as archive:
        place = resources.endpoint or f"AWS, {resources.region}"
        where = f"{place}, s3://{resources.archive_bucket}"
        page = report.page(archive.database, archive.fetched, archive.span, where, archive.now)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, "utf-8")
    out.print(f"Wrote {target}. Open it in a browser; it needs no network.")
    return 0


@contextmanager
def _opened(resources: Resources, environment: Mapping[str, str]) -> Iterator[Opened]:
    now = datetime.now(UTC)
    span = ReportRange.of(environment.get("SINCE") or _SINCE, environment.get("UNTIL") or None, now)
    require_archive(resources)
    bucket = resources.archive_bucket
    # What a stack archived goes with the stack; what came from an account goes by make clean.
    cache = (resources.state_dir if resources.endpoint else CACHE_DIR) / "archive"
    with (
        progress_bars(None, "objects fetched") as (progress,),
        fetched(resources.client("s3"), bucket, cache, span, progress) as found,
    ):
        if not found.objects:
            raise OpsError(
                f"Nothing of {span.since:%Y-%m-%d %H:%M} to {span.until:%Y-%m-%d %H:%M} UTC is archived in "
                f"s3://{bucket}.",
                "What is stored gets there within a minute or two. SINCE=30d looks further back.",
            )
        with open_archive(found.directory, span) as database:
            yield Opened(database, found, span, now)


COMMANDS: Mapping[str, Callable[[Resources, Mapping[str, str]], int]] = {"query": query, "report": render}


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run one command. Returns its exit status; prints errors that a person can act on."""
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        return print_error(UsageError(f"Which of {' and '.join(COMMANDS)}?", _EXAMPLES))
    command = COMMANDS[arguments[0]]
    return run(lambda: Resources.find(environment), lambda resources: command(resources, environment))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
