"""`terraform/tests` covers each validation. `make test-config` runs it, with the registry."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.infrastructure.configuration import TERRAFORM, blocks
from tools.local import hcl

RUNS = sorted((TERRAFORM / "tests").glob("*.tftest.hcl"))
MOCKS = sorted((TERRAFORM / "tests" / "mocks").iterdir())
EXPECTED = re.compile(r"expect_failures = \[([^\]]*)\]")


@pytest.mark.parametrize("file", [*RUNS, *MOCKS], ids=lambda file: str(file.name))
def test_each_file_can_be_read(file: Path) -> None:
    assert hcl.load(file.read_text())


def test_each_validation_has_a_run_that_expects_it_to_fail() -> None:
    expected = [names for file in RUNS for names in EXPECTED.findall(file.read_text())]
    failures = Counter(name for names in expected for name in re.findall(r"var\.(\w+)", names))
    validations = {block.name: len(block.blocks().get("validation", ())) for block in blocks("variable")}
    assert {name for name, count in validations.items() if failures[name] < count} == set()
    assert set(failures) <= set(validations)
