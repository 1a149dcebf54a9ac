"""The contract's page says what the schema says."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from tools.benchmarks.docs import contract
from tools.core.paths import ROOT

PROGRAMS = {"sh": ["sh", "-c"], "js": ["node", "-e"]}


def test_the_contracts_page_is_what_the_schema_would_write_now() -> None:
    assert contract.PAGE.read_text("utf-8") == contract.render_page(), "run: make docs"


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_example_decodes_a_stored_payload(language: str) -> None:
    if language == "sh" and not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    if language == "js" and not _node_has_dictionaries():
        pytest.skip("Node.js 24.6 or newer is not installed")
    section = contract.render_page().partition("## How a body is stored")[2]
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))
    done = subprocess.run(
        [*PROGRAMS[language], blocks[language]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.strip() == blocks["json"].strip()


def _node_has_dictionaries() -> bool:
    if not shutil.which("node"):
        return False
    done = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True, timeout=60)
    major, minor = (int(part) for part in done.stdout.strip("v\n").split(".")[:2])
    return (major, minor) >= (24, 6)
