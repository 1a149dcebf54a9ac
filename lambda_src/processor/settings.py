"""What Terraform tells the function, read and checked once, at cold start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


class SettingsError(RuntimeError):
    """An environment variable is missing or unusable; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The function's configuration. Times are in seconds unless the name says days."""

    events_table: str
    rejected_table: str
    duplicates_table: str
    payload_bucket: str
    alerts_topic_arn: str
    large_order_threshold: Decimal
    batch_summary_alerts: bool
    function_timeout: float
    rejected_retention_days: int
    duplicates_retention_days: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Build the settings from environment variables. Raises SettingsError, naming the variable."""

        def text(name: str) -> str:
            value = environment.get(name, "")
            if not value:
                raise SettingsError(f"environment variable {name} is not set; Terraform sets it")
            return value

        def number(name: str) -> Decimal:
            try:
                return Decimal(text(name))
            except InvalidOperation:
                raise SettingsError(f"environment variable {name} must be a number") from None

        return cls(
            events_table=text("EVENTS_TABLE"),
            rejected_table=text("REJECTED_TABLE"),
            duplicates_table=text("DUPLICATES_TABLE"),
            payload_bucket=text("PAYLOAD_BUCKET"),
            alerts_topic_arn=text("ALERTS_TOPIC_ARN"),
            large_order_threshold=number("LARGE_ORDER_THRESHOLD"),
            batch_summary_alerts=text("BATCH_SUMMARY_ALERTS") == "true",
            function_timeout=float(number("FUNCTION_TIMEOUT_SECONDS")),
            rejected_retention_days=int(number("REJECTED_RETENTION_DAYS")),
            duplicates_retention_days=int(number("DUPLICATES_RETENTION_DAYS")),
        )
