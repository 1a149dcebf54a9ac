"""A failed output is one line of error in every program, and a pipe that closed early is none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.tools.core.test_resources import OUTPUTS
from tools.core.paths import ROOT

# Commands that print without a stack: everything that starts a program is in this list or in the next test.
PROGRAMS = {
    "env": "-m tools.local env",
    "doctor": "-m tools.local doctor",
    "local": "-m tools.local --help",
    "ops": "-m tools.ops --help",
    "events": "-m tools.ops events --help",
    "deploy": "-m tools.deploy --help",
    "cost": "-m tools.benchmarks.cost",
    "top": "-m dashboards --help",
    "producer": "producer/send_test_events.py --help",
}
MAINS = [
    path
    for package in sorted(ROOT.iterdir())
    if package.name != "tests" and package.name[0] != "."
    for path in sorted(package.rglob("__main__.py"))
]


ASK = """
from tools.core import program, prompts
program.start(lambda: prompts.confirm("?", already=False))
"""
HANGUP = """
import signal, sys
from tools.core.program import interrupt_on, start

def main():
    if "noticed" in sys.argv:  # also where nohup runs the tests
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    interrupt_on(signal.SIGHUP)
    signal.raise_signal(signal.SIGHUP)
    return 7

start(main)
"""
SCRIPT = """
import os
from tools.core.program import start

def main():
    assert os.environ["X"] == "größer \u4f60"
    print(os.environ["X"], "\\ud800")
    return 0

start(main)
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    state = {"endpoint": "http://127.0.0.1:1", "region": "r", "emulator": "ministack", "outputs": OUTPUTS}
    (tmp_path / "stack.json").write_text(json.dumps(state))
    paths = f"{ROOT}:{ROOT / 'lambda_src'}"
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": paths,
        "STACK_DIR": str(tmp_path),
        "HOME": str(tmp_path),
    }


def run(program: str, environment: dict[str, str], redirect: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", f'"{sys.executable}" {program} {redirect}'],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        check=False,
    )


def test_every_program_is_started_in_the_same_way() -> None:
    assert MAINS
    assert [str(path) for path in MAINS if "start(" not in path.read_text()] == []


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_full_or_closed_output_is_one_line_and_a_failure(program: str, environment: dict[str, str]) -> None:
    for redirect, words in ((">/dev/full", "No space left on device"), (">&-", "The output is closed")):
        done = run(program, environment, redirect)
        assert done.returncode == 1, done.stderr
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        assert len(done.stderr.splitlines()) <= 2


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_a_pipe_that_closes_early_is_no_error(program: str, environment: dict[str, str]) -> None:
    done = run(program, environment, '| true; exit "${PIPESTATUS[0]}"')
    assert done.stderr == ""
    assert done.returncode in (0, 1 if "doctor" in program else 0)


@pytest.mark.parametrize(
    ("program", "status", "words"),
    [
        (f"-c '{ASK}'", 2, "no terminal to ask on"),
        ("-m tools.ops.invoke -", 0, "rejected"),
        ("producer/send_test_events.py --validate-only --from -", 0, "0 lines"),
    ],
)
def test_a_closed_input_is_an_empty_one(
    program: str, status: int, words: str, environment: dict[str, str]
) -> None:
    done = run(program, environment, "<&- 2>&1")
    assert (done.returncode, "Traceback" in done.stdout) == (status, False), done.stdout
    assert words in done.stdout


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"},
        {"LC_ALL": "xx_XX.ISO-8859-1", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
    ],
    ids=str,
)
def test_text_of_any_language_is_printed_in_every_locale(
    locale: dict[str, str], environment: dict[str, str], tmp_path: Path
) -> None:
    done = run("-m tools.local status", {**environment, **locale, "STACK_DIR": "größer \u4f60"})
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, "utf-8")
    done = run(str(script), {**environment, **locale, "X": "größer \u4f60"})
    assert done.returncode == 0, done.stderr
    assert done.stdout in ("größer \u4f60 \\ud800\n", "gr\\xf6\\xdfer \\u4f60 \\ud800\n")


@pytest.mark.parametrize("program", ["-m tools.ops events", "-m dashboards", "producer/send_test_events.py"])
def test_ctrl_c_while_modules_are_imported_ends_without_a_traceback(program: str, tmp_path: Path) -> None:
    (tmp_path / "botocore.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "lambda_src")))
    with subprocess.Popen(
        [sys.executable, *program.split()],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (-signal.SIGINT, "")


def test_a_second_ctrl_c_ends_with_the_status_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "import signal\nfrom tools.core.program import start\n"
        "start(lambda: signal.raise_signal(signal.SIGINT))\n"
    )
    completed = subprocess.run(
        [sys.executable, tmp_path / "script.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (completed.returncode, completed.stderr) == (130, "")


def test_a_signal_ends_a_program_as_ctrl_c_does_unless_it_is_ignored(
    environment: dict[str, str], tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    script.write_text(HANGUP)
    assert run(f"{script} noticed", environment).returncode == 130
    done = subprocess.run(
        ["nohup", sys.executable, script], env=environment, capture_output=True, check=False
    )
    assert done.returncode == 7
