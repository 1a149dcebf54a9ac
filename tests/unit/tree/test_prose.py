"""Docs, docstrings, comments and help use none of a few words that have no legitimate use in this project."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.core.paths import ROOT

PATTERNS = ("*.md", "*.py", "*.tf", "*.sh", "*.yml", "Makefile")
WORDS = re.compile(r"\b(anew|befalls?|befell|befallen|ow(e|es|ed)|thereof)\b", re.IGNORECASE)
SKIPPED = {".venv", ".cache", ".git", ".stack", ".deploy", "build"}


def files() -> list[Path]:
    """Return every text file of the project that is checked."""
    tops = [path for path in ROOT.iterdir() if path.name not in SKIPPED]
    paths = {path for top in tops for path in (top, *top.rglob("*")) if any(map(path.match, PATTERNS))}
    paths -= {Path(__file__)}
    relative = sorted(path.relative_to(ROOT) for path in paths if path.is_file())
    return [
        path
        for path in relative
        if not SKIPPED & set(path.parts)
        and path.parts[:2] != ("tests", "data")
        # The table of replaced names has some of these words.
        and path != Path("tests/unit/tree/test_names.py")
    ]


def violations(text: str) -> list[tuple[int, str]]:
    """Return the number of each line with a word to avoid, and the word."""
    return [
        (number, match[0])
        for number, line in enumerate(text.splitlines(), start=1)
        for match in WORDS.finditer(line)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("built anew", ["anew"]),
        ("what it Befell", ["Befell"]),
        ("alerts are owed", ["owed"]),
        ("a list thereof", ["thereof"]),
        ("a renewal, a bowed head, an owner, owing to the lock", []),
    ],
)
def test_the_words_are_found_in_all_their_forms_and_in_no_others(text: str, words: list[str]) -> None:
    assert [word for _, word in violations(text)] == words


def test_no_text_has_a_word_to_avoid() -> None:
    wrong = [
        f"{path}:{number}: {word}"
        for path in files()
        for number, word in violations((ROOT / path).read_text("utf-8"))
    ]
    assert wrong == []
