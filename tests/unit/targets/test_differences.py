"""docs/emulators.md agrees with the tests that its rows name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tools.core.paths import REQUIREMENTS, ROOT
from tools.local.localstack import DEFAULT_VERSION

PAGE = (ROOT / "docs" / "emulators.md").read_text("utf-8")
SEES = ROOT / "tests" / "integration" / "test_emulators.py"
FLAVOURS = ("localstack", "ministack")


def rows() -> Iterator[list[str]]:
    """Return the cells of each row of the table, without its headings."""
    table = PAGE[PAGE.index("| What | AWS |") :].partition("\n\n")[0]
    for line in table.splitlines()[2:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not cells[0].startswith("**"):
            yield cells


def names_in(text: str) -> list[str]:
    """Return the names of tests in a cell."""
    return re.findall(r"`(test_\w+)`", text)


def differs() -> dict[str, dict[str, list[str]]]:
    """Return the arguments of the markers of each test of test_emulators.py, by marker name."""
    found: dict[str, dict[str, list[str]]] = {}
    for node in ast.parse(SEES.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found[node.name] = {
                mark.func.attr: [word.arg or "" for word in mark.keywords]
                for mark in node.decorator_list
                if isinstance(mark, ast.Call) and isinstance(mark.func, ast.Attribute)
            }
    return found


ROWS = list(rows())
DIFFERS = differs()
DEFINED = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", path.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_names_an_existing_test_or_the_reason_for_none(row: list[str]) -> None:
    assert len(row) == 5
    assert all(row)
    named = names_in(row[4])
    assert named or re.match(r"none: \w+", row[4])
    assert set(named) <= DEFINED


@pytest.mark.parametrize("name", DIFFERS)
def test_the_expectation_of_a_test_equals_its_row(name: str) -> None:
    (row,) = [row for row in ROWS if name in names_in(row[4])]
    for flavour, cell in zip(FLAVOURS, row[2:4], strict=True):
        expected_to_fail = flavour in DIFFERS[name].get("differs", [])
        assert not (expected_to_fail and "as AWS" in cell), f"{flavour}: {cell}"
        if "needs" not in DIFFERS[name] and not expected_to_fail:
            assert re.search("as AWS|accepted|yes", cell), f"{flavour}: {cell}"


def test_the_page_names_the_versions_in_the_locks() -> None:
    ministack = re.search(r"^ministack==(\S+)", (REQUIREMENTS / "emulator.txt").read_text(), re.MULTILINE)
    assert ministack
    assert f"| What | AWS | LocalStack {DEFAULT_VERSION} | MiniStack {ministack[1]} | Test |" in PAGE
