"""Requests of the AWS SDK for Go, replayed: tests/data/aws_sdk_go/README.md says how they were recorded."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from tools.core.paths import ROOT
from tools.core.state import SECRET_KEY
from tools.local.emulator import Emulator

RECORDED = ROOT / "tests" / "data" / "aws_sdk_go"
# As the SDK signs them: S3 Control's requests are signed for S3.
SIGNED_FOR = {"cloudwatch": "monitoring", "s3control": "s3", "s3": "s3"}


@dataclass(frozen=True)
class Reply:
    """An emulator's answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _AsSent(SigV4Auth):  # type: ignore[misc]  # botocore has no types
    """Signs a path as it is sent: the SDK has encoded it."""

    def _normalize_url_path(self, path: str) -> str:
        return path


@cache
def requests(service: str) -> dict[str, dict[str, Any]]:
    """Return the recorded requests of a service by name."""
    recorded = json.loads((RECORDED / f"{service}.json").read_text(encoding="utf-8"))
    return {request["name"]: request for request in recorded}


def replay(emulator: Emulator, service: str, name: str) -> Reply:
    """Send a recorded request to the emulator, signed now, and return its reply."""
    request = requests(service)[name]
    address, recorded_host = urlsplit(emulator.endpoint), urlsplit(f"//{request['host']}")
    # The port is the emulator's; a prefix of the host stays what the SDK made of it.
    host = f"{recorded_host.hostname}:{address.port}"
    body = base64.b64decode(request["body"])
    signed = AWSRequest(request["method"], f"http://{host}{request['path']}", request["headers"], body)
    credentials = ReadOnlyCredentials(emulator.access_key, SECRET_KEY, None)
    _AsSent(credentials, SIGNED_FOR[service], "us-east-1").add_auth(signed)
    connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=30)
    try:
        connection.request(
            request["method"], request["path"], body or None, {**dict(signed.headers), "Host": host}
        )
        response = connection.getresponse()
        return Reply(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()
