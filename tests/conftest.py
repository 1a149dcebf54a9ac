"""What holds for all tests: a green run of them is written down, for `make deploy-aws` to compare with."""

import pytest

from tests import receipt


def pytest_configure(config: pytest.Config) -> None:
    """Begin to take down the run."""
    receipt.start(config)
