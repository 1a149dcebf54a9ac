"""Compare receipts, and check which test run writes one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import verified
from tests.receipt import Run
from tools.core.errors import ToolError
from tools.core.paths import ROOT
from tools.deploy import receipt
from tools.deploy.receipt import LOCK, Fingerprint, Receipt, config_of, differences

TESTED = Receipt(
    zips={"lambda_zip": "a" * 64},
    config={"terraform/queue.tf": "b" * 64},
    target="ministack 1.5.33",
    terraform="1.11.4",
    provider="3.39.0",
    tests={"passed": 900, "skipped": 2},
    time="2026-11-23T05:00:00+00:00",
    commit="c" * 40,
    tree_dirty=False,
)
NOW = Fingerprint(TESTED.zips, TESTED.config)


def test_tested_content_does_not_differ() -> None:
    assert differences(TESTED, NOW) == []


def test_each_difference_is_named() -> None:
    now = Fingerprint(
        {"lambda_zip": "d" * 64}, {"terraform/queue.tf": "e" * 64, "terraform/new.tf": "f" * 64}
    )
    assert differences(TESTED, now) == [
        "the zip of lambda_zip has changed: tested aaaaaaaaaaaa, now dddddddddddd",
        "terraform/new.tf is new since the tests ran",
        "terraform/queue.tf has changed: tested bbbbbbbbbbbb, now eeeeeeeeeeee",
    ]
    assert differences(TESTED, Fingerprint(TESTED.zips, {})) == [
        "terraform/queue.tf was tested and no longer exists"
    ]


def test_a_receipt_survives_saving_and_loading(tmp_path: Path) -> None:
    TESTED.save(tmp_path / "build" / "receipt.json")
    assert Receipt.load(tmp_path / "build" / "receipt.json") == TESTED


def test_a_missing_receipt_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="There is no receipt") as none:
        Receipt.load(tmp_path / "receipt.json")
    assert "make test" in none.value.hint


@pytest.mark.parametrize("text", ["", "[]", '{"zips": {}}'])
def test_an_unreadable_receipt_is_an_error(text: str, tmp_path: Path) -> None:
    (tmp_path / "receipt.json").write_text(text)
    with pytest.raises(ToolError, match="cannot be read"):
        Receipt.load(tmp_path / "receipt.json")


def test_an_unpinned_provider_is_reported() -> None:
    assert f"there is no {LOCK}" in "\n".join(TESTED.described())


def test_the_receipt_excludes_the_tests_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "terraform" / "tests").mkdir(exist_ok=True)
    (tmp_path / "terraform" / "tests" / "pipeline.tftest.hcl").touch()
    assert config_of(tmp_path) == {}


def test_the_config_is_its_terraform_files_the_provider_lock_the_dashboard_and_the_contract_and_no_tfvars(
    tmp_path: Path,
) -> None:
    config = {
        *("terraform/a.tf", "terraform/module/b.tf", LOCK),
        *("dashboards/cloudwatch.json.tftpl", "tools/analytics/queries/a.sql"),
        *("lambda_src/contract/event.schema.json", "lambda_src/storage/columns.json"),
    }
    others = (
        "terraform/env/dev.tfvars",
        "terraform/.terraform/modules/c.tf",
        "lambda_src/contract/events.py",
    )
    for file in (*config, *others):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    assert set(config_of(tmp_path)) == config


# The plugin


class Suite:
    """A run of pytest that a test tells what happened in it."""

    def __init__(self, path: Path, **options: Any) -> None:
        defaults = {"keyword": "", "markexpr": "not chaos", "lf": False, "collectonly": False}
        source = options.pop("source", pytest.Config.ArgsSource.TESTPATHS)
        paths = {"testpaths": options.pop("testpaths", ["tests"])}
        config: Any = SimpleNamespace(
            option=SimpleNamespace(**{**defaults, **options}), args_source=source, getini=paths.get
        )
        self.run = Run(config)
        self.run.path = self.path = path
        self.run.target = "ministack 1.5.33"
        self.run.pytest_sessionstart()

    def ran(self, *nodes: str, outcome: str = "passed") -> None:
        for node in nodes:
            report: Any = SimpleNamespace(when="call", outcome=outcome, nodeid=node)
            self.run.pytest_runtest_logreport(report)

    def ended(self, status: int = 0) -> bool:
        self.run.pytest_sessionfinish(status)
        return self.path.exists()


@pytest.fixture(autouse=True)
def lock_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, Path]:
    """Return paths for the committed lock file and the tests' one; neither exists."""
    monkeypatch.setattr(receipt, "ROOT", tmp_path)
    monkeypatch.setattr(receipt, "TESTED_LOCK", tmp_path / "tested.lock.hcl")
    (tmp_path / "terraform").mkdir()
    return tmp_path / LOCK, tmp_path / "tested.lock.hcl"


END_TO_END = "tests/integration/test_pipeline.py::test_an_order"


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch) -> list[Fingerprint]:
    """The checkout's fingerprints; the last one is current."""
    states = [NOW]
    monkeypatch.setattr(receipt, "fingerprint", lambda: states[-1])
    monkeypatch.setattr(receipt, "commit", lambda: ("c" * 40, True))
    return states


def test_a_green_run_of_all_tests_writes_a_receipt(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.ran("tests/unit/test_a.py::test_a", END_TO_END)
    suite.ran("tests/unit/test_a.py::test_b", outcome="skipped")
    assert suite.ended()
    written = json.loads(suite.path.read_text())
    assert written["tests"] == {"passed": 2, "skipped": 1}
    assert (written["zips"], written["config"]) == (NOW.zips, NOW.config)
    assert (written["target"], written["tree_dirty"]) == ("ministack 1.5.33", True)


def test_the_receipt_covers_the_lock_file_that_init_wrote(
    tmp_path: Path, lock_files: tuple[Path, Path]
) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.run.provider, suite.run.lock = "6.62.0", "# pins 6.62.0"
    suite.ran(END_TO_END)
    assert suite.ended()
    _, kept = lock_files
    assert kept.read_text() == "# pins 6.62.0"
    written = Receipt.load(suite.path)
    assert written.config == {**NOW.config, LOCK: receipt.sha256(kept)}
    assert written.pins_provider


def test_the_lock_file_of_the_old_provider_pins_nothing(
    tmp_path: Path, lock_files: tuple[Path, Path], checkout: list[Fingerprint]
) -> None:
    _, kept = lock_files
    kept.write_text("# of an earlier run with a current provider")
    checkout.append(Fingerprint(NOW.zips, {**NOW.config, LOCK: receipt.sha256(kept)}))
    suite = Suite(tmp_path / "receipt.json")
    suite.run.provider, suite.run.lock = "3.39.0", "# pins 3.39.0"
    suite.ran(END_TO_END)
    assert suite.ended()
    assert not kept.exists()
    written = Receipt.load(suite.path)
    assert written.config == NOW.config
    assert not written.pins_provider


@pytest.mark.parametrize(("provider", "pinned"), [("6.62.0", True), ("3.39.0", False)])
def test_a_committed_lock_file_is_not_changed(
    provider: str,
    pinned: bool,
    tmp_path: Path,
    lock_files: tuple[Path, Path],
    checkout: list[Fingerprint],
) -> None:
    committed, kept = lock_files
    committed.write_text("# committed")
    checkout.append(Fingerprint(NOW.zips, {**NOW.config, LOCK: receipt.sha256(committed)}))
    suite = Suite(tmp_path / "receipt.json")
    suite.run.provider, suite.run.lock = provider, "# what init added to it"
    suite.ran(END_TO_END)
    assert suite.ended()
    assert not kept.exists()
    written = Receipt.load(suite.path)
    assert written.config == checkout[-1].config
    assert written.pins_provider is pinned


@pytest.mark.parametrize(
    ("provider", "said"),
    [("6.62.0", "AWS provider 6.62.0"), ("3.39.0", "for machines without the registry")],
)
def test_a_run_reports_its_provider(provider: str, said: str, tmp_path: Path) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.run.provider = provider
    lines: list[str] = []
    reporter: Any = SimpleNamespace(write_line=lines.append)
    suite.run.pytest_terminal_summary(reporter)
    assert lines[0].endswith(said)
    suite.run.target = None
    suite.run.pytest_terminal_summary(reporter)
    assert len(lines) == 1


def test_a_failed_run_writes_no_receipt(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.ran(END_TO_END)
    assert not suite.ended(status=1)


def test_a_run_without_end_to_end_tests_writes_no_receipt(tmp_path: Path) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.ran("tests/unit/test_a.py::test_a")
    suite.ran(END_TO_END, outcome="skipped")
    assert not suite.ended()


def test_a_run_during_which_the_source_changed_writes_no_receipt(
    tmp_path: Path, checkout: list[Fingerprint]
) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.ran(END_TO_END)
    checkout.append(Fingerprint({"lambda_zip": "0" * 64}, NOW.config))
    assert not suite.ended()


ACCOUNT = {
    "target": "AWS account 123456789012, eu-central-1, as user/tester",
    "terraform": "1.14.0",
    "provider": "6.62.0",
    "lock": "",
}


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a directory with the README and no page about a run in an account."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("Before. Last verified on AWS: never. After.\n")
    monkeypatch.setattr(verified.write, "__defaults__", (tmp_path,))
    return tmp_path


def test_a_green_run_in_an_account_writes_when_where_and_with_what_it_was(
    tmp_path: Path, pages: Path
) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.run.tested_on({**ACCOUNT, "region": "eu-central-1", "runtime": "python3.14", "rows": "12000"})
    suite.run.began -= 1800
    suite.ran("tests/unit/test_a.py::test_a", END_TO_END)
    assert suite.ended()
    page = (pages / verified.PAGE).read_text()
    today = Receipt.load(suite.path).time[:10]
    assert f"Last verified on AWS: {today}.\n" in page
    for shown in (
        "after 30 minutes",
        "eu-central-1",
        "1.14.0",
        "6.62.0",
        "python3.14",
        "2 passed, 0 skipped",
    ):
        assert shown in page
    cost = re.search(r"about (\d+[.]\d\d) USD: 12,000 stored rows", page)
    assert cost
    assert 0 < float(cost[1]) < 1
    assert "123456789012" not in page
    assert (pages / "README.md").read_text() == f"Before. Last verified on AWS: {today}. After.\n"


@pytest.mark.parametrize(("facts", "status"), [({}, 0), ({"region": "r", "runtime": "p", "rows": "1"}, 1)])
def test_a_run_on_an_emulator_or_with_a_failure_leaves_the_page(
    facts: dict[str, str], status: int, tmp_path: Path, pages: Path
) -> None:
    suite = Suite(tmp_path / "receipt.json")
    suite.run.tested_on({**ACCOUNT, **facts})
    suite.ran(END_TO_END)
    suite.ended(status)
    assert not (pages / verified.PAGE).exists()
    assert "never" in (pages / "README.md").read_text()


def test_the_readme_and_the_page_name_the_same_day() -> None:
    said = [
        verified.LINE.findall((ROOT / page).read_text("utf-8")) for page in (verified.README, verified.PAGE)
    ]
    assert said[0] == said[1]
    assert len(said[0]) == 1


@pytest.mark.parametrize(
    "part",
    [
        {"keyword": "order"},
        {"markexpr": "chaos"},
        {"lf": True},
        {"ignore": ["tests/integration"]},
        {"deselect": ["tests/unit"]},
        {"source": pytest.Config.ArgsSource.ARGS},
        {"testpaths": ["tests/integration"]},
    ],
    ids=str,
)
def test_a_run_of_some_tests_writes_no_receipt(part: dict[str, Any], tmp_path: Path) -> None:
    suite = Suite(tmp_path / "receipt.json", **part)
    suite.ran(END_TO_END)
    assert not suite.ended()
