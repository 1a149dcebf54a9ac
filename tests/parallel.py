"""Run the tests in several processes, by pytest-xdist.

A module's tests run in one process, so that its fixtures are made once. All tests on the shared stack run in
one process too, and first, because they take longest (docs/adr/0040-tests-in-parallel.md).
"""

from __future__ import annotations

import contextlib
import importlib
import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests import targets

INTEGRATION = "tests/integration/"
SHARED = "the shared stack"
# Modules with separate stacks or emulators, longest first.
APART = (
    "test_faults_and_recovery.py",
    "test_deploy.py",
    "test_recipes.py",
    "test_benchmarks.py",
    "test_erase.py",
    "test_verify_live.py",
    "test_restore.py",
    "test_permissions.py",
    "test_old_data.py",
    "test_producer_sqs.py",
    "test_provider_protocols.py",
)
# A worker waits for half of its time, and needs 300 MB with its stack.
MOST_WORKERS = 6
# Options that select a part, for which several workers take longer to start than to test.
PARTIAL = ("keyword", "lf", "failedfirst", "stepwise", "collectonly", "usepdb")


def workers(config: pytest.Config, cores: int | None = None) -> int:
    """Return the number of processes for ``-n auto``: 0 where one is quicker."""
    options: Any = config.option
    files = [argument for argument in config.args if ".py" in argument]
    if files or any(getattr(options, name, None) for name in PARTIAL):
        return 0
    return min(MOST_WORKERS, (cores or os.cpu_count() or 1) + 3)


def scope(nodeid: str, *, separate: bool) -> str:
    """Return the name of the tests that run in one process with this one.

    ``separate`` says whether the target has a stack for each process.
    """
    module = nodeid.partition("::")[0]
    if not module.startswith(INTEGRATION):
        return module
    return module if separate and module.removeprefix(INTEGRATION) in APART else SHARED


def rank(nodeid: str, *, separate: bool) -> int:
    """Return the place of a test in the order in which tests are handed out: the longest first."""
    name = scope(nodeid, separate=separate)
    if name == SHARED:
        return 0
    module = name.removeprefix(INTEGRATION)
    return 1 + (APART.index(module) if module in APART else len(APART))


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Hand out the tests of a scope together, in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Any) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)
        self._separate = targets.chosen().name == "ministack"

    def remove_node(self, node: Any) -> str | None:
        """Return the test in which a worker crashed. It is not repeated: it would crash the next worker."""
        workload = self.assigned_work[node]
        pending = [
            (name, test) for name, tests in workload.items() for test, done in tests.items() if not done
        ]
        if pending:
            name, test = pending[0]
            workload[name][test] = True
        # A worker that is handed a scope without tests would wait for ever.
        for name in [name for name, tests in workload.items() if all(tests.values())]:
            del workload[name]
        super().remove_node(node)
        return pending[0][1] if pending else None

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid, separate=self._separate)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Choose the number of workers for ``-n auto``."""
    return workers(config)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling:
    """Return our scheduling."""
    return Scheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Import a part of the modules before the collection.

    pytest rewrites the assertions of each module and caches the result. In a new checkout each worker would
    rewrite all modules, at the same time as the others. So each worker begins at another place.
    """
    given = getattr(session.config, "workerinput", None)
    if given is None:
        return
    folders = [session.config.rootpath / argument for argument in session.config.args]
    modules = sorted({path for folder in folders for path in folder.rglob("test_*.py")})
    for path in modules[int(given["workerid"].removeprefix("gw")) :: given["workercount"]]:
        name = ".".join(path.relative_to(session.config.rootpath).with_suffix("").parts)
        # pytest imports a module that cannot be imported once more, and reports it.
        with contextlib.suppress(Exception, pytest.skip.Exception):
            importlib.import_module(name)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the tests: the longest first."""
    separate = targets.chosen().name == "ministack"
    items.sort(key=lambda item: rank(item.nodeid, separate=separate))
