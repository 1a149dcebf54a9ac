"""The gate before MiniStack: other users of the machine and web pages in its browser get nothing."""

from __future__ import annotations

import contextlib
import http.client
import json
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.integration.conftest import Pipeline, free_port
from tests.targets import INSIDE
from tools.core.paths import ROOT
from tools.core.state import StackState, naming
from tools.local import ministack
from tools.local.emulator import Emulator

pytestmark = pytest.mark.needs(INSIDE)

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://example.com"}


@pytest.fixture(scope="module")
def state_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("gate")


@pytest.fixture(scope="module")
def emulator(state_dir: Path) -> Iterator[Emulator]:
    started = ministack.start(state_dir, free_port(), {})
    try:
        yield started
    finally:
        ministack.stop(started, state_dir)


def root(emulator: Emulator) -> StackState:
    return StackState(emulator.endpoint, "us-east-1", "ministack", {}, access_key=emulator.access_key)


def signing(service: str, endpoint: str, key: str, secret: str, token: str | None = None) -> Any:
    """Return a client that signs with these credentials."""
    session = boto3.session.Session(key, secret, token, region_name="us-east-1")
    config = Config(proxies={}, retries={"total_max_attempts": 1})
    return session.client(service, endpoint_url=endpoint, config=config)


def asked(
    emulator: Emulator, method: str, path: str, headers: Mapping[str, str] | None = None, body: str = ""
) -> http.client.HTTPResponse:
    """Send a request as no SDK does, and return the answer, read to its end."""
    address = urlsplit(emulator.endpoint)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body or None, dict(headers or {}))
        answer = connection.getresponse()
        answer.read()
        return answer


@pytest.mark.parametrize("key", ["test", "000000000000", "111111111111", "AKIANOBODY0000000000"])
def test_another_user_of_the_machine_cannot_create_a_function(emulator: Emulator, key: str) -> None:
    functions = StackState(emulator.endpoint, "us-east-1", "ministack", {}, access_key=key).client("lambda")
    with pytest.raises(ClientError) as refused:
        functions.create_function(
            FunctionName="theirs",
            Role="arn:aws:iam::000000000000:role/theirs",
            Runtime="python3.14",
            Handler="theirs.handler",
            Code={"ZipFile": b"PK"},
        )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert "make env" in str(refused.value)


def presigned(service: str, **parameters: str) -> str:
    """Return the path of an address that any web page can name, as a presigned one names its key."""
    scope = {
        "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
        "X-Amz-Credential": f"test/20261126/us-east-1/{service}/aws4_request",
        "X-Amz-Signature": "0",
    }
    return f"/?{urlencode({**parameters, **scope})}"


@pytest.mark.parametrize("path", ["/", presigned("iam")])
def test_a_form_of_a_web_page_is_refused(emulator: Emulator, path: str) -> None:
    form = urlencode({"Action": "CreateUser", "UserName": "theirs", "Version": "2010-05-08"})
    assert asked(emulator, "POST", path, FORM, form).status == 403
    assert root(emulator).client("iam").list_users()["Users"] == []


def test_an_image_of_a_web_page_with_a_foreign_key_in_its_address_is_refused(emulator: Emulator) -> None:
    assert asked(emulator, "GET", presigned("sqs", Action="CreateQueue", QueueName="theirs")).status == 403
    assert not root(emulator).client("sqs").list_queues().get("QueueUrls")


def test_only_the_stacks_own_key_empties_the_emulator(emulator: Emulator) -> None:
    sqs = root(emulator).client("sqs")
    sqs.create_queue(QueueName="kept")
    assert asked(emulator, "POST", "/_ministack/reset").status == 403
    assert asked(emulator, "POST", "/_ministack/reset", naming("test")).status == 403
    assert len(sqs.list_queues()["QueueUrls"]) == 1
    assert asked(emulator, "POST", "/_ministack/reset", naming(emulator.access_key)).status == 200
    assert not sqs.list_queues().get("QueueUrls")


@pytest.mark.parametrize("with_key", [True, False])
def test_no_web_page_may_read_an_answer(emulator: Emulator, with_key: bool) -> None:
    headers = {"Origin": "https://example.com", **(naming(emulator.access_key) if with_key else {})}
    for method in ("GET", "OPTIONS"):
        answer = asked(emulator, method, "/bucket", headers)
        assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control-")]


def test_a_name_that_was_rebound_to_this_machine_is_refused(emulator: Emulator) -> None:
    headers = {**naming(emulator.access_key), "Host": "evil.example"}
    assert asked(emulator, "GET", "/_ministack/sqs/messages", headers).status == 403
    assert asked(emulator, "GET", "/_ministack/sqs/messages", naming(emulator.access_key)).status == 200


def test_the_key_is_random_and_only_this_user_can_read_it(emulator: Emulator, state_dir: Path) -> None:
    holding = [
        path
        for path in state_dir.rglob("*")
        if path.is_file() and emulator.access_key.encode() in path.read_bytes()
    ]
    assert holding == [state_dir / "emulator.json"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    # Hexadecimal after the prefix: 4 bits a character.
    assert len(emulator.access_key.removeprefix("RTPIPELINE")) * 4 >= 128


def test_a_user_whom_iam_made_is_admitted_and_may_do_what_iam_says(emulator: Emulator) -> None:
    iam = root(emulator).client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    sqs = signing("sqs", emulator.endpoint, key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(ClientError, match="AccessDenied"):
        sqs.list_queues()
    statement = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="reader", PolicyName="one", PolicyDocument=document)
    sqs.list_queues()
    with pytest.raises(ClientError, match="Signature"):
        signing("sqs", emulator.endpoint, key["AccessKeyId"], "a guess").list_queues()


def test_the_key_that_env_prints_works_and_the_directory_is_closed(pipeline: Pipeline) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "tools.local", "env", "--state-dir", str(pipeline.state_dir)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    program = (
        'eval "$1"; exec "$2" -c "import boto3; '
        "print(boto3.client('sqs').get_queue_attributes(QueueUrl='$QUEUE_URL')['ResponseMetadata']['HTTPStatusCode'])\""
    )
    done = subprocess.run(
        ["sh", "-c", program, "sh", printed, sys.executable], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "200", done.stderr
    assert stat.S_IMODE(pipeline.state_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE((pipeline.state_dir / "stack.json").stat().st_mode) == 0o600


def test_the_session_of_a_functions_role_cannot_be_computed_from_its_names(pipeline: Pipeline) -> None:
    functions = pipeline.state.client("lambda")
    name = pipeline.state.outputs["function_name"]
    function = functions.get_function(FunctionName=name)["Configuration"]
    digest = sha256(f"{function['FunctionArn']}:{function['Role']}".encode()).hexdigest()
    secret, token = (sha256(f"{what}:{digest}".encode()).hexdigest() for what in ("secret", "token"))
    guessed = signing("sts", pipeline.state.endpoint, f"ASIA{digest[:16].upper()}", secret, token)
    # MiniStack makes the session at the first call.
    functions.invoke(FunctionName=name, Payload=json.dumps({"Records": []}).encode())
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        guessed.get_caller_identity()
