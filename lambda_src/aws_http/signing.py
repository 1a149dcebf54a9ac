"""AWS Signature Version 4 for one kind of request: a POST to ``/`` with fixed headers.

Only the time and the body change between requests, so most of the work is done once. A test compares the
signatures with botocore's; docs/adr/0008 has the measurements.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import time
from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple, Protocol

_ALGORITHM = "AWS4-HMAC-SHA256"


class Credentials(Protocol):
    """Credentials with botocore's attribute names. ``token`` is None for credentials that do not expire."""

    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def token(self) -> str | None: ...


class StaticCredentials(NamedTuple):
    """Credentials that do not change."""

    access_key: str
    secret_key: str
    token: str | None


class Signer:
    """Signs requests to one host. ``headers`` are sent with each; their names are in lower case."""

    def __init__(self, host: str, region: str, service: str, headers: dict[str, str]) -> None:
        self._region = region
        self._service = service
        self._fixed = {"host": host, **headers}
        self._key_of: tuple[str, str] = ("", "")
        self._key = b""

    def headers(
        self, body: Iterable[bytes | memoryview], credentials: Credentials, now: float | None = None
    ) -> dict[str, str]:
        """Return all headers of a signed request except Content-Length. ``body`` is a sequence of pieces.

        ``now`` is in seconds since 1970, by default the clock's.
        """
        digest = sha256()
        for piece in body:
            digest.update(piece)
        at = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        headers = {**self._fixed, "x-amz-date": at}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = sorted(headers)
        signed = ";".join(names)
        canonical_headers = "".join([f"{name}:{headers[name]}\n" for name in names])
        canonical = f"POST\n/\n\n{canonical_headers}\n{signed}\n{digest.hexdigest()}"
        scope = f"{at[:8]}/{self._region}/{self._service}/aws4_request"
        to_sign = f"{_ALGORITHM}\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = _hmac(self._signing_key(at[:8], credentials.secret_key), to_sign).hex()
        headers["authorization"] = (
            f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={signed}, Signature={signature}"
        )
        return headers

    def _signing_key(self, day: str, secret: str) -> bytes:
        # The key depends on the day and the secret only.
        if self._key_of != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = _hmac(key, part)
            self._key, self._key_of = key, (day, secret)
        return self._key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
