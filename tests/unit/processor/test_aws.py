"""What goes over the wire to DynamoDB and SNS, and what is made of the answers."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from botocore.regions import EndpointResolver

from aws_http.config import AwsConfig, ConfigError
from aws_http.errors import NO_ANSWER, AwsError
from common.deadline import CallLimits
from processor.dynamodb import CONDITION_FAILED, TRANSACTION_CANCELED, DynamoDB
from processor.sns import SNS
from tests.unit.processor.conftest import ENVIRONMENT

PUT = {"TableName": "events", "Item": {"event_id": {"S": "e-1"}, "payload": {"B": bytes(range(256))}}}
LAMBDA = {
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a secret",
    "AWS_SESSION_TOKEN": "a token",
}
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each request with what the server has ready for it; the last answer is given for ever."""

    protocol_version = "HTTP/1.1"
    server: Service

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.requests.append((dict(self.headers.items()), body))
        answers = self.server.answers
        (answers.pop(0) if len(answers) > 1 else answers[0])(self)

    def log_message(self, *arguments: Any) -> None:
        """Nobody reads it."""


class Service(ThreadingHTTPServer):
    """A service that says what it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Answer] = [answer(200, {})]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def answer(status: int, fields: dict[str, Any], **headers: str) -> Answer:
    return said(status, json.dumps(fields).encode(), **headers)


def said(status: int, content: bytes, **headers: str) -> Answer:
    def write(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"x-amz-crc32": str(zlib.crc32(content)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return write


def error(code: str, status: int = 400, **fields: Any) -> Answer:
    return answer(status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", **fields})


def no_answer(handler: Handler) -> None:
    handler.close_connection = True


@pytest.fixture
def server() -> Iterator[Service]:
    with Service() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def access(server: Service) -> AwsConfig:
    return AwsConfig.read(LAMBDA | {"AWS_ENDPOINT_URL": server.url}, ("dynamodb", "sns"))


@pytest.fixture
def dynamodb(access: AwsConfig) -> Iterator[DynamoDB]:
    made = DynamoDB(access, CallLimits.of(30))
    yield made
    made.close()


@pytest.fixture
def sns(access: AwsConfig) -> Iterator[SNS]:
    made = SNS(access, CallLimits.of(30))
    yield made
    made.close()


def refused(dynamodb: DynamoDB) -> AwsError:
    with pytest.raises(AwsError) as refusal:
        dynamodb.call("PutItem", PUT)
    return refusal.value


def test_what_is_sent_is_signed_as_botocore_signs_it(server: Service, dynamodb: DynamoDB) -> None:
    dynamodb.call("PutItem", PUT)
    headers, body = server.requests[0]
    given = {name.lower(): value for name, value in headers.items()}
    signed = given["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest(
        "POST",
        f"{server.url}/",
        headers={name: given[name] for name in signed if name not in ("host", "x-amz-date")},
        data=body,
    )
    request.context["timestamp"] = given["x-amz-date"]
    signer = SigV4Auth(ReadOnlyCredentials("AKIDEXAMPLE", "a secret", None), "dynamodb", "eu-west-1")
    request.headers["X-Amz-Date"] = given["x-amz-date"]
    canonical = signer.canonical_request(request)
    assert given["authorization"].endswith(
        signer.signature(signer.string_to_sign(request, canonical), request)
    )
    assert {"host", "x-amz-date", "x-amz-target", "x-amz-security-token"} <= set(signed)


def test_binary_is_sent_as_base64_of_it(server: Service, dynamodb: DynamoDB) -> None:
    dynamodb.call("PutItem", PUT)
    sent = json.loads(server.requests[0][1])
    assert sent["Item"]["payload"]["B"].startswith("AAECAwQFBgcICQ")
    assert sent["Item"]["event_id"] == {"S": "e-1"}
    assert server.requests[0][0]["x-amz-target"] == "DynamoDB_20120810.PutItem"


@pytest.mark.parametrize(
    "first",
    [
        error("ThrottlingException"),
        error("ProvisionedThroughputExceededException"),
        error("InternalServerError", 500),
        answer(200, {}, x_amz_crc32="1"),
        said(200, b"no JSON"),
        said(502, b"<html>Bad gateway</html>"),
        no_answer,
        error("TransactionConflictException"),
        error("Unheard", 429),
        said(429, b"slow down"),
    ],
    ids=[
        *("throttled", "out of capacity", "fails", "damaged", "no JSON", "a proxy's", "lost"),
        *("conflicting", "too many", "too many for a proxy"),
    ],
)
def test_what_passes_is_tried_again(server: Service, dynamodb: DynamoDB, first: Answer) -> None:
    server.answers = [first, answer(200, {"UnprocessedItems": {}})]
    assert dynamodb.call("PutItem", PUT) == {"UnprocessedItems": {}}
    assert len(server.requests) == 2


def test_tries_end(server: Service, dynamodb: DynamoDB) -> None:
    server.answers = [error("InternalServerError", 500, message="Sorry.")]
    refusal = refused(dynamodb)
    assert (refusal.code, refusal.status, refusal.retries) == ("InternalServerError", 500, 1)
    assert str(refusal) == "InternalServerError: Sorry."
    assert len(server.requests) == 2


def test_each_try_that_failed_is_in_the_log(
    server: Service, dynamodb: DynamoDB, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [error("InternalServerError", 500, message="Sorry."), answer(200, {})]
    dynamodb.call("PutItem", PUT)
    (line,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line == {
        "level": "WARNING",
        "message": "call failed",
        "service": "dynamodb",
        "why": "InternalServerError: Sorry.",
    }


def test_what_does_not_pass_is_not_tried_again(server: Service, dynamodb: DynamoDB) -> None:
    server.answers = [error("AccessDeniedException", Message="Not you.")]
    refusal = refused(dynamodb)
    assert (refusal.code, refusal.retryable, refusal.retries) == ("AccessDeniedException", False, 0)
    assert len(server.requests) == 1


def test_what_holds_the_key_comes_with_the_error(server: Service, dynamodb: DynamoDB) -> None:
    held = {"event_id": {"S": "e-1"}, "payload": {"B": "AAE="}}
    server.answers = [error(CONDITION_FAILED, Item=held)]
    refusal = refused(dynamodb)
    assert refusal.code == CONDITION_FAILED
    assert refusal.fields["Item"] == {"event_id": {"S": "e-1"}, "payload": {"B": b"\x00\x01"}}


def test_a_retry_that_finds_the_key_held_says_that_it_is_one(server: Service, dynamodb: DynamoDB) -> None:
    server.answers = [no_answer, error(CONDITION_FAILED)]
    assert refused(dynamodb).retries == 1


def test_each_action_of_a_cancelled_transaction_has_its_reason(server: Service, dynamodb: DynamoDB) -> None:
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Item": {"payload": {"B": "AAE="}}}]
    server.answers = [error(TRANSACTION_CANCELED, CancellationReasons=reasons)]
    found = refused(dynamodb).fields["CancellationReasons"]
    assert [reason["Code"] for reason in found] == ["None", "ConditionalCheckFailed"]
    assert found[1]["Item"] == {"payload": {"B": b"\x00\x01"}}


def test_one_connection_serves_until_the_other_side_closes_it(server: Service, dynamodb: DynamoDB) -> None:
    server.answers = [answer(200, {}), answer(200, {}), answer(200, {}, connection="close"), answer(200, {})]
    for _ in range(4):
        dynamodb.call("PutItem", PUT)
    assert len(server.requests) == 4


def test_a_service_that_hangs_is_given_up_in_time(server: Service, access: AwsConfig) -> None:
    over = threading.Event()

    def hang(handler: Handler) -> None:
        over.wait(10)

    server.answers = [hang]
    began = time.monotonic()
    try:
        refusal = refused(DynamoDB(access, CallLimits.of(0.6)))
    finally:
        over.set()
    assert refusal.code == NO_ANSWER
    assert "no answer in time" in str(refusal)
    assert time.monotonic() - began < 5


def test_where_nothing_listens_the_endpoint_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        access = AwsConfig.read(LAMBDA | {"AWS_ENDPOINT_URL": url}, ("dynamodb",))
        assert url in str(refused(DynamoDB(access, CallLimits.of(0.6))))


ENTRIES = [
    {
        "Id": str(n),
        "Message": f'{{"text": "a & b = {n} %"}}',
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": f"v{n}"} for name in ("alert_type", "event_type")
        },
    }
    for n in range(2)
]
PUBLISHED = b"""<PublishBatchResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishBatchResult>
<Failed><member><Id>1</Id><Code>InternalError</Code><SenderFault>false</SenderFault></member></Failed>
<Successful><member><MessageId>m</MessageId><Id>0</Id></member></Successful>
</PublishBatchResult></PublishBatchResponse>"""
THROTTLED = b"""<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
<Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"""


def test_a_batch_is_published_as_botocore_publishes_it(server: Service, sns: SNS) -> None:
    server.answers = [said(200, PUBLISHED)]
    sns.publish_batch("arn:topic", ENTRIES)
    theirs = botocore.session.Session().create_client(
        "sns",
        region_name="eu-west-1",
        endpoint_url=server.url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="a secret",
    )
    theirs.publish_batch(TopicArn="arn:topic", PublishBatchRequestEntries=ENTRIES)
    theirs.close()
    ours, botocores = (parse_qs(body.decode(), strict_parsing=True) for _, body in server.requests)
    assert ours == botocores


def test_what_became_of_each_message_of_a_batch_is_told(server: Service, sns: SNS) -> None:
    server.answers = [said(200, PUBLISHED)]
    assert sns.publish_batch("arn:topic", ENTRIES) == {"0": None, "1": "InternalError"}


@pytest.mark.parametrize("first", [said(400, THROTTLED), said(503, b"busy"), said(200, b"{}")])
def test_publishing_is_tried_again(server: Service, sns: SNS, first: Answer) -> None:
    server.answers = [first, said(200, PUBLISHED)]
    assert set(sns.publish_batch("arn:topic", ENTRIES)) == {"0", "1"}
    assert len(server.requests) == 2


def test_a_topic_that_refuses_says_why(server: Service, sns: SNS) -> None:
    server.answers = [said(403, THROTTLED.replace(b"Throttling", b"AuthorizationError"))]
    with pytest.raises(AwsError, match="AuthorizationError: Rate exceeded") as refusal:
        sns.publish_batch("arn:topic", ENTRIES)
    assert (refusal.value.status, refusal.value.retryable) == (403, False)


def regions() -> list[str]:
    """Every region of every partition that botocore knows."""
    session = botocore.session.Session()
    return [
        region
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("dynamodb", partition, allow_non_regional=False)
    ]


@pytest.mark.parametrize("service", ["dynamodb", "sns"])
def test_aws_is_found_in_every_region_that_botocore_knows(service: str) -> None:
    resolver = EndpointResolver(botocore.session.Session().get_data("endpoints"))
    resolved = {
        region: f"https://{resolver.construct_endpoint(service, region)['hostname']}" for region in regions()
    }
    read = {
        region: AwsConfig.read(LAMBDA | {"AWS_REGION": region}, (service,)).endpoints[service]
        for region in resolved
    }
    assert read == resolved
    assert {"cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-isob-east-1", "eusc-de-east-1"} <= set(
        resolved
    )


def test_a_service_has_the_endpoint_that_is_named_for_it() -> None:
    named = {"AWS_ENDPOINT_URL": "http://localhost:4566/", "AWS_ENDPOINT_URL_SNS": "http://localhost:9911"}
    access = AwsConfig.read(LAMBDA | named, ("dynamodb", "sns"))
    assert access.endpoints == {"dynamodb": "http://localhost:4566", "sns": "http://localhost:9911"}


def test_either_name_of_the_region_will_do() -> None:
    variables = {name: value for name, value in LAMBDA.items() if name != "AWS_REGION"}
    assert AwsConfig.read(variables | {"AWS_DEFAULT_REGION": "eu-west-1"}, ("sns",)).region == "eu-west-1"


@pytest.mark.parametrize("name", ["REGION", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"])
def test_what_lambda_did_not_set_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        AwsConfig.read(LAMBDA | {f"AWS_{name}": ""}, ("dynamodb",))


@pytest.mark.parametrize("url", ["localhost:4566", "http://", "http://localhost/path", "ftp://localhost"])
def test_an_endpoint_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(ConfigError, match="endpoint of dynamodb"):
        AwsConfig.read(LAMBDA | {"AWS_ENDPOINT_URL": url}, ("dynamodb",))


def test_a_cold_start_imports_no_botocore() -> None:
    # It would double the function's memory and triple the time until its first batch.
    environment = ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = "import processor.handler, sys; print([n for n in sys.modules if n.startswith('boto')])"
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_runtime_without_zstd_is_warned_about_once_and_writes_zlib() -> None:
    # AWS's image of Python 3.14 lacked zstd until December 2025.
    environment = ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(sys.path)}
    program = (
        "import sys; sys.modules['compression.zstd'] = sys.modules['backports.zstd'] = None\n"
        "import processor.handler; from storage.payload import encode_payload\n"
        "print([encode_payload(b'{}' * size).encoding for size in (100, 9000)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    warning, encodings = done.stdout.splitlines()
    assert json.loads(warning) == {
        "level": "WARNING",
        "message": "this runtime has no zstd: payloads are compressed with zlib",
    }
    assert encodings == "['zlib-d1', 'zlib']"
