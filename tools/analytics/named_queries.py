"""The named queries: one file each in ``queries/``, the same SQL for DuckDB and for Athena."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.core.errors import UsageError

DIRECTORY = Path(__file__).parent / "queries"


@dataclass(frozen=True)
class NamedQuery:
    """A query. ``name`` is its file's name, ``title`` the comment in its first line."""

    name: str
    title: str
    sql: str


@cache
def named_queries() -> tuple[NamedQuery, ...]:
    """Return all named queries by name. Each begins with SELECT, because Terraform puts a WITH before it."""
    return tuple(_read(file) for file in sorted(DIRECTORY.glob("*.sql")))


def find_query(name: str) -> NamedQuery:
    """Return the query with this name. Raises UsageError if there is none."""
    for query in named_queries():
        if query.name == name:
            return query
    known = ", ".join(query.name for query in named_queries())
    raise UsageError(f"NAME={name} is unknown.", f"NAME is one of {known}.")


def _read(file: Path) -> NamedQuery:
    title, _, sql = file.read_text("utf-8").partition("\n")
    return NamedQuery(file.stem, title.removeprefix("--").strip(), sql)
