from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console
from rich.table import Table

from tests.chaos.chaos_harness import ChaosHarness, Row, Stacks, start_harness
from tests.integration.conftest import new_stack as new_stack  # a fixture
from tests.targets import MiniStack, Target

ROWS = pytest.StashKey[list[Row]]()


@pytest.fixture(scope="session")
def target() -> Target:
    """Faults are injected into the embedded emulator, whatever other targets there are."""
    return MiniStack("fault runs reach into it")


@pytest.fixture(scope="session")
def harness(
    new_stack: Stacks, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[ChaosHarness]:
    """Start one stack for all fault runs."""
    log = tmp_path_factory.mktemp("microburst") / "log"
    with start_harness(new_stack, log, function_timeout=6, visibility=7) as made:
        request.config.stash[ROWS] = made.rows
        yield made


def pytest_terminal_summary(config: pytest.Config) -> None:
    """The table of all fault runs."""
    rows = config.stash.get(ROWS, [])
    if rows:
        Console(width=None if Console().is_terminal else 160).print(table(rows))


def table(rows: list[Row]) -> Table:
    """The runs, one a line."""
    made = Table(title="Fault runs: sent = stored + duplicates + rejected, every expected alert came")
    made.add_column("fault", overflow="fold")
    numbers = (
        "events",
        "injected",
        "stored",
        "duplicates",
        "rejected",
        "dead-lettered",
        "alerts expected",
        "alerted",
    )
    for name in (*numbers, "repeated", "seconds"):
        made.add_column(name, justify="right")
    made.add_column("result")
    for row in rows:
        counts = (
            row.events,
            row.injected,
            row.stored,
            row.duplicates,
            row.rejected,
            row.dead_lettered,
            row.expected,
            row.alerted,
            row.repeated,
        )
        made.add_row(row.fault, *(f"{count:,}" for count in counts), f"{row.seconds:.0f}", row.verdict)
    return made
