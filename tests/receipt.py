"""Writes the receipt of a green run of the whole suite (tools/deploy/receipt.py): a pytest plugin.

A run of a part of the tests, a run in which something failed, and one during which the source changed, leave
none: an older receipt then stands for what it was written for.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests import targets
from tools.deploy import receipt
from tools.deploy.receipt import Fingerprint, Receipt
from tools.local import toolchain
from tools.local.offline.provider import VERSION as STAND_IN

# The end-to-end tests, without which a run proves nothing about what is deployed.
INTEGRATION = "tests/integration/"


class Run:
    """One run of pytest: what it began with, what it ran on, what came of it."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.path = receipt.PATH
        self.began_with: Fingerprint | None = None
        self.outcomes: Counter[str] = Counter()
        self.end_to_end = 0
        self.target: str | None = None
        self.terraform = ""
        self.provider = ""
        self.lock: str | None = None

    def pytest_sessionstart(self) -> None:
        """Take down what the tests are about to run."""
        if self.is_whole():
            self.began_with = receipt.fingerprint()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test once: by its call, or by what kept it from being called."""
        if report.when == "call" or report.outcome != "passed":
            self.outcomes[report.outcome] += 1
            self.end_to_end += report.outcome == "passed" and report.nodeid.startswith(INTEGRATION)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        """Write the receipt, if there is one to write."""
        if exitstatus != pytest.ExitCode.OK or self.began_with is None:
            return
        if not self.end_to_end or self.target is None:
            return
        if receipt.fingerprint() != self.began_with:
            return
        commit, dirty = receipt.commit()
        offline = self.provider == STAND_IN
        Receipt(
            zips=self.began_with.zips,
            config=receipt.keep_lock(self.began_with.config, None if offline else self.lock),
            target=self.target,
            terraform=self.terraform,
            provider=self.provider,
            tests={outcome: self.outcomes[outcome] for outcome in ("passed", "skipped")},
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            commit=commit,
            tree_dirty=dirty,
            offline=offline,
        ).save(self.path)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which versions the end-to-end tests ran with: the old provider proves nothing for AWS."""
        if self.target is not None:
            old = ", the stand-in for machines without the registry" if self.provider == STAND_IN else ""
            terminalreporter.write_line(f"Terraform {self.terraform}, AWS provider {self.provider}{old}")

    def is_whole(self) -> bool:
        """Whether this is the default suite, all of it."""
        options: Any = self.config.option
        chosen = ("keyword", "deselect", "ignore", "ignore_glob", "lf", "collectonly")
        part = any(getattr(options, name, None) for name in chosen)
        return (
            not part
            and self.config.getini("testpaths") == ["tests"]
            and self.config.args_source is pytest.Config.ArgsSource.TESTPATHS
            and options.markexpr == "not chaos"
        )


_key = pytest.StashKey[Run]()


def start(config: pytest.Config) -> None:
    """Begin to take down a run. Called once, when pytest is configured."""
    run = Run(config)
    config.stash[_key] = run
    config.pluginmanager.register(run, "receipt")


def tested_on_stack(config: pytest.Config, state_dir: Path) -> None:
    """Say what the end-to-end tests run on: the stack of a state directory, with its versions."""
    run = config.stash[_key]
    lock = (state_dir / "terraform" / ".terraform.lock.hcl").read_text(encoding="utf-8")
    provider = re.search(r'version\s*=\s*"([^"]+)"', lock)
    run.lock = lock
    run.target, run.terraform = targets.describe(), toolchain.find_terraform().version
    run.provider = provider[1] if provider else "?"
