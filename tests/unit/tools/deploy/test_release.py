"""A release writes version and changelog, builds the zips, commits and tags, and refuses anything else."""

from __future__ import annotations

import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest

from tools.core.errors import ToolError, UsageError
from tools.core.paths import ROOT
from tools.deploy.release import release, released
from tools.local import build

CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [1.0.0] - 2026-11-23\n\n- All.\n"
TODAY = date(2026, 12, 1)

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH")


def git(root: Path, *arguments: str) -> str:
    program = ("git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments)
    return subprocess.run(program, cwd=root, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.setenv(name, "t")
    for name in ("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "t@t")
    monkeypatch.setattr(build, "build_all", lambda: dict.fromkeys(build.ARTIFACTS, "0" * 64))
    (tmp_path / "VERSION").write_text("1.0.0\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / ".gitignore").write_text("build/\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "all")
    return tmp_path


def test_a_release_is_committed_and_tagged_with_the_hashes_of_its_zips(checkout: Path) -> None:
    sums = release("1.1.0", checkout, TODAY)
    assert (checkout / "VERSION").read_text() == "1.1.0\n"
    assert (
        "## [Unreleased]\n\n## [1.1.0] - 2026-12-01\n\n### Added\n\n- A thing.\n"
        in (checkout / "CHANGELOG.md").read_text()
    )
    assert (checkout / "build" / "SHA256SUMS").read_text().splitlines() == sums
    assert git(checkout, "status", "--porcelain") == ""
    assert (
        git(checkout, "tag", "--list", "--format=%(refname:short) %(contents)")
        .split("\n")[0]
        .startswith("v1.1.0")
    )
    assert all(line in git(checkout, "cat-file", "-p", "v1.1.0") for line in sums)


@pytest.mark.parametrize("version", ["", "1.0.0", "0.9.9", "1.1", "v1.1.0", "1.1.0-rc1", "01.1.0", "--help"])
def test_what_is_no_higher_version_is_refused(checkout: Path, version: str) -> None:
    with pytest.raises(UsageError):
        release(version, checkout, TODAY)
    assert git(checkout, "status", "--porcelain") == git(checkout, "tag", "--list") == ""


def test_uncommitted_changes_and_an_existing_tag_are_refused(checkout: Path) -> None:
    (checkout / "new").touch()
    with pytest.raises(ToolError, match="uncommitted"):
        release("1.1.0", checkout, TODAY)
    (checkout / "new").unlink()
    git(checkout, "tag", "v1.1.0")
    with pytest.raises(ToolError, match="exists"):
        release("1.1.0", checkout, TODAY)


def test_a_release_says_what_a_user_notices() -> None:
    with pytest.raises(ToolError, match="no entries"):
        released("## [Unreleased]\n\n## [1.0.0] - 2026-11-23\n\n- All.\n", "1.1.0", TODAY)


def test_the_version_is_that_of_the_newest_release_in_the_changelog() -> None:
    version = (ROOT / "VERSION").read_text("utf-8").strip()
    headings = [
        line for line in (ROOT / "CHANGELOG.md").read_text("utf-8").splitlines() if line.startswith("## [")
    ]
    assert headings[0] == "## [Unreleased]"
    assert headings[1].startswith(f"## [{version}] - ")
