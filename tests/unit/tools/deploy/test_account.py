"""Find the credentials, and check that the environment allows their account."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import NoCredentialsError, UnauthorizedSSOTokenError

from tests.unit.tools.deploy.factories import ACCOUNT, Session, environment, refusal
from tools.core.errors import ToolError
from tools.deploy import account
from tools.deploy.account import open_account

KEYS = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"}
ALLOWED = f'allowed_account_ids = ["{ACCOUNT}"]'


class Sts:
    def __init__(self, answer: Exception | None = None) -> None:
        self.answer = answer

    def get_caller_identity(self) -> dict[str, str]:
        if self.answer:
            raise self.answer
        return {"Account": ACCOUNT, "Arn": f"arn:aws:iam::{ACCOUNT}:user/deployer"}


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the arguments of each created session, with a fake STS."""
    return answering(monkeypatch, None)


def answering(monkeypatch: pytest.MonkeyPatch, answer: Exception | None) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []

    def session(**arguments: Any) -> Session:
        made.append(arguments)
        return Session(sts=Sts(answer))

    monkeypatch.setattr(boto3.session, "Session", session)
    return made


def test_the_profile_is_the_default_one_unless_another_is_named(
    sessions: list[dict[str, Any]], tmp_path: Path
) -> None:
    dev = environment(tmp_path, ALLOWED)
    open_account(dev, {})
    open_account(dev, {"AWS_PROFILE": "other", **KEYS})
    open_account(dev, KEYS)
    assert [made.get("profile_name") for made in sessions] == ["rt-pipeline-user", "other", None]
    assert sessions[2]["aws_access_key_id"] == "AKIA"


def test_an_environment_that_names_no_account_is_refused_with_the_line_to_add(
    sessions: list[dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(ToolError, match="does not say which account") as refused:
        open_account(environment(tmp_path), KEYS)
    assert f'allowed_account_ids = ["{ACCOUNT}"]' in refused.value.hint


def test_another_account_is_refused(sessions: list[dict[str, Any]], tmp_path: Path) -> None:
    dev = environment(tmp_path, 'allowed_account_ids = ["999999999999"]')
    with pytest.raises(ToolError, match=f"belongs to account 999999999999; .* of {ACCOUNT}"):
        open_account(dev, KEYS)


def test_an_emulators_endpoint_in_the_environment_is_named(
    sessions: list[dict[str, Any]], tmp_path: Path
) -> None:
    dev = environment(tmp_path, 'allowed_account_ids = ["999999999999"]')
    with pytest.raises(ToolError) as refused:
        open_account(dev, {**KEYS, "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"})
    assert "AWS_ENDPOINT_URL is http://127.0.0.1:4566: unset it for AWS" in refused.value.hint


def test_another_region_than_the_environments_is_refused(
    sessions: list[dict[str, Any]], tmp_path: Path
) -> None:
    with pytest.raises(ToolError, match="dev is in us-east-1, but AWS_REGION says eu-west-1"):
        open_account(environment(tmp_path, ALLOWED), {**KEYS, "AWS_REGION": "eu-west-1"})


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (refusal("ExpiredToken"), "have expired", "aws sso login --profile p"),
        (refusal("InvalidClientTokenId"), "does not know these credentials", "aws configure --profile p"),
        (UnauthorizedSSOTokenError(), "login has ended", "aws sso login --profile p"),
        (NoCredentialsError(), "has no credentials", "aws configure --profile p"),
    ],
)
def test_invalid_credentials_are_an_error_with_a_remedy(
    answer: Exception, said: str, hint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answering(monkeypatch, answer)
    with pytest.raises(ToolError, match=said) as refused:
        open_account(environment(tmp_path, ALLOWED), {"AWS_PROFILE": "p"})
    assert hint in refused.value.hint


def test_a_missing_profile_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    with pytest.raises(ToolError, match="no AWS profile rt-pipeline-user") as refused:
        open_account(environment(tmp_path, ALLOWED), {})
    assert "aws configure --profile rt-pipeline-user" in refused.value.hint


def test_terraform_gets_the_same_credentials_and_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = boto3.session.Session(
        aws_access_key_id="AKIA", aws_secret_access_key="secret", aws_session_token="token"
    )
    given = account.Account(ACCOUNT, "arn:aws:iam::1:user/x", "us-east-1", None, session).for_terraform()
    assert given["AWS_ACCESS_KEY_ID"] == "AKIA"
    assert given["AWS_SESSION_TOKEN"] == "token"
    assert "AWS_ENDPOINT_URL" not in given
    assert given["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
