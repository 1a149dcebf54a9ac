"""A machine needs Python and make alone: a file that calls another program handles its absence."""

import re
from functools import cache

import pytest

from tools.core.paths import ROOT

# By program: the files that skip with the reason or do without.
HANDLED = {
    "git": {
        "tests/integration/test_recipes.py",
        "tests/security/test_secrets.py",
        "tools/benchmarks/results.py",
        "tools/contract/__main__.py",
        "tools/deploy/receipt.py",
        "tools/deploy/release.py",
    },
    # Where there is no /proc, as on macOS, which has both.
    "ps": {"tools/local/processes.py"},
    "lsof": {"tools/local/processes.py"},
    "docker": {"tests/unit/tools/local/test_compose.py", "tools/local/localstack.py"},
    "docker-compose": {"tests/unit/tools/local/test_compose.py", "tools/local/localstack.py"},
    "terraform": {"tests/unit/tools/local/offline/test_with_terraform.py"},
}


@cache
def sources() -> dict[str, str]:
    """Return the text of each Python file that may call a program, by its path."""
    tops = [ROOT / top for top in ("tests", "tools", "dashboards", "producer")]
    return {
        str(path.relative_to(ROOT)): path.read_text("utf-8") for top in tops for path in top.rglob("*.py")
    }


@pytest.mark.parametrize("program", [*HANDLED, "tmux", "curl", "openssl"])
def test_a_program_is_called_only_where_its_absence_is_handled(program: str) -> None:
    call = re.compile(rf"""(?<![\w\])])\[\s*"{program}"[\],]""")
    calling = {path for path, text in sources().items() if call.search(text)}
    assert calling == HANDLED.get(program, set())
