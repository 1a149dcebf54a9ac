"""Keys and values on disk, because there may be millions of them: in a file of SQLite that has no name."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_VALUES = 500  # in one query


class _Scratch(sqlite3.Connection):
    # From Python 3.13 on, sqlite3 warns of a connection that is not closed.
    def __del__(self) -> None:
        self.close()


def scratch_database() -> sqlite3.Connection:
    """Return an empty database that nothing but this process sees. One thread may use it at a time."""
    database = sqlite3.connect("", check_same_thread=False, factory=_Scratch)
    database.execute("PRAGMA journal_mode = OFF")
    return database


def select(database: sqlite3.Connection, query: str, values: Sequence[Any]) -> Iterator[Any]:
    """Yield the rows of a query, which ends with ``IN``, for many values."""
    for start in range(0, len(values), _VALUES):
        some = values[start : start + _VALUES]
        yield from database.execute(f"{query} ({', '.join('?' * len(some))})", some)


class DiskMap:
    """Texts, each with one or more values, or with none if it is used as a set."""

    def __init__(self) -> None:
        self._rows = scratch_database()
        self._rows.execute(
            "CREATE TABLE rows (name BLOB, value TEXT, PRIMARY KEY (name, value)) WITHOUT ROWID"
        )

    def add(self, name: str, value: str = "") -> bool:
        """Add a value. Return whether it is new."""
        row = (_bytes(name), value)
        return self._rows.execute("INSERT OR IGNORE INTO rows VALUES (?, ?)", row).rowcount == 1

    def add_all(self, rows: Iterable[tuple[str, str]]) -> None:
        """Add texts, each with a value."""
        self._rows.executemany(
            "INSERT OR IGNORE INTO rows VALUES (?, ?)", ((_bytes(name), value) for name, value in rows)
        )

    def __contains__(self, name: object) -> bool:
        return next(self.values(str(name)), None) is not None

    def __len__(self) -> int:
        (count,) = self._rows.execute("SELECT count(*) FROM rows").fetchone()
        return int(count)

    def values(self, name: str) -> Iterator[str]:
        """Yield the values of a text."""
        rows = self._rows.execute("SELECT value FROM rows WHERE name = ?", (_bytes(name),))
        return (value for (value,) in rows)

    def values_of(self, names: Iterable[str]) -> Iterator[str]:
        """Yield the values of different texts, in any order."""
        query = "SELECT value FROM rows WHERE name IN"
        return (value for (value,) in select(self._rows, query, [_bytes(name) for name in names]))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yield every text with each of its values."""
        for name, value in self._rows.execute("SELECT name, value FROM rows"):
            yield name.decode("utf-8", "surrogatepass"), value

    def pop(self, name: str) -> list[str]:
        """Remove a text. Return its values."""
        values = list(self.values(name))
        if values:
            self._rows.execute("DELETE FROM rows WHERE name = ?", (_bytes(name),))
        return values


def _bytes(text: str) -> bytes:
    # A row that was written by hand may have half of a surrogate pair.
    return text.encode("utf-8", "surrogatepass")
