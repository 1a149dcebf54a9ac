"""Choose the target of the integration tests once per run, and record a green run in a receipt.

`make deploy-aws` compares the checkout with the receipt.
"""

from __future__ import annotations

import gc
import signal

import pytest

from tests import receipt, targets
from tests.parallel import pytest_collection_modifyitems as pytest_collection_modifyitems
from tests.parallel import pytest_sessionstart as pytest_sessionstart
from tests.parallel import pytest_xdist_auto_num_workers as pytest_xdist_auto_num_workers
from tests.parallel import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler
from tools.core.errors import ToolError


def pytest_configure(config: pytest.Config) -> None:
    """Choose the target before the tests are collected, and start the receipt."""
    try:
        targets.chosen()
    except ToolError as error:
        raise pytest.UsageError(str(error)) from None
    receipt.start(config)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A shell starts background jobs so, but some tests send Ctrl-C to the processes that they start.
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Spare the garbage collector the modules and the tests, which it would look at again and again."""
    gc.freeze()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Undo gc.freeze(), because DuckDB prints leaks at exit if its objects stay frozen."""
    gc.unfreeze()


def pytest_report_header(config: pytest.Config) -> str:
    """Return the target of the integration tests."""
    return f"target: {targets.describe()}"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test that needs an ability which the target lacks, and give the reason."""
    for marker in item.iter_markers("needs"):
        (ability,) = marker.args
        if ability not in targets.ABILITIES:
            raise pytest.UsageError(f"{item.nodeid} needs {ability!r}, which tests/targets.py does not know")
        if ability in targets.chosen().lacks:
            pytest.skip(f"needs {ability}: {targets.chosen().lacks[ability]}")


NEXT_STEPS = {
    pytest.ExitCode.OK: "Next: make demo sends 1,000 events, make plan-aws shows what a deploy would change.",
    pytest.ExitCode.TESTS_FAILED: "Next: make test ARGS=--lf runs the failed tests again.",
}


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Print the next step above pytest's last line, which programs read."""
    step = NEXT_STEPS.get(pytest.ExitCode(exitstatus))
    if step and not config.option.collectonly:
        terminalreporter.write_line(step)
