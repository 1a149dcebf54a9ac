from __future__ import annotations

import calendar
import time

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from aws_http.signing import Signer

HEADERS = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessageBatch"}
NOON = 1_795_435_200.0


@pytest.mark.parametrize("body", [b"", b"{}", bytes(range(256)) * 100], ids=["empty", "short", "long"])
@pytest.mark.parametrize("token", [None, "a-session-token"])
@pytest.mark.parametrize("host", ["sqs.eu-west-1.amazonaws.com", "127.0.0.1:4566"])
def test_signatures_are_those_of_botocore(host: str, token: str | None, body: bytes) -> None:
    credentials = ReadOnlyCredentials("AKIDEXAMPLE", "a secret", token)
    request = AWSRequest("POST", f"http://{host}/", headers=HEADERS, data=body)
    SigV4Auth(credentials, "sqs", "eu-west-1").add_auth(request)
    signed_at = calendar.timegm(time.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
    ours = Signer(host, "eu-west-1", "sqs", HEADERS).headers(
        [body[:7], memoryview(body)[7:]], credentials, signed_at
    )
    assert ours["authorization"] == request.headers["Authorization"]


def test_another_day_or_secret_is_signed_with_another_key() -> None:
    signer = Signer("host", "eu-west-1", "sqs", {})
    one, two = (ReadOnlyCredentials("id", secret, None) for secret in ("one", "two"))

    def signature(credentials: ReadOnlyCredentials, now: float) -> str:
        return signer.headers([], credentials, now)["authorization"].rpartition("=")[2]

    first = signature(one, NOON)
    assert (
        len({first, signature(one, NOON + 86_400), signature(two, NOON), signature(two, NOON - 86_400)}) == 4
    )
    assert signature(one, NOON) == first
