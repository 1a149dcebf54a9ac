"""Commands for a local stack read none of the user's AWS settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ConfigParseError, EndpointConnectionError, ProfileNotFound

from dashboards.target import find_target
from producer.send.target import Target
from tests.unit.tools.core.test_resources import EXPORTS, OUTPUTS
from tools.core.aws import create_session, is_aws
from tools.core.aws_errors import explain
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.state import StackState

ENDPOINT = "http://127.0.0.1:4599"
LOCAL = EXPORTS | {
    "AWS_ENDPOINT_URL": ENDPOINT,
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "secret",
}
LEFTOVERS = {
    "AWS_PROFILE": "of-another-machine",
    "AWS_DEFAULT_PROFILE": "of-another-machine",
    "AWS_REGION": "mars-north-1",
    "AWS_SESSION_TOKEN": "of-a-login",
    "AWS_ENDPOINT_URL_SQS": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_DYNAMODB": "nonsense",
    "AWS_MAX_ATTEMPTS": "many",
    "AWS_RETRY_MODE": "never",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_DATA_PATH": "/nowhere",
    "AWS_DEFAULTS_MODE": "odd",
}


@pytest.fixture
def hostile_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Set everything that a user may have set for AWS, above all what botocore refuses."""
    broken = tmp_path / "config"
    broken.write_text("[profile x\nregion = y\n= z")
    for name, value in LEFTOVERS.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(broken))
    state = {"endpoint": ENDPOINT, "region": "us-east-1", "emulator": "ministack", "outputs": OUTPUTS}
    (tmp_path / "stack.json").write_text(json.dumps(state))
    return tmp_path


def assert_local(client: Any, key: str) -> None:
    credentials = client._request_signer._credentials.get_frozen_credentials()
    assert client.meta.endpoint_url == ENDPOINT
    assert (credentials.access_key, credentials.token) == (key, None)


def test_every_client_of_a_local_stack_ignores_the_users_settings(
    hostile_settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = StackState.load(hostile_settings)
    key = state.environment()["AWS_ACCESS_KEY_ID"]
    assert_local(state.client("sqs"), key)
    named = {"STACK_DIR": str(hostile_settings)}
    assert_local(Resources.find(named).client("dynamodb"), key)
    assert_local(find_target(None, None, None, named).clients["sqs"], key)
    for name, value in LOCAL.items():
        monkeypatch.setenv(name, value)
    assert_local(Resources.find(LOCAL).client("sqs"), "local")
    assert_local(find_target(None, None, None, LOCAL).clients["dynamodb"], "local")
    target = Target.find(OUTPUTS["queue_url"], ENDPOINT, create_session(ENDPOINT))
    assert (target.region, target.credentials.access_key) == ("eu-west-1", "local")


def test_keys_that_an_emulator_issued_keep_their_token() -> None:
    issued = {"AWS_ACCESS_KEY_ID": "ASIAX", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t"}
    assert create_session(ENDPOINT, environment=issued).get_credentials().token == "t"


@pytest.mark.parametrize("endpoint", [None, "https://sqs.eu-west-1.amazonaws.com"])
def test_aws_itself_is_reached_with_the_users_settings(endpoint: str | None, hostile_settings: Path) -> None:
    assert is_aws(endpoint)
    with pytest.raises(ConfigParseError):
        create_session(endpoint).get_credentials()


@pytest.mark.parametrize(
    "endpoint",
    ["127.0.0.1:4566", "ftp://x", "http://", "nonsense", "http://[::1", "http://h:99999", "http://h\x1b"],
)
def test_an_endpoint_that_is_no_address_is_named(endpoint: str) -> None:
    with pytest.raises(ToolError, match="is not an address"):
        create_session(endpoint)
    with pytest.raises(ToolError, match="is not an address"):
        Resources.find({**LOCAL, "AWS_ENDPOINT_URL": endpoint}).client("sqs")


def test_an_error_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "AWS_PROFILE" in str(explain(ProfileNotFound(profile="x"), None))
    assert "/home/x/.aws/config" in str(explain(ConfigParseError(path="/home/x/.aws/config"), None))
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://127.0.0.1:1")
    explained = explain(EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), None)
    assert explained is not None
    assert "AWS_ENDPOINT_URL_SQS" in explained.hint


def test_exports_of_a_stack_that_is_gone_are_suspected() -> None:
    explained = explain(EndpointConnectionError(endpoint_url=ENDPOINT), ENDPOINT)
    assert explained is not None
    assert 'eval "$(make env)"' in explained.hint
