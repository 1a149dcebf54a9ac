"""`make release VERSION=1.1.0`: write the version and the changelog, build the zips, commit and tag.

It pushes nothing. The tag's workflow tests the commit and attests how the zips were built.
"""

import os
import re
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

from tools.core.console import out
from tools.core.errors import ToolError, UsageError
from tools.core.paths import ROOT
from tools.core.program import print_error, start
from tools.local import build

_EXAMPLE = "make release VERSION=1.1.0"
_UNRELEASED = "## [Unreleased]\n"


def release(version: str, root: Path, today: date) -> list[str]:
    """Make a release of the checkout at ``root``. Return the lines of SHA256SUMS. Raises ToolError."""
    file, changelog = root / "VERSION", root / "CHANGELOG.md"
    old = file.read_text("utf-8").strip()
    if _numbers(version) <= _numbers(old):
        raise UsageError(f"VERSION={version} is not above {old}.", _EXAMPLE)
    if _git(root, "status", "--porcelain"):
        raise ToolError("The checkout has uncommitted changes.", "Commit or stash them: git status")
    if _git(root, "tag", "--list", f"v{version}"):
        raise ToolError(f"The tag v{version} exists.", f"Choose another version: {_EXAMPLE}")
    text = released(changelog.read_text("utf-8"), version, today)
    digests = build.build_all()
    sums = [f"{digest}  {build.ARTIFACTS[name].path.name}" for name, digest in digests.items()]
    (root / "build").mkdir(exist_ok=True)
    (root / "build" / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="utf-8")
    changelog.write_text(text, encoding="utf-8")
    file.write_text(f"{version}\n", encoding="utf-8")
    _git(root, "commit", "--quiet", "--message", f"Release {version}", "--", "VERSION", "CHANGELOG.md")
    _git(root, "tag", "--annotate", f"v{version}", "--message", "\n".join([f"Release {version}", "", *sums]))
    return sums


def released(changelog: str, version: str, today: date) -> str:
    """Return the changelog with its unreleased entries under a version. Raises ToolError without any."""
    before, found, after = changelog.partition(_UNRELEASED)
    entries = after.partition("\n## [")[0]
    if not found or not re.search(r"^- ", entries, re.MULTILINE):
        raise ToolError(
            "CHANGELOG.md has no entries under Unreleased.", "Say what a user notices, and commit it."
        )
    return f"{before}{_UNRELEASED}\n## [{version}] - {today}\n{after}"


def _numbers(version: str) -> tuple[int, ...]:
    if not re.fullmatch(r"(0|[1-9]\d{0,5})(\.(0|[1-9]\d{0,5})){2}", version, re.ASCII):
        raise UsageError(f"VERSION={version[:40]} is not a version.", f"Example: {_EXAMPLE}")
    return tuple(int(number) for number in version.split("."))


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise ToolError("git, which tags the release, is not on PATH.", "Install git.") from None
    if done.returncode:
        raise ToolError(f"git {arguments[0]} failed: {done.stderr.strip()}", "Correct that, and try again.")
    return done.stdout.strip()


def main() -> int:
    """Make the release that VERSION= names, and say how to publish it."""
    try:
        version = os.environ.get("VERSION") or ""
        sums = release(version, ROOT, datetime.now(UTC).date())
    except ToolError as error:
        return print_error(error)
    out.print("\n".join([f"v{version} is committed and tagged.", *sums]))
    out.print("Publish it, after make test: git push --follow-tags")
    return 0


if __name__ == "__main__":
    start(main)
