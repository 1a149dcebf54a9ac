"""What `make audit` installs in an environment apart, for its size."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.core.paths import VENVS


def audit_tool(name: str) -> Path:
    """The program of this name; skips the test where it is not installed."""
    program = VENVS / "audit" / "bin" / name
    if not program.exists():
        pytest.skip(f"{name} is not installed: make audit installs and runs it")
    return program
