"""The contract's page says what the schema says."""

from __future__ import annotations

from docs import write_contract


def test_the_contracts_page_is_what_the_schema_would_write_now() -> None:
    assert write_contract.PAGE.read_text("utf-8") == write_contract.page(), "run: make docs"
