from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.regions import EndpointResolver

from producer.errors import ProducerError
from producer.send.target import Target
from tests.unit.producer.fake_queue import session


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("eu-central-1.queue.amazonaws.com", "eu-central-1"),
        ("vpce-0a1.sqs.us-gov-west-1.vpce.amazonaws.com", "us-gov-west-1"),
        ("vpce-0a1.sqs.eusc-de-east-1.vpce.amazonaws.eu", "eusc-de-east-1"),
        ("queue.amazonaws.com", "us-east-1"),
    ],
)
def test_the_region_comes_from_the_host_name(host: str, region: str) -> None:
    target = Target.find(f"https://{host}/123456789012/events", None, session())
    assert (target.region, target.endpoint) == (region, f"https://{host}")


def test_the_region_of_every_endpoint_that_botocore_knows_is_read_from_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Reading the certificates for each endpoint would take seconds.
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: None)
    known = botocore.session.Session()
    regions = [
        region
        for partition in known.get_available_partitions()
        for region in known.get_available_regions("sqs", partition)
    ]
    resolver = EndpointResolver(known.get_data("endpoints"))
    hosts = [resolver.construct_endpoint("sqs", region)["hostname"] for region in regions]
    found = [Target.find(f"https://{host}/0/q", None, session()).region for host in hosts]
    assert "eusc-de-east-1" in regions
    assert found == regions


def test_the_endpoint_can_differ_from_the_queue_url() -> None:
    target = Target.find("http://sqs/0/q", "http://127.0.0.1:4566", session())
    assert (target.endpoint, target.queue_url) == ("http://127.0.0.1:4566", "http://sqs/0/q")


def test_only_https_uses_tls() -> None:
    assert Target.find("http://127.0.0.1:4566/0/q", None, session()).tls is None
    assert Target.find("https://sqs.eu-west-1.amazonaws.com/0/q", None, session()).tls


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert (
        Target.find("https://sqs.eu-west-1.amazonaws.com/0/q", None, session()).proxy == "http://proxy:3128"
    )


def test_an_emulator_has_fewer_connections_than_aws() -> None:
    local, remote = (
        Target.find(f"{host}/0/q", None, session()).connections
        for host in ("http://127.0.0.1:4566", "https://sqs.eu-west-1.amazonaws.com")
    )
    assert 1 < local < remote


@pytest.fixture
def session_class(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Return botocore's session class in an environment without AWS settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return botocore.session.Session


def test_the_error_without_credentials_names_the_command_that_gives_them(session_class: Any) -> None:
    with pytest.raises(ProducerError, match="make -s env"):
        Target.find("http://127.0.0.1:4566/0/q", None, session_class())


def test_the_error_for_a_missing_profile_names_it(
    session_class: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing-profile")
    with pytest.raises(ProducerError, match="missing-profile"):
        Target.find("http://127.0.0.1:4566/0/q", None, session_class())
