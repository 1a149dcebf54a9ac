"""A queue, and the settings to reach it."""

import re
import ssl
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from producer.errors import ProducerError

# sqs.eu-west-1.amazonaws.com, eu-west-1.queue.amazonaws.com, vpce-1.sqs.eu-west-1.vpce.amazonaws.com, ...
_REGION = re.compile(r"(?:^|\.)([a-z]{2,4}(?:-[a-z]+)+-\d+)\.")
_LOOPBACK = re.compile(r"localhost|127\.[\d.]+|::1|.*\.localhost(\.localstack\.cloud)?")
# An emulator handles one request at a time, so a second connection suffices to prepare the next one.
# AWS takes about ten times as long to answer a request as the producer takes to prepare it.
_LOCAL_CONNECTIONS, _REMOTE_CONNECTIONS = 2, 16


@dataclass(frozen=True)
class Target:
    """A queue and the settings to reach it. ``credentials`` are botocore's; ``tls`` is None for plain HTTP.

    ``endpoint`` is scheme, host and port; ``proxy`` is the URL of an HTTP proxy for a TLS endpoint, or None.
    """

    queue_url: str
    endpoint: str
    region: str
    credentials: Any
    tls: ssl.SSLContext | None = None
    proxy: str | None = None

    @classmethod
    def find(cls, queue_url: str, endpoint_url: str | None, session: Any) -> "Target":
        """Find the settings to reach a queue, with a botocore session.

        The endpoint is ``endpoint_url``, or else the queue URL's host. The region is the one in the host's
        name, or else the session's, or else us-east-1. Raises ProducerError.
        """
        endpoint = endpoint_url or queue_url
        parts = urlsplit(endpoint)
        host_region = _REGION.search(parts.hostname or "")
        tls = proxy = None
        try:
            region = (host_region and host_region[1]) or session.get_config_variable("region") or "us-east-1"
            credentials = session.get_credentials()
            if parts.scheme == "https":
                bundle = session.get_config_variable("ca_bundle") or get_cert_path(verify=True)
                tls = ssl.create_default_context(cafile=bundle)
                proxy = get_environ_proxies(endpoint).get("https")
        except (BotoCoreError, OSError) as error:
            raise ProducerError(
                f"The AWS settings cannot be used: {error}\nPrint the settings: aws configure list"
            ) from None
        if credentials is None:
            raise ProducerError(
                "No AWS credentials were found.\n"
                'For the local stack, type: eval "$(make -s env)"\n'
                "For AWS, log in first, for example: aws sso login"
            )
        return cls(queue_url, f"{parts.scheme}://{parts.netloc}", region, credentials, tls, proxy)

    @property
    def connections(self) -> int:
        """The number of connections with the highest throughput to this target."""
        local = _LOOPBACK.fullmatch(urlsplit(self.endpoint).hostname or "")
        return _LOCAL_CONNECTIONS if local else _REMOTE_CONNECTIONS
