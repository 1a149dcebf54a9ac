"""Fixtures of the tests of `terraform/`."""

from datetime import UTC, datetime

import pytest

from archiver import report as archived
from archiver.batch import Batch
from archiver.buckets import Buckets
from common.deadline import CallLimits, Deadline
from processor.report import report
from processor.results import STORED, MessageResult
from tests.boundary import activity, read_message
from tests.fakes import FakeS3
from tests.infrastructure.configuration import Variables
from tests.infrastructure.monitoring import Known, Monitoring, documented, emitted

NO_BUCKETS = Buckets(FakeS3(), "", "", Deadline(lambda: 0, CallLimits.of(1)))


@pytest.fixture(scope="session")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Variables:
    """Return Terraform with only the configuration's variables."""
    return Variables(tmp_path_factory.mktemp("variables"))


@pytest.fixture(scope="session")
def monitoring(tmp_path_factory: pytest.TempPathFactory) -> Monitoring:
    """Return the alarms and the dashboard, with the variables' defaults."""
    return Monitoring(tmp_path_factory.mktemp("monitoring"))


@pytest.fixture
def known(capsys: pytest.CaptureFixture[str]) -> Known:
    """Return all metrics: those that AWS documents, and those that the functions log."""
    stored = MessageResult(read_message(activity("e-1", "")), STORED)
    report([stored], [], "request", datetime.now(UTC))
    own = emitted(capsys.readouterr().out)
    archived.report(Batch("events", "rejected", "duplicates", NO_BUCKETS), [], "request", datetime.now(UTC))
    for namespace, metrics in emitted(capsys.readouterr().out).items():
        own[namespace] |= metrics
    return documented() | own
