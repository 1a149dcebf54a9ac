"""The archiver's configuration, which Terraform sets as environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from common.settings import Environment


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration. ``function_timeout`` is in seconds."""

    events_table: str
    rejected_table: str
    duplicates_table: str
    payload_bucket: str
    archive_bucket: str
    function_timeout: float

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Read the environment variables. Raises SettingsError, naming the variable."""
        environment = Environment(variables)
        function_timeout = float(environment.number("FUNCTION_TIMEOUT_SECONDS"))
        return cls(
            events_table=environment.text("EVENTS_TABLE"),
            rejected_table=environment.text("REJECTED_TABLE"),
            duplicates_table=environment.text("DUPLICATES_TABLE"),
            payload_bucket=environment.text("PAYLOAD_BUCKET"),
            archive_bucket=environment.text("ARCHIVE_BUCKET"),
            function_timeout=function_timeout,
        )
