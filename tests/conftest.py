"""What every test run has: a target for the integration tests, chosen once and named at the top; a receipt.

A green run of all tests is written down, for `make deploy-aws` to compare with.
"""

from __future__ import annotations

import gc
import signal

import pytest

from tests import receipt, targets
from tools.core.errors import StackError


def pytest_configure(config: pytest.Config) -> None:
    """Choose the target, before anything is collected, and begin to take down the run."""
    try:
        targets.chosen()
    except StackError as error:
        raise pytest.UsageError(str(error)) from None
    receipt.start(config)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # As a shell starts what is to run in the background; some of what the tests start is sent a Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Undo the handlers' gc.freeze(), because DuckDB prints leaks at exit if its objects stay frozen."""
    gc.unfreeze()


def pytest_report_header(config: pytest.Config) -> str:
    """Where the integration tests run."""
    return f"target: {targets.describe()}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, with its reason, what the target cannot do."""
    for marker in item.iter_markers("needs"):
        (ability,) = marker.args
        if ability not in targets.ABILITIES:
            raise pytest.UsageError(f"{item.nodeid} needs {ability!r}, which tests/targets.py does not know")
        if ability in targets.chosen().lacks:
            pytest.skip(f"needs {ability}: {targets.chosen().lacks[ability]}")
