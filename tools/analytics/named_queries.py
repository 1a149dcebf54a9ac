"""The named queries: one file each in ``queries/``, the same SQL for DuckDB and for Athena."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.core.errors import UsageError

DIRECTORY = Path(__file__).parent / "queries"


@dataclass(frozen=True)
class NamedQuery:
    """A query by the name of its file; ``title`` is its first line, a comment."""

    name: str
    title: str
    sql: str


@cache
def named_queries() -> tuple[NamedQuery, ...]:
    """All of them, by name. Each begins with SELECT: Terraform puts a span of days before it."""
    return tuple(_read(file) for file in sorted(DIRECTORY.glob("*.sql")))


def named_query(name: str) -> NamedQuery:
    """The question of this name. Raises UsageError where there is none."""
    for one in named_queries():
        if one.name == name:
            return one
    known = ", ".join(one.name for one in named_queries())
    raise UsageError(f"NAME={name} is unknown.", f"NAME is one of {known}.")


def _read(file: Path) -> NamedQuery:
    title, _, sql = file.read_text("utf-8").partition("\n")
    return NamedQuery(file.stem, title.removeprefix("--").strip(), sql)
