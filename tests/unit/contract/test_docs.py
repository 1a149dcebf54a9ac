"""The contract's page says what the schema says."""

from __future__ import annotations

from tools.benchmarks.docs import contract


def test_the_contracts_page_is_what_the_schema_would_write_now() -> None:
    assert contract.PAGE.read_text("utf-8") == contract.render_page(), "run: make docs"
