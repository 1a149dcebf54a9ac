"""``python -m tools.contract``: compare the contract with that of another commit, or of a file (AGAINST=)."""

import os
import subprocess
from pathlib import Path
from typing import Any

from contract import MalformedBody, decode
from contract.compiler import compile_schema
from tools.contract.compatibility import Change, Effect, compare
from tools.core.console import out, safe_text
from tools.core.errors import ToolError, UsageError
from tools.core.paths import LAMBDA_SOURCE, ROOT
from tools.core.program import print_error, start

SCHEMA = LAMBDA_SOURCE / "contract" / "event.schema.json"
# Where the schema is, and where it was in release 1.0.0.
_PATHS = (SCHEMA.relative_to(ROOT).as_posix(), "contract/event.schema.json")
_EXAMPLE = "AGAINST=main, AGAINST=v1.0.0, or a file: AGAINST=old.schema.json"


def main() -> int:
    """Print the differences. Return 1 if the version does not say what they break."""
    try:
        against = os.environ.get("AGAINST") or "main"
        old, new = read_schema(against), _parse(SCHEMA.read_text("utf-8"), str(SCHEMA))
        return _report(against, old, new)
    except ToolError as error:
        return print_error(error)


def read_schema(against: str) -> dict[str, Any]:
    """Return the schema of a commit or a file. Raises ToolError."""
    if Path(against).is_file():
        # What is no text is no JSON either, and `_parse` says so.
        return _parse(Path(against).read_text("utf-8", errors="replace"), against)
    if against.startswith("-"):
        raise UsageError(f"AGAINST={against} is neither a commit nor a file.", _EXAMPLE)
    for path in _PATHS:
        found = _git("show", f"{against}:{path}")
        if found is not None:
            return _parse(found, f"{path} of {against}")
    shallow = _git("rev-parse", "--is-shallow-repository")
    hint = "This clone is shallow. Fetch the rest: git fetch --unshallow" if shallow == "true\n" else _EXAMPLE
    raise ToolError(f"{against} is neither a file nor a commit with {_PATHS[0]}.", hint)


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise ToolError(
            "git, which reads the other version of the schema, is not on PATH.",
            f"Install git, or name {_EXAMPLE}",
        ) from None
    return done.stdout if done.returncode == 0 else None


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        schema = decode(text)
        _version(schema)
        compile_schema(schema)
    except (MalformedBody, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise ToolError(f"{name} is no schema of the contract: {error!r:.200}", _EXAMPLE) from None
    return dict(schema)


def _version(schema: Any) -> tuple[int, int, int]:
    major, minor, patch = map(int, schema["x-version"].split("."))
    return major, minor, patch


def _report(against: str, old: dict[str, Any], new: dict[str, Any]) -> int:
    out.print(safe_text(f"contract {old['x-version']} of {against}, and {new['x-version']} of this checkout"))
    changes = sorted(compare(old, new), key=lambda change: (change.effect.value, change.path))
    for change in changes:
        out.print(safe_text(f"  {change.effect.value:<23} {change.path:<32} {change.rule}: {change.what}"))
    if not changes:
        out.print("  They accept the same events.")
    problem = version_problem(changes, _version(old), _version(new))
    if problem:
        raise ToolError(problem, "Change x-version in lambda_src/contract/event.schema.json.")
    return 0


def version_problem(
    changes: list[Change], old: tuple[int, int, int], new: tuple[int, int, int]
) -> str | None:
    """Return why the new version's number does not fit the changes, or None."""
    if new < old:
        return "The version is lower than before."
    if any(change.effect is not Effect.COMPATIBLE for change in changes) and new[0] == old[0]:
        return "A change that breaks producers or readers needs a new major version."
    if changes and new[:2] == old[:2]:
        return "A compatible change needs a new minor version."
    return None


if __name__ == "__main__":
    start(main)
