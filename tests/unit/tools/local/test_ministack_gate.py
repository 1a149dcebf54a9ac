import asyncio
import json
import logging

import pytest

from tools.core.state import naming
from tools.local.ministack_gate import Gate, Message, Receive, Send

OWN = "RTPIPELINEOWN"
SESSION = "ASIASESSION"
BODY = {"type": "http.response.body", "body": b"admitted"}


async def _application(scope: Message, _receive: Receive, send: Send) -> None:
    """Answer as MiniStack does: with headers that let every web page read the answer."""
    if scope["type"] == "http":
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"content-type", b"text/xml")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(BODY)
    else:
        await send({"type": f"{scope['type']}.passed"})


class Asked:
    """A gate, and what it answers."""

    def __init__(self) -> None:
        self.gate = Gate(_application, OWN, lambda key: key == SESSION)
        self.received = 0

    def __call__(self, path: str = "/", query: str = "", kind: str = "http", **headers: str) -> list[Message]:
        """Send a request with these headers (Host is 127.0.0.1 unless given) and return what comes back."""
        sent: list[Message] = []
        fields = {"host": "127.0.0.1:4566"} | {
            name.lower().replace("_", "-"): v for name, v in headers.items()
        }
        scope = {
            "type": kind,
            "method": "POST",
            "path": path,
            "query_string": query.encode(),
            "headers": [
                (name.encode(), value.encode()) for name, text in fields.items() for value in text.split("|")
            ],
        }
        chunks = [{"type": "http.request", "more_body": True}, {"type": "http.request", "more_body": False}]

        async def receive() -> Message:
            self.received += 1
            return chunks.pop(0)

        async def send(message: Message) -> None:
            sent.append(message)

        asyncio.run(self.gate(scope, receive, send))
        return sent

    def status(self, *arguments: str, **headers: str) -> int:
        """Return the status of the answer."""
        return int(self(*arguments, **headers)[0]["status"])


@pytest.fixture
def asked() -> Asked:
    return Asked()


def signed(key: str) -> str:
    return (
        naming(key)["Authorization"] + "20261126/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"
    )


@pytest.mark.parametrize("key", [OWN, SESSION])
def test_the_stacks_own_key_and_an_issued_one_are_admitted(asked: Asked, key: str) -> None:
    assert asked.status(authorization=signed(key)) == 200
    assert (
        asked.status("/bucket/key", f"X-Amz-Credential={key}%2F20261126%2Fus-east-1%2Fs3%2Faws4_request")
        == 200
    )


@pytest.mark.parametrize(
    "authorization",
    [
        signed("test"),
        signed("000000000000"),
        signed("AKIANOBODY0000000000"),
        signed(OWN[:-1]),
        signed(OWN + "0"),
        signed(OWN.lower()),
        signed("t\u00e9st"),
        f"AWS {OWN}:signature",
        f"AWS4-ECDSA-P256-SHA256 Credential={OWN}/20261126/sqs/aws4_request",
        f"Bearer {OWN}",
        f"x Credential={OWN}/",
        "AWS4-HMAC-SHA256 Credential=/20261126/us-east-1/sqs/aws4_request",
        "",
    ],
)
def test_every_other_authorization_is_refused(asked: Asked, authorization: str) -> None:
    assert asked.status(authorization=authorization) == 403


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("X-Amz-Credential=test%2F1", {"authorization": signed(OWN)}),
        ("x-AMZ-credential=000000000000", {"authorization": signed(SESSION)}),
        ("AWSAccessKeyId=test&Signature=x", {"authorization": signed(OWN)}),
        (f"X-Amz-Credential={OWN}%2F1&X-Amz-Credential=test%2F1", {}),
        ("X-Amz-Credential=", {"authorization": signed(OWN)}),
        ("", {"authorization": f"{signed(OWN)}|{signed('test')}"}),
        ("", {"authorization": f"{signed('test')}|{signed(OWN)}"}),
        ("", {"authorization": f"AWS4-HMAC-SHA256 Credential=test, Credential={OWN}/"}),
    ],
)
def test_a_request_that_names_a_foreign_key_beside_a_known_one_is_refused(
    asked: Asked, query: str, headers: dict[str, str]
) -> None:
    assert asked.status("/", query, **headers) == 403


def test_a_request_without_credentials_is_refused_once_its_body_is_read(asked: Asked) -> None:
    assert asked.status(content_type="application/x-www-form-urlencoded", origin="https://example.com") == 403
    assert asked.received == 2


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:4566",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "xlocalhost",
        "",
        "127.0.0.1|evil",
    ],
)
def test_a_foreign_host_is_refused_even_with_the_right_key(asked: Asked, host: str) -> None:
    assert asked.status(host=host, authorization=signed(OWN)) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:9999", "000000000000.127.0.0.1:4566"])
def test_the_hosts_that_clients_of_this_machine_send_are_admitted(asked: Asked, host: str) -> None:
    assert asked.status(host=host, authorization=signed(OWN)) == 200


@pytest.mark.parametrize("path", ["/_ministack/reset", "/_localstack/health", "/health", "/_aws/x"])
def test_the_emulators_own_pages_admit_the_stacks_own_key_alone(asked: Asked, path: str) -> None:
    assert asked.status(path) == 403
    assert asked.status(path, authorization=signed("test")) == 403
    assert asked.status(path, authorization=signed(SESSION)) == 403
    assert asked.status(path, authorization=signed(OWN)) == 200


def test_the_health_page_says_without_a_key_that_it_runs_and_nothing_else(asked: Asked) -> None:
    start, body = asked("/_ministack/health")
    assert (start["status"], json.loads(body["body"])) == (200, {"status": "running"})
    assert asked("/_ministack/health", authorization=signed(OWN))[1] == BODY
    assert asked.status("/_ministack/health", host="evil.example") == 403


@pytest.mark.parametrize("headers", [{}, {"authorization": signed(OWN)}])
def test_no_answer_lets_a_web_page_read_it(asked: Asked, headers: dict[str, str]) -> None:
    start = asked("/", origin="https://example.com", **headers)[0]
    assert not [name for name, _ in start["headers"] if name.lower().startswith(b"access-control-")]


def test_a_websocket_needs_the_key_as_well(asked: Asked) -> None:
    assert asked(kind="websocket") == [{"type": "websocket.close", "code": 1008}]
    assert asked(kind="websocket", authorization=signed(OWN)) == [{"type": "websocket.passed"}]


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [
        ("/", {"content_type": "application/x-amz-json-1.0"}, "UnrecognizedClientException"),
        ("/2015-03-31/functions", {}, "UnrecognizedClientException"),
        ("/", {"content_type": "application/x-www-form-urlencoded"}, "<Code>InvalidClientTokenId</Code>"),
        ("/bucket", {}, "<Code>InvalidClientTokenId</Code>"),
    ],
)
def test_a_refusal_is_an_error_that_the_services_sdk_reads(
    asked: Asked, path: str, headers: dict[str, str], code: str
) -> None:
    _, body = asked(path, **headers)
    assert code in body["body"].decode()
    assert "make env" in body["body"].decode()


def test_each_kind_of_refusal_is_logged_once_without_what_the_client_made_up(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "ministack.gate")
    for _ in range(3):
        asked("/\x1b[2J\nforged")
        asked(authorization=signed("a-made-up-key"))
        asked(host="evil.example")
        asked("/_ministack/reset", authorization=signed(SESSION))
    assert len(caplog.messages) == 4
    said = "\n".join(caplog.messages)
    assert not {"\x1b", "a-made-up-key", "evil.example", SESSION} & set(said.split())
    assert len(said.splitlines()) == 4
    assert "\x1b" not in said
