"""What the locks name, held against the vulnerabilities that PyPI knows of."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.security.auditing import audit_tool
from tools.core.paths import REQUIREMENTS

# What this project runs or ships. (audit.txt is what looks at it.)
LOCKS = sorted(path.stem for path in REQUIREMENTS.glob("*.txt") if path.stem != "audit")


@pytest.mark.parametrize("lock", LOCKS)
def test_nothing_that_is_locked_is_known_to_be_vulnerable(lock: str) -> None:
    done = subprocess.run(
        [
            *(str(audit_tool("pip-audit")), "--requirement", str(REQUIREMENTS / f"{lock}.txt")),
            *("--disable-pip", "--progress-spinner", "off", "--format", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if not done.stdout:
        pytest.skip(f"PyPI's data cannot be reached: {done.stderr.strip().splitlines()[-1]}")
    packages = json.loads(done.stdout)["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if packages and len(unknown) == len(packages):
        pytest.skip("the package index here has packages, but nothing to say about vulnerabilities")
    assert not unknown, f"not audited: {unknown}"
    vulnerable = {p["name"]: [v["id"] for v in p["vulns"]] for p in packages if p["vulns"]}
    assert not vulnerable
