"""Whether the account runs as many functions at once as the environment may need."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit.tools.deploy.factories import ACCOUNT, Session, environment
from tools.deploy import protection
from tools.deploy.account import Account


def account(limit: int) -> Account:
    answer = {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": limit}}
    functions = SimpleNamespace(get_account_settings=lambda: answer)
    return Account(ACCOUNT, "", "us-east-1", None, Session(**{"lambda": functions}))


@pytest.mark.parametrize(("limit", "warns"), [(10, True), (27, True), (28, False), (1000, False)])
def test_a_limit_too_low_for_both_functions_is_a_warning(tmp_path: Path, limit: int, warns: bool) -> None:
    dev = environment(tmp_path, "maximum_concurrency = 20")
    assert bool(protection.concurrency_warning(dev, account(limit))) is warns


@pytest.mark.parametrize(
    ("text", "needed"),
    [("provisioned_pollers = { min = 2, max = 30 }", 308), ("", 1258)],
    ids=["pollers", "no limit"],
)
def test_pollers_and_no_limit_need_what_lambda_may_run(tmp_path: Path, text: str, needed: int) -> None:
    dev = environment(tmp_path, f"maximum_concurrency = 0\n{text}")
    assert protection.concurrency_warning(dev, account(needed)) is None
    assert f"may need {needed}" in str(protection.concurrency_warning(dev, account(needed - 1)))


def test_the_warning_says_what_it_means_and_what_to_do(tmp_path: Path) -> None:
    said = str(protection.concurrency_warning(environment(tmp_path, "maximum_concurrency = 20"), account(10)))
    assert "runs 10 Lambda functions at once, and this environment may need 28" in said
    assert "they throttle each other" in said
    assert "Service Quotas" in said
