"""Requests to one AWS service: signed, sent, and retried.

botocore supports every service and configuration. For six operations of two services, importing it costs a
cold start 250 ms and 25 MB, and each request half a millisecond (docs/adr/0008).
"""

import random
import ssl
import time
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TypeVar

from aws_http.config import AwsConfig
from aws_http.connection import Connection, TransportError, host_header, open_socket
from aws_http.errors import NO_ANSWER, AwsError
from aws_http.responses import Response
from aws_http.signing import Signer

T = TypeVar("T")

# Seconds before a second try, at most; as in botocore's standard retry mode (botocore.retries.standard).
LONGEST_PAUSE = 1.0
_UNSIGNED = {"accept-encoding": "identity", "user-agent": "rt-pipeline"}


class AwsService:
    """A service whose every request is a POST to ``/``. Only one thread may use it at a time.

    ``timeout`` is in seconds, for connecting and again for the answer. ``on_failure`` is called with each
    error that is retried or given up and may not recur: the request may have taken effect all the same.
    """

    def __init__(
        self,
        name: str,
        config: AwsConfig,
        *,
        timeout: float,
        attempts: int,
        on_failure: Callable[[str, AwsError], None],
    ) -> None:
        self._name = name
        endpoint = config.endpoints[name]
        tls = _tls(config.ca_bundle) if endpoint.startswith("https") else None
        self._connection = Connection(endpoint, partial(open_socket, endpoint, tls, timeout, timeout))
        self._credentials = config.credentials
        self._attempts = attempts
        self._on_failure = on_failure
        self._new_signer = partial(Signer, host_header(endpoint), config.region, name)
        self._signers: dict[tuple[tuple[str, str], ...], Signer] = {}

    def request(self, headers: Mapping[str, str], body: bytes, read: Callable[[Response], T]) -> T:
        """Send a request, with a retry if that may help, and return ``read`` of the answer.

        ``headers`` are signed. ``read`` raises AwsError for an error or an unreadable answer.
        """
        key = tuple(headers.items())
        signer = self._signers.get(key) or self._signers.setdefault(key, self._new_signer(dict(headers)))
        for retries in range(self._attempts):
            if retries:
                time.sleep(random.uniform(0, LONGEST_PAUSE))  # noqa: S311 - jitter
            signed = signer.headers([body], self._credentials) | _UNSIGNED
            try:
                return read(self._connection.exchange(signed, [body]))
            except TransportError as problem:
                error = AwsError(NO_ANSWER, str(problem))
            except AwsError as refusal:
                error = refusal
            error.retries = retries
            if not error.retryable:
                break
            self._on_failure(self._name, error)
        raise error

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@cache
def _tls(ca_bundle: str | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_bundle)
