"""Imports go one way, as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.core.paths import ROOT

_CONTRACT = {"contract"}
_STORAGE = _CONTRACT | {"storage"}
_FUNCTIONS = _STORAGE | {"aws_http", "common"}
_BELOW_CORE = _FUNCTIONS | {"processor", "archiver", "producer"}
_BELOW_LOCAL = _BELOW_CORE | {"tools.core"}
_BELOW_TOOLS = _BELOW_LOCAL | {"tools.local"}
_ALL = _BELOW_TOOLS | {"tools.ops", "tools.contract", "tools.deploy", "tools.analytics", "dashboards"}

# What each package may import of this project, beside itself.
MAY_IMPORT = {
    "contract": set(),
    "storage": _CONTRACT,
    "aws_http": _STORAGE,
    "common": _STORAGE | {"aws_http"},
    "processor": _FUNCTIONS,
    "archiver": _FUNCTIONS,
    "producer": _STORAGE | {"aws_http", "tools.core"},
    "tools.core": _FUNCTIONS | {"processor", "archiver"},
    "tools.local": _BELOW_LOCAL,
    "tools.ops": _BELOW_TOOLS,
    "tools.contract": _BELOW_TOOLS,
    "tools.deploy": _BELOW_TOOLS,
    "tools.analytics": _BELOW_TOOLS,
    "dashboards": _BELOW_TOOLS,
    "tools.benchmarks": _ALL,
}
# Directories whose files are not the project's own code.
_NOT_OURS = {"tests", "build"}


def package_of(module: str) -> str | None:
    """The package of `MAY_IMPORT` that a module belongs to; ``tests`` and None for all else."""
    first, *rest = module.split(".")
    if first == "tests":
        return "tests"
    name = f"tools.{rest[0]}" if first == "tools" and rest else first
    return name if name in MAY_IMPORT else None


def own_files() -> Iterator[tuple[str, Path]]:
    """Every Python file of the project outside tests, and the package it belongs to."""
    tops = [path for path in sorted(ROOT.iterdir()) if path.is_dir() and path.name[0] != "."]
    for path in (path for top in tops if top.name not in _NOT_OURS for path in sorted(top.rglob("*.py"))):
        parts = path.relative_to(ROOT).parts
        if parts[0] == "lambda_src":
            parts = parts[1:]
        package = package_of(".".join(parts))
        if package is not None:
            yield package, path


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """The modules that a file imports, wherever in it, and the line of each."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_no_file_imports_upward_or_sideways() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}: {package} may not import {target}"
        for package, path in own_files()
        for line, module in imported(path)
        if (target := package_of(module)) not in (None, package) and target not in MAY_IMPORT[package]
    ]
    assert wrong == []


def test_every_package_has_a_rule() -> None:
    directories = {
        path.parent.relative_to(ROOT).as_posix()
        for pattern in ("lambda_src/*/__init__.py", "tools/*/__init__.py", "*/__init__.py")
        for path in ROOT.glob(pattern)
    } - {"tools", "tests"}
    names = {name.removeprefix("lambda_src/").replace("/", ".") for name in directories}
    assert names == set(MAY_IMPORT)


def test_a_zip_imports_the_standard_library_its_own_packages_and_botocore_alone() -> None:
    ours = {"contract", "storage", "aws_http", "common", "processor", "archiver"}
    allowed = ours | {"botocore"} | set(sys.stdlib_module_names)
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {module}"
        for package, path in own_files()
        if package in ours
        for line, module in imported(path)
        if module.split(".")[0] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("command", ["down", "env", "doctor --help", "--help"])
def test_commands_that_need_no_packages_run_on_a_bare_python(command: str, tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'lambda_src')!r}]; import runpy; "
        f"sys.argv = ['tools.local', *{command.split()!r}]; "
        "runpy.run_module('tools.local', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-I", "-c", program],
        env={"PATH": os.environ["PATH"], "STACK_DIR": str(tmp_path / "none")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
