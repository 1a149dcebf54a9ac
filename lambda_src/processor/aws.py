"""Calls to AWS: signed, sent, and tried again, over a connection of our own.

botocore does this well, for every service and every way of being configured. Importing it and making two
clients costs a cold start 250 ms and 25 MB, and each request half a millisecond. A function has its
credentials and its region in its environment, and asks two services for six operations.
"""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from processor import telemetry
from processor.deadline import LONGEST_PAUSE, attempts, call_timeout
from processor.settings import SettingsError
from transport.connection import Connection, NoAnswer, host_header, open_socket
from transport.responses import Response
from transport.signing import Signer, StaticCredentials

T = TypeVar("T")

NO_ANSWER = "NoAnswer"
# Said with status 400 of what passes by itself (botocore.retries.standard has the same).
_PASSING = {
    "KMSThrottling",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}


class CallError(Exception):
    """AWS did not do what was asked, or did not say that it did.

    ``code`` is AWS's, or `NO_ANSWER`; ``status`` is HTTP's, 0 where no answer came; ``fields`` are what an
    answer in JSON says; ``retries`` is how many tries there were before the last.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 0, fields: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}"[:200])
        self.code = code
        self.status = status
        self.fields = fields or {}
        self.retries = 0

    @property
    def passing(self) -> bool:
        """Whether the same call may well succeed a little later."""
        return self.status == 0 or self.status >= 500 or self.code in _PASSING


class Access(NamedTuple):
    """Where a function finds AWS, and who it is there. Endpoints are by service; AWS's own where none is."""

    region: str
    credentials: StaticCredentials
    endpoints: dict[str, str]
    ca_bundle: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str], services: tuple[str, ...]) -> Access:
        """From the variables that Lambda sets, and those that an emulator adds. Raises SettingsError.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """

        def text(name: str) -> str:
            if not environment.get(name):
                raise SettingsError(f"environment variable {name} is not set; Lambda sets it")
            return environment[name]

        region = environment.get("AWS_REGION") or text("AWS_DEFAULT_REGION")
        token = environment.get("AWS_SESSION_TOKEN") or None
        credentials = StaticCredentials(text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"), token)
        endpoints = {service: _endpoint(service, region, environment) for service in services}
        return cls(region, credentials, endpoints, environment.get("AWS_CA_BUNDLE") or None)


def _endpoint(service: str, region: str, environment: Mapping[str, str]) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    given = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environment.get("AWS_ENDPOINT_URL")
    parts = urlsplit(given or f"https://{service}.{region}.{suffix}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise SettingsError(f"the endpoint of {service} must be like http://host:port, not {given}")
    return f"{parts.scheme}://{parts.netloc}"


class Service:
    """One service of AWS whose every request is a POST to ``/``. One thread may use it at a time."""

    def __init__(self, name: str, access: Access, function_timeout: float) -> None:
        self._name = name
        endpoint = access.endpoints[name]
        timeout = call_timeout(function_timeout)
        tls = _tls(access.ca_bundle) if endpoint.startswith("https") else None
        self._connection = Connection(endpoint, partial(open_socket, endpoint, tls, timeout, timeout))
        self._credentials = access.credentials
        self._attempts = attempts(function_timeout)
        self._signer_of = partial(Signer, host_header(endpoint), access.region, name)
        self._signers: dict[tuple[tuple[str, str], ...], Signer] = {}

    def ask(self, headers: Mapping[str, str], body: bytes, read: Callable[[Response], T]) -> T:
        """Send a request until it is answered, twice at most, and read the answer. Raises CallError.

        ``headers`` are signed; ``read`` raises CallError for an answer that is none, or is an error.
        """
        key = tuple(headers.items())
        signer = self._signers.get(key) or self._signers.setdefault(key, self._signer_of(dict(headers)))
        for retries in range(self._attempts):
            if retries:
                time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 - jitter
            signed = signer.headers([body], self._credentials) | _UNSIGNED
            try:
                return read(self._connection.exchange(signed, [body]))
            except NoAnswer as problem:
                error = CallError(NO_ANSWER, str(problem))
            except CallError as refusal:
                error = refusal
            error.retries = retries
            if not error.passing:
                break
            # What got no answer may have been done, and will be done again: this is where that can be seen.
            telemetry.log("WARNING", "call failed", service=self._name, why=str(error))
        raise error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


_UNSIGNED = {"accept-encoding": "identity", "user-agent": "rt-pipeline"}


@cache
def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle)
