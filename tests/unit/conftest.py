"""Fixtures of all unit tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _quick_aws_cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the AWS CLI, which takes a second to print its version to each `make doctor`."""
    command = tmp_path_factory.mktemp("bin") / "aws"
    command.write_text("#!/bin/sh\necho aws-cli/2.0.0\n")
    command.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(command.parent), prepend=os.pathsep)
        yield
