"""A pytest plugin that writes the receipt of a green run of all tests (tools/deploy/receipt.py).

A partial run, a run with failures, and a run during which the source changed, write none. An older receipt
stays.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import targets
from tools.core.files import write_atomically
from tools.deploy import receipt
from tools.deploy.receipt import Fingerprint, Receipt
from tools.local import toolchain
from tools.local.offline.provider import VERSION as STAND_IN

# The end-to-end tests. A run without them proves nothing about a deploy.
INTEGRATION = "tests/integration/"


class Run:
    """One run of pytest: its source, its target and its outcomes."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.path = receipt.PATH
        self.source: Fingerprint | None = None
        self.outcomes: Counter[str] = Counter()
        self.end_to_end = 0
        self.target: str | None = None
        self.terraform = ""
        self.provider = ""
        self.lock: str | None = None
        self.began = time.monotonic()
        # Of a run in an account (tests/verified.py).
        self.stack: Mapping[str, str] = {}

    def pytest_sessionstart(self) -> None:
        """Record the fingerprint of the source."""
        if self.is_whole():
            self.source = receipt.fingerprint()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count each test once: by its call, or by the setup that skipped or failed."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1
            self.end_to_end += report.outcome == "passed" and report.nodeid.startswith(INTEGRATION)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the receipt if the run was whole, green and on unchanged source."""
        if exitstatus != pytest.ExitCode.OK or self.source is None:
            return
        if not self.end_to_end or self.target is None:
            return
        if receipt.fingerprint() != self.source:
            return
        commit, dirty = receipt.commit()
        offline = self.provider == STAND_IN
        written = Receipt(
            zips=self.source.zips,
            config=_keep_lock(self.source.config, None if offline else self.lock),
            target=self.target,
            terraform=self.terraform,
            provider=self.provider,
            tests={outcome: self.outcomes[outcome] for outcome in ("passed", "skipped")},
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            commit=commit,
            tree_dirty=dirty,
            offline=offline,
        )
        written.save(self.path)
        if "region" in self.stack:
            # Imported here because it loads the benchmarks' tables, which slow each start of pytest.
            from tests import verified

            verified.write(written, self.stack, time.monotonic() - self.began)

    def tested_on(self, stack: Mapping[str, str]) -> None:
        """Record the target and the versions of a stack."""
        self.stack = stack
        self.target, self.terraform = stack["target"], stack["terraform"]
        self.provider, self.lock = stack["provider"], stack["lock"]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Record the stack of a worker of pytest-xdist. One that crashed has no output."""
        if stack := getattr(node, "workeroutput", {}).get(_STACK):
            self.tested_on(stack)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the versions of the end-to-end tests, because the old provider proves nothing for AWS."""
        if self.target is not None:
            old = ", for machines without the registry" if self.provider == STAND_IN else ""
            terminalreporter.write_line(f"Terraform {self.terraform}, AWS provider {self.provider}{old}")

    def is_whole(self) -> bool:
        """Return whether this run has all tests of the default suite."""
        options: Any = self.config.option
        chosen = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "collectonly")
        part = any(getattr(options, name, None) for name in chosen)
        return (
            not part
            and self.config.getini("testpaths") == ["tests"]
            and self.config.args_source is pytest.Config.ArgsSource.TESTPATHS
            and options.markexpr == "not chaos"
        )


def _keep_lock(config: Mapping[str, str], lock: str | None) -> dict[str, str]:
    """Keep the lock file of a test run for the deploy, and return the config with its hash.

    A committed lock file is already in the config. None means that the tests ran with the old provider, which
    never deploys to AWS.
    """
    if receipt.lock_file() not in (None, receipt.TESTED_LOCK):
        return dict(config)
    if lock is None:
        receipt.TESTED_LOCK.unlink(missing_ok=True)
        return {name: digest for name, digest in config.items() if name != receipt.LOCK}
    write_atomically(receipt.TESTED_LOCK, lock)
    return {**config, receipt.LOCK: receipt.sha256(receipt.TESTED_LOCK)}


_key = pytest.StashKey[Run]()
_STACK = "stack"


def start(config: pytest.Config) -> None:
    """Start to record a run. Called once, when pytest is configured."""
    if hasattr(config, "workerinput"):
        return
    run = Run(config)
    config.stash[_key] = run
    config.pluginmanager.register(run, "receipt")


def tested_on_stack(config: pytest.Config, state_dir: Path, facts: Mapping[str, str]) -> None:
    """Record the target and versions of the stack of the end-to-end tests, and ``facts`` of an account."""
    lock = (state_dir / "terraform" / ".terraform.lock.hcl").read_text(encoding="utf-8")
    provider = re.search(r'version\s*=\s*"([^"]+)"', lock)
    stack = {
        "target": targets.describe(),
        "terraform": toolchain.find_terraform().version,
        "provider": provider[1] if provider else "?",
        "lock": lock,
        **facts,
    }
    if _key in config.stash:
        config.stash[_key].tested_on(stack)
    else:
        # A worker of pytest-xdist hands it to the process that counts the outcomes.
        config.workeroutput[_STACK] = stack  # type: ignore[attr-defined]
