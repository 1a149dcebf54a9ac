from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.session
import pytest

from producer.errors import ProducerError
from producer.send.target import Target
from tests.unit.producer.fake_queue import session


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("eu-central-1.queue.amazonaws.com", "eu-central-1"),
        ("vpce-0a1.sqs.us-gov-west-1.vpce.amazonaws.com", "us-gov-west-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("queue.amazonaws.com", "us-east-1"),
    ],
)
def test_the_region_is_the_one_in_the_host_s_name(host: str, region: str) -> None:
    found = Target.find(f"https://{host}/123456789012/events", None, session())
    assert (found.region, found.endpoint) == (region, f"https://{host}")


def test_another_endpoint_can_be_named() -> None:
    found = Target.find("http://sqs/0/q", "http://127.0.0.1:4566", session())
    assert (found.endpoint, found.queue_url) == ("http://127.0.0.1:4566", "http://sqs/0/q")


def test_tls_comes_with_https_only() -> None:
    assert Target.find("http://127.0.0.1:4566/0/q", None, session()).tls is None
    assert Target.find("https://sqs.eu-west-1.amazonaws.com/0/q", None, session()).tls


def test_the_environment_s_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert (
        Target.find("https://sqs.eu-west-1.amazonaws.com/0/q", None, session()).proxy == "http://proxy:3128"
    )


def test_an_emulator_gets_fewer_connections_than_aws() -> None:
    local, remote = (
        Target.find(f"{host}/0/q", None, session()).connections
        for host in ("http://127.0.0.1:4566", "https://sqs.eu-west-1.amazonaws.com")
    )
    assert 1 < local < remote


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A session in an environment without any AWS settings."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return botocore.session.Session


def test_without_credentials_it_says_how_to_get_them(bare: Any) -> None:
    with pytest.raises(ProducerError, match="make -s env"):
        Target.find("http://127.0.0.1:4566/0/q", None, bare())


def test_a_profile_that_does_not_exist_is_said(bare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(ProducerError, match="nobody"):
        Target.find("http://127.0.0.1:4566/0/q", None, bare())
