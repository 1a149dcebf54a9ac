"""botocore sessions. A session for a local stack reads none of the user's AWS settings.

botocore is imported where it is used, because --help, a wrong argument and `make cost` need no 0.2 s for it.
"""

import functools
import os
from collections.abc import Mapping
from typing import Any

from tools.core.errors import ToolError
from tools.core.http import split_address

# An endpoint may be AWS's own: a region's, a VPC's, in any partition (botocore's partitions.json).
_AWS_DOMAINS = (
    *(".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".c2s.ic.gov", ".sc2s.sgov.gov"),
    *(".cloud.adc-e.uk", ".csp.hci.ic.gov", ".api.aws", ".api.amazonwebservices.com.cn"),
    *(".api.amazonwebservices.eu", ".api.aws.ic.gov", ".api.aws.scloud", ".api.cloud-aws.adc-e.uk"),
    ".api.aws.hci.ic.gov",
)


def is_aws(endpoint: str | None) -> bool:
    """Return whether an endpoint is AWS's own. None is."""
    parts = split_address(endpoint or "")
    return not endpoint or bool(parts and (parts.hostname or "").endswith(_AWS_DOMAINS))


def create_session(
    endpoint: str | None,
    region: str | None = None,
    credentials: tuple[str, str] | None = None,
    profile: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Any:
    """Return a botocore session to reach ``endpoint``, which is None for AWS. Raises ToolError.

    For a local stack the given ``credentials``, or else the exported ones, are all that it uses: no profile,
    no file and no other setting of the user. For AWS it is botocore's ordinary session.
    """
    import botocore.session

    _check_endpoint(endpoint)
    exported = environment.get("AWS_ACCESS_KEY_ID"), environment.get("AWS_SECRET_ACCESS_KEY")
    key, secret = credentials or exported
    if is_aws(endpoint) or profile or not (key and secret):
        session = botocore.session.Session(profile=profile)
        if credentials:
            session.set_credentials(*credentials)
    else:
        session = botocore.session.Session(session_vars=_default_settings())
        session.register_component("data_loader", _loader())
        # Only temporary keys belong to a token; another one is left over in the user's shell.
        session.set_credentials(
            key, secret, environment.get("AWS_SESSION_TOKEN") if key[:4] == "ASIA" else None
        )
        region = region or environment.get("AWS_DEFAULT_REGION")
    if region:
        session.set_config_variable("region", region)
    return session


def create_client(session: Any, service: str, endpoint: str | None, **settings: Any) -> Any:
    """Return a client of a boto3 session. ``settings`` are botocore's, beside timeouts of 5 and 30 s.

    An emulator is reached without a proxy, and its host name has no subdomains for buckets. The read timeout
    is above the longest long poll (20 s).
    """
    from botocore.config import Config

    emulator = {"proxies": {}, "s3": {"addressing_style": "path"}} if endpoint else {}
    config = Config(**{"connect_timeout": 5, "read_timeout": 30, **emulator, **settings})
    return session.client(service, endpoint_url=endpoint, config=config)


@functools.cache
def _loader() -> Any:
    """Return one loader of botocore's data for all sessions, each of which would parse it for 0.1 s."""
    from botocore.loaders import create_loader

    return create_loader()


def _default_settings() -> dict[str, tuple[Any, ...]]:
    """Return botocore's settings with their defaults, and without variables and files to read them from."""
    from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES

    return {
        name: (setting, None, os.devnull if name.endswith("_file") else default, convert)
        for name, (setting, _variable, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }


def _check_endpoint(endpoint: str | None) -> None:
    if endpoint and split_address(endpoint) is None:
        raise ToolError(
            f"The endpoint {endpoint} is not an address.", "Example: AWS_ENDPOINT_URL=http://127.0.0.1:4566"
        )
