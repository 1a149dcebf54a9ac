"""Each generated file is what its source would write now."""

from __future__ import annotations

import pytest

from tools.benchmarks.docs.pages import FILES
from tools.core.paths import ROOT


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_is_what_would_be_written_now(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == FILES[name](), "run: make docs"
