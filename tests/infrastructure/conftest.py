"""Fixtures of the tests of `terraform/`."""

from datetime import UTC, datetime

import pytest
from processor.report import report

from tests.infrastructure.configuration import Variables
from tests.infrastructure.monitoring import Known, Monitoring, documented, emitted


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Variables:
    """Terraform over the configuration's variables alone."""
    return Variables(tmp_path_factory.mktemp("variables"))


@pytest.fixture(scope="session")
def monitoring(tmp_path_factory: pytest.TempPathFactory) -> Monitoring:
    """The alarms and the dashboard, with the variables' defaults."""
    return Monitoring(tmp_path_factory.mktemp("monitoring"))


@pytest.fixture
def known(capsys: pytest.CaptureFixture[str]) -> Known:
    """The metrics that there are: what AWS documents, and what the function says when it is run."""
    report([], [], "request", datetime.now(UTC))
    return documented() | emitted(capsys.readouterr().out)
