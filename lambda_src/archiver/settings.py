"""What Terraform tells the function, read and checked once, at cold start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(RuntimeError):
    """An environment variable is missing or unusable; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's configuration."""

    events_table: str
    rejected_table: str
    payload_bucket: str
    archive_bucket: str
    function_timeout: float

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Build the settings from environment variables. Raises SettingsError, naming the variable."""

        def text(name: str) -> str:
            value = environment.get(name, "")
            if not value:
                raise SettingsError(f"environment variable {name} is not set; Terraform sets it")
            return value

        try:
            function_timeout = float(text("FUNCTION_TIMEOUT_SECONDS"))
        except ValueError:
            raise SettingsError("environment variable FUNCTION_TIMEOUT_SECONDS must be a number") from None
        return cls(
            events_table=text("EVENTS_TABLE"),
            rejected_table=text("REJECTED_TABLE"),
            payload_bucket=text("PAYLOAD_BUCKET"),
            archive_bucket=text("ARCHIVE_BUCKET"),
            function_timeout=function_timeout,
        )
