"""The pages point to files and headings that exist, and every decision has its page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", ".github/*.md", "terraform/*.md")
    for page in ROOT.glob(pattern)
)
ADR = ROOT / "docs" / "adr"
DECISIONS = sorted(ADR.glob("[0-9]*.md"))
CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
SECTION = re.compile(r"^### (?:`(?P<folder>[^`]+)`|.*)$(?P<rows>.*?)(?=^##|\Z)", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    broken = []
    for file, anchor in LINK.findall(CODE.sub("", page.read_text("utf-8"))):
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(f"{file}#{anchor}")
    assert broken == []


def mapped() -> dict[Path, list[Path]]:
    """Return the paths that the file map names, each with the files that it matches."""
    _, file_map = (ROOT / "docs" / "architecture.md").read_text("utf-8").split("## File map")
    matches = {}
    for section in SECTION.finditer(file_map):
        directory = ROOT / (section["folder"] or "")
        for cell in re.findall(r"^\| (`.+?) \|", section["rows"], re.MULTILINE):
            for name in re.findall(r"`([^`]+)`", cell):
                matches[directory / name] = list(directory.glob(name))
    return matches


def test_every_file_of_the_map_exists() -> None:
    missing = [path for path, files in mapped().items() if not files]
    assert [str(path.relative_to(ROOT)) for path in missing] == []


@pytest.mark.parametrize("directory", ["lambda_src", "producer", "dashboards", "tools", "terraform"])
def test_the_map_names_every_source_file(directory: str) -> None:
    named = {file for files in mapped().values() for file in files}
    sources = {path for pattern in ("*.py", "*.tf") for path in (ROOT / directory).rglob(pattern)}
    unnamed = [
        path
        for path in sources
        if not path.name.startswith("__") and not named.intersection([path, *path.parents])
    ]
    assert sorted(str(path.relative_to(ROOT)) for path in unnamed) == []


def test_the_index_lists_every_decision_under_its_number_and_title() -> None:
    titles = [decision.read_text("utf-8").splitlines()[0].removeprefix("# ") for decision in DECISIONS]
    rows = re.findall(
        r"^\| (\d+) \| \[(.+)\]\((.+)\) \|$", (ADR / "README.md").read_text("utf-8"), re.MULTILINE
    )
    assert [f"{number}. {title}" for number, title, _ in rows] == titles
    assert [file for *_, file in rows] == [decision.name for decision in DECISIONS]
    assert [int(number) for number, *_ in rows] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.stem)
def test_a_decision_has_its_four_parts(decision: Path) -> None:
    parts = re.findall(r"^## (.+)$", decision.read_text("utf-8"), re.MULTILINE)
    assert parts == ["Context", "Decision", "Consequences", "Revisit when"]
