"""Where a function reaches AWS, and with which credentials."""

from collections.abc import Mapping
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from aws_http.signing import StaticCredentials

# By a region's prefix: the domain of its endpoints if not amazonaws.com (botocore's partitions.json).
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}


class ConfigError(RuntimeError):
    """An environment variable is missing or unusable; the message names it."""


class AwsConfig(NamedTuple):
    """Region, credentials, and an endpoint for each service (AWS's own by default)."""

    region: str
    credentials: StaticCredentials
    endpoints: dict[str, str]
    ca_bundle: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str], services: tuple[str, ...]) -> Self:
        """Read the variables that Lambda sets, and those that an emulator adds. Raises ConfigError.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """

        def text(name: str) -> str:
            if not environment.get(name):
                raise ConfigError(f"environment variable {name} is not set; Lambda sets it")
            return environment[name]

        region = environment.get("AWS_REGION") or text("AWS_DEFAULT_REGION")
        token = environment.get("AWS_SESSION_TOKEN") or None
        credentials = StaticCredentials(text("AWS_ACCESS_KEY_ID"), text("AWS_SECRET_ACCESS_KEY"), token)
        endpoints = {service: _endpoint(service, region, environment) for service in services}
        return cls(region, credentials, endpoints, environment.get("AWS_CA_BUNDLE") or None)


def dns_suffix(region: str) -> str:
    """Return the domain of AWS's endpoints in a region."""
    return next(
        (suffix for prefix, suffix in _SUFFIXES.items() if region.startswith(prefix)), "amazonaws.com"
    )


def _endpoint(service: str, region: str, environment: Mapping[str, str]) -> str:
    given = environment.get(f"AWS_ENDPOINT_URL_{service.upper()}") or environment.get("AWS_ENDPOINT_URL")
    parts = urlsplit(given or f"https://{service}.{region}.{dns_suffix(region)}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ConfigError(f"the endpoint of {service} must be like http://host:port, not {given}")
    return f"{parts.scheme}://{parts.netloc}"
