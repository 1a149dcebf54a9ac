"""What earlier versions stored: tests/data/v1, v2, ..."""

from __future__ import annotations

import gzip
import json
from base64 import b64decode
from typing import Any

from tools.core.paths import ROOT

DATA = ROOT / "tests" / "data"


class Version:
    """The items, payload objects, archive and messages of one version."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.data = DATA / name
        self.messages: dict[str, str] = json.loads((self.data / "messages.json").read_text("utf-8"))
        file = json.loads((self.data / "tables.json").read_text("utf-8"))
        self.tables: dict[str, list[dict[str, Any]]] = file["tables"]
        self.objects = {key: b64decode(data) for key, data in file["payload_objects"].items()}
        self.kept = [*self.tables["events"], *self.tables["rejected"]]

    def lines(self) -> list[tuple[str, bytes]]:
        """Return the lines of the archive, each with the first part of its object's key."""
        return [
            (path.relative_to(self.data / "archive").parts[0], line)
            for path in self.data.glob("archive/*/*/*/*/*.gz")
            for line in gzip.decompress(path.read_bytes()).splitlines(keepends=True)
        ]


def binary(item: dict[str, Any]) -> dict[str, Any]:
    """Return an item as DynamoDB's API returns it: its payload as bytes."""
    if "payload" not in item:
        return item
    return {**item, "payload": {"B": b64decode(item["payload"]["B"])}}


VERSIONS = [Version(path.name) for path in sorted(DATA.glob("v[0-9]*"))]
