"""Every value given to make reaches the program byte for byte, and every printed command survives make."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest

from tests import fuzz
from tools.core.paths import ROOT
from tools.core.text import make_command, quote

# Targets that do more than run one program; the variables of each target are those that its help text names.
_OTHERS = {"clean", "lock", "lint", "test-config", "help"}
VARIABLES = {
    target: sorted(set(re.findall(r"\b([A-Z][A-Z_]+)=", text)) - {"ARGS", "PICTURE"}) or ["ANY"]
    for target, text in re.findall(r"^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    if target not in _OTHERS
}
VALUES = (
    *("price$100", "$$", "$", "$(shell touch made)", "$(error no)", "${HOME}", "$(1)$@$*"),
    *("`touch made`", "$$(touch made)", "a;touch made", "it's", '"quoted"', "a#b", "#", "a\\#b", "a\\"),
    *("two  words ", "a=b", "a:=b", "-n", "--version", "*", "~", "[x]", "%", "@", "a, (b)", "tab\t"),
    *("line\nbreak", "\\\nline", "ü\u2028"),
)

Make = Callable[..., dict[str, str]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Run a target with recorders for programs; returns the environment that the last of them got."""
    recorder, record, wrapper = tmp_path / "recorder", tmp_path / "record", tmp_path / "make"
    recorder.write_text(f"#!/bin/sh\n[ \"$1\" = -c ] || env -0 > '{record}'\n")
    programs = " ".join(f"{name}='{recorder}'" for name in ("PYTHON", "TOOLS", "DEV", "ANALYTICS"))
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("make")} "$@" {programs}\n')
    for script in (recorder, wrapper):
        script.chmod(0o755)
    for name in ("Makefile", "tools"):
        (tmp_path / name).symlink_to(ROOT / name)

    def run(*command: str, **environment: str) -> dict[str, str]:
        record.unlink(missing_ok=True)
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert not (tmp_path / "made").exists()
        return dict(entry.split("=", 1) for entry in record.read_bytes().decode().split("\0") if entry)

    return run


@pytest.mark.parametrize("target", sorted(VARIABLES))
def test_each_variable_of_each_target_reaches_the_program_byte_for_byte(target: str, make: Make) -> None:
    values = cycle(VALUES[len(target) :] + VALUES)
    given = {name: next(values) for name in VARIABLES[target]}
    received = make("make", target, *(f"{name}={value}" for name, value in given.items()))
    assert {name: received[name] for name in given} == given
    # A program that calls make again would pass them on a second time.
    assert "=" not in received.get("MAKEFLAGS", "")


@pytest.mark.parametrize("value", VALUES)
def test_a_value_with_special_characters_reaches_the_program_byte_for_byte(value: str, make: Make) -> None:
    assert make("make", "query", f"Q={value}")["Q"] == value


def test_the_environment_carries_what_make_strips(make: Make) -> None:
    for value in (" x", "\t$(shell touch made)", "\n$x"):
        assert make("make", "get", EVENT_ID=value)["EVENT_ID"] == value


def test_arguments_are_words_for_the_shell(make: Make) -> None:
    assert make("make", "send", "ARGS=--count 5 '$HOME'", QUEUE_URL="x")["ARGS"] == "--count 5 '$HOME'"


@pytest.mark.parametrize("value", [*VALUES, " x", "\tx", "\nx", "\x1b[2J", "a\u202eb", "\ue000", "x\n"])
def test_a_printed_command_passes_its_value_on(value: str, make: Make) -> None:
    command = make_command("get", EVENT_ID=value)
    assert command.isprintable()
    assert make("bash", "-c", command)["EVENT_ID"] == value


def test_a_printed_command_is_as_plain_as_its_value() -> None:
    assert make_command("get", EVENT_ID="order-1") == "make get EVENT_ID=order-1"
    assert make_command("get", EVENT_ID=" x") == "EVENT_ID=' x' make get"
    assert quote("a\x1bb") == "$'a\\033b'"


@pytest.mark.fuzz
@pytest.mark.timeout(fuzz.SECONDS + 60)
def test_random_values_reach_the_program_byte_for_byte(make: Make) -> None:
    for seed in fuzz.seeds(95):
        with fuzz.case(seed) as numbers:
            target = numbers.choice(sorted(VARIABLES))
            given = {name: fuzz.text(numbers).replace("\0", "") + "." for name in VARIABLES[target]}
            from_make = {name: value for name, value in given.items() if not value[0].isspace()}
            environment = {name: value for name, value in given.items() if value[0].isspace()}
            received = make("make", target, *(f"{n}={v}" for n, v in from_make.items()), **environment)
            assert received.items() >= given.items()
            assert make("bash", "-c", make_command(target, **given)).items() >= given.items()
