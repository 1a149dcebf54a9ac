"""Fixtures of the tests of `terraform/`."""

import pytest

from tests.infrastructure.configuration import Variables


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Variables:
    """Terraform over the configuration's variables alone."""
    return Variables(tmp_path_factory.mktemp("variables"))
