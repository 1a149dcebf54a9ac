"""checkov's policies over `terraform/`, as production has it. What is not followed says why, where it is."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from typing import Any

from tests.security.auditing import audit_tool
from tools.core.paths import TERRAFORM_SOURCE

SKIP = re.compile(r"# *checkov:skip=(?P<check>\w+):(?P<reason>.*)")


@cache
def results() -> dict[str, list[dict[str, Any]]]:
    """What checkov says: passed_checks, failed_checks and skipped_checks."""
    done = subprocess.run(
        [
            *(str(audit_tool("checkov")), "--directory", str(TERRAFORM_SOURCE), "--framework", "terraform"),
            *("--var-file", str(TERRAFORM_SOURCE / "env" / "prod.tfvars")),
            # Nothing is fetched from, or told to, anybody.
            *("--skip-download", "--compact", "--output", "json"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.stdout, done.stderr
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)["results"]
    return found


def suppressions() -> list[tuple[str, str]]:
    """Every suppression as (check, reason)."""
    texts = (path.read_text() for path in sorted(TERRAFORM_SOURCE.glob("*.tf")))
    return [(found["check"], found["reason"].strip()) for text in texts for found in SKIP.finditer(text)]


def test_every_policy_is_followed_or_said_not_to_be() -> None:
    failed = [f"{check['check_id']} {check['check_name']}: {check['resource']}" for check in _all("failed")]
    assert not failed, "\n".join(failed)
    assert len(_all("passed")) > 50
    assert not results().get("parsing_errors")


def test_every_suppression_is_still_needed() -> None:
    assert sorted(check["check_id"] for check in _all("skipped")) == sorted(
        check for check, _ in suppressions()
    )


def test_every_suppression_has_a_reason_in_a_sentence() -> None:
    assert all(len(reason) > 30 and reason.endswith(".") for _, reason in suppressions())


def _all(outcome: str) -> list[dict[str, Any]]:
    return results()[f"{outcome}_checks"]
