"""Compare the list of gaps with the config."""

import pytest

from tools.core.paths import TERRAFORM_SOURCE
from tools.local.offline.api_calls import SETTERS
from tools.local.offline.provider_gaps import API_CALL, PROVIDER_GAPS, UNREADABLE, ProviderGap, Unreadable
from tools.local.offline.rewrite import rewrite


@pytest.fixture(scope="module")
def used() -> frozenset[ProviderGap | Unreadable]:
    files = {path.name: path.read_text() for path in TERRAFORM_SOURCE.glob("*.tf")}
    return rewrite(files, "http://127.0.0.1:4566").used


@pytest.mark.parametrize("entry", [*PROVIDER_GAPS, *UNREADABLE], ids=str)
def test_the_config_still_needs(
    entry: ProviderGap | Unreadable, used: frozenset[ProviderGap | Unreadable]
) -> None:
    assert entry in used, (
        f"terraform/ no longer has what this entry is for, delete it from provider-gaps.json: {entry}"
    )


@pytest.mark.parametrize("entry", [entry for entry in PROVIDER_GAPS if entry.instead == API_CALL], ids=str)
def test_there_is_an_api_call_for(entry: ProviderGap) -> None:
    assert entry.resource in SETTERS


def test_an_entry_names_the_setting_and_its_replacement() -> None:
    assert str(ProviderGap("aws_a", "b", API_CALL)) == "aws_a.b: set by an API call after the apply"
    assert (
        str(ProviderGap("aws_a", None, "nothing: it is the default")) == "aws_a: nothing: it is the default"
    )
