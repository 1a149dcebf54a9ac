"""How `make test` spreads the tests over processes, and that no process fails unseen."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import parallel
from tools.core.paths import ROOT

# A module whose fixture hides the one of the shared stack.
OWN_STACK = "\ndef pipeline("
CONFTEST = "from tests.parallel import *\n"
TWO_MODULES = {
    "test_crash.py": "import os\n\ndef test_dies():\n    os._exit(3)\n\ndef test_after():\n    pass\n",
    "test_fine.py": "import os\n\ndef test_one():\n    pass\n",
}


def config(*arguments: str, **options: Any) -> Any:
    return SimpleNamespace(args=list(arguments), option=SimpleNamespace(**options))


def run(directory: Path, files: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with our distribution on some files."""
    for name, text in {"conftest.py": CONFTEST, **files}.items():
        (directory / name).write_text(text)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, *arguments, "."],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}", "TARGET": "ministack"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_module_that_is_run_apart_exists() -> None:
    assert [name for name in parallel.APART if not (ROOT / parallel.INTEGRATION / name).exists()] == []


def test_a_module_runs_apart_only_if_no_test_of_it_needs_the_shared_stack() -> None:
    texts = {name: (ROOT / parallel.INTEGRATION / name).read_text() for name in parallel.APART}
    sharing = [
        name
        for name, text in texts.items()
        if re.search(r"^def test_.*\bpipeline: Pipeline\)", text, re.MULTILINE) and OWN_STACK not in text
    ]
    assert sharing == []


def test_the_shared_stack_is_in_one_process_and_other_modules_spread() -> None:
    top, alarms, deploy = (
        f"{parallel.INTEGRATION}test_{name}.py::test_a" for name in ("top", "alarms", "deploy")
    )
    assert parallel.scope(top, separate=True) == parallel.scope(alarms, separate=True) == parallel.SHARED
    assert parallel.scope(deploy, separate=True) != parallel.SHARED
    unit = "tests/unit/test_session.py::test_a[x::y]"
    assert parallel.scope(unit, separate=True) == "tests/unit/test_session.py"


def test_on_a_target_with_one_emulator_no_integration_test_runs_beside_another() -> None:
    deploy = f"{parallel.INTEGRATION}test_deploy.py::test_a"
    assert parallel.scope(deploy, separate=False) == parallel.SHARED


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        (["tests"], {}, 5),
        (["tests/unit"], {"keyword": ""}, 5),
        (["tests/unit/test_session.py"], {}, 0),
        (["tests"], {"keyword": "words"}, 0),
        (["tests"], {"lf": True}, 0),
        (["tests"], {"usepdb": True}, 0),
    ],
)
def test_a_small_part_of_the_tests_runs_in_one_process(
    arguments: list[str], options: dict[str, Any], expected: int
) -> None:
    assert parallel.workers(config(*arguments, **options), cores=2) == expected


def test_a_crashed_process_is_named_and_fails_the_run(tmp_path: Path) -> None:
    done = run(tmp_path, TWO_MODULES, "-n", "2")
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "crashed while running 'test_crash.py::test_dies'" in done.stdout
    assert "1 failed, 2 passed" in done.stdout.splitlines()[-1]
