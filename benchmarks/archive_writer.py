"""Writes the same events as the archiver does and as Parquet, and asks both the named queries.

Run by archive_format.py, with a JSON object of its task, in an environment that has DuckDB.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
from archiver.lines import Line, event_line
from archiver.objects import Objects
from processor import items
from processor.messages import Message as Stored

import contract
from analytics.database import open_archive, views
from analytics.questions import Question, questions
from benchmarks import bodies
from benchmarks.archive_format import FORMATS, LINES
from benchmarks.measure import spread
from producer.events import SEEDED_START, Events, Recipe
from producer.messages import Message
from producer.plan import Shares

_THRESHOLD = Decimal(1000)
# Those of rejected events are too few to say anything of a format.
_ASKED = [one for one in questions() if "FROM events" in one.sql]
# What the view reads, whatever is asked, in order to tell copies apart; the rest of it is in the paths.
_ALWAYS = {"event_id", "processed_at"}

Query = Callable[[str], Any]


def main(task: dict[str, Any]) -> dict[str, Any]:
    """Measure one size of events."""
    directory = Path(task["directory"])
    lines = [event_line(item, _nothing) for item in _items(task["kb"], task["count"])]
    made: dict[str, dict[str, Any]] = {name: {"write": [], "query": {}} for name in FORMATS}
    for number in range(task["rounds"]):
        for name in FORMATS:
            target = directory / f"{name}-{number}"
            made[name]["write"].append(_written(name, lines, target) * 1000 / len(lines))
            with _opened(name, target) as query:
                for one in _ASKED:
                    began = time.perf_counter()
                    query(one.sql)
                    made[name]["query"].setdefault(one.name, []).append((time.perf_counter() - began) * 1000)
    return {
        name: {
            "count": len(lines),
            "bytes": sum(file.stat().st_size for file in _files(name, directory / f"{name}-0")) / len(lines),
            "write_cpu_ms": spread(found["write"]),
            "query_ms": {asked: spread(times) for asked, times in found["query"].items()},
            "read_bytes": {one.name: _read_bytes(name, directory / f"{name}-0", one) for one in _ASKED},
        }
        for name, found in made.items()
    }


def _items(kb: int, count: int) -> Iterator[items.Item]:
    """The items of events as the producer mixes them, received within an hour."""
    for number, message in enumerate(_messages(kb, count)):
        received = SEEDED_START + timedelta(hours=1) * (number / count)
        record = {
            "messageId": f"00000000-0000-4000-8000-{number:012}",
            "body": message.body,
            "attributes": {"SentTimestamp": str(int(received.timestamp() * 1000))},
        }
        read = Stored.read(record, received + timedelta(seconds=1))
        item = items.event_item(read, large_order=contract.is_large_order(read.event, _THRESHOLD))
        yield items.with_payload(item, read, rejected=False)[0]


def _messages(kb: int, count: int) -> Iterator[Message]:
    """Events that have little in common.

    A run of the producer cuts them all from one stock of text. What looks far back, as zstd does, would find
    there what real events do not repeat.
    """
    of_a_stock = max(1, 100 // kb)
    shares = Shares(large=Fraction(1, 20))
    for first in range(0, count, of_a_stock):
        recipe = Recipe(bodies.SEED + first, SEEDED_START, target_bytes=kb * bodies.KB, shares=shares)
        events = Events(recipe)
        yield from (events.message(number) for number in range(first, min(count, first + of_a_stock)))


def _nothing(key: str) -> bytes:
    raise KeyError(key)


def _written(name: str, lines: list[Line], directory: Path) -> float:
    """Write all lines; returns the CPU seconds that it took."""
    if name == LINES:
        return _as_lines(lines, directory)
    # Of columns that are there already: an archiver would have to make them of items first, in Python. So
    # this is the least that Parquet can cost.
    text = directory / "lines"
    _as_lines(lines, text)
    codec = name.rpartition(" ")[2]
    with closing(views(text)) as connection:
        connection.execute("CREATE TABLE columns AS SELECT * FROM events")
        began = time.process_time()
        how = f"FORMAT parquet, COMPRESSION {codec}, PARTITION_BY (type, dt, hour), OVERWRITE_OR_IGNORE"
        connection.execute(f"COPY columns TO '{directory}' ({how})")
        return time.process_time() - began


@contextmanager
def _opened(name: str, directory: Path) -> Iterator[Query]:
    """What runs a query over what was written."""
    if name == LINES:
        with open_archive(directory) as database:
            yield database.query
        return
    with closing(views(directory / "none")) as connection:
        # Parquet is archived at least once as well: the same rule for copies.
        files = f"'{directory}/type=*/*/*/*.parquet'"
        types = "hive_partitioning = true, hive_types = {type: VARCHAR, dt: VARCHAR, hour: VARCHAR}"
        once = "row_number() OVER (PARTITION BY type, dt, hour, event_id ORDER BY processed_at) = 1"
        connection.execute(
            f"CREATE OR REPLACE VIEW events AS FROM read_parquet({files}, {types}) QUALIFY {once}"
        )
        yield lambda sql: connection.execute(sql).fetchall()


def _files(name: str, directory: Path) -> list[Path]:
    return sorted(directory.glob("events/**/*.gz" if name == LINES else "type=*/**/*.parquet"))


def _read_bytes(name: str, directory: Path, asked: Question) -> int:
    """What Athena reads for a query: objects of lines whole, of Parquet only the columns that it needs."""
    (event_type,) = re.findall(r"type = '(\w+)'", asked.sql)
    files = [file for file in _files(name, directory) if f"type={event_type}" in str(file)]
    if name == LINES:
        return sum(file.stat().st_size for file in files)
    needed = _ALWAYS | set(re.findall(r"\w+", asked.sql))
    with closing(duckdb.connect()) as connection:
        chunks = connection.execute(
            "SELECT path_in_schema, total_compressed_size FROM parquet_metadata(?)", [list(map(str, files))]
        ).fetchall()
    return sum(size for column, size in chunks if column in needed)


def _as_lines(lines: list[Line], directory: Path) -> float:
    began = time.process_time()
    objects = Objects("a")
    made = [one for line in lines for one in objects.add(line)] + objects.rest()
    for one in made:
        path = directory / one.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.data)
    return time.process_time() - began


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
