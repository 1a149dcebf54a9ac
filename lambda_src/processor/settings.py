"""The processor's configuration, which Terraform sets as environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from common.settings import Environment


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration. Times are in seconds unless the name says days.

    ``origin_key`` is the key that the origins of copies are signed with (`common.origin`).
    """

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
    origin_key: str = field(repr=False)

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Settings:
        """Read the environment variables. Raises SettingsError, naming the variable."""
        environment = Environment(variables)
        return cls(
            events_table=environment.text("EVENTS_TABLE"),
            rejected_table=environment.text("REJECTED_TABLE"),
            duplicates_table=environment.text("DUPLICATES_TABLE"),
            payload_bucket=environment.text("PAYLOAD_BUCKET"),
            alerts_topic_arn=environment.text("ALERTS_TOPIC_ARN"),
            large_order_threshold=environment.number("LARGE_ORDER_THRESHOLD"),
            batch_summary_alerts=environment.text("BATCH_SUMMARY_ALERTS") == "true",
            function_timeout=float(environment.number("FUNCTION_TIMEOUT_SECONDS")),
            rejected_retention_days=int(environment.number("REJECTED_RETENTION_DAYS")),
            duplicates_retention_days=int(environment.number("DUPLICATES_RETENTION_DAYS")),
            origin_key=environment.text("ORIGIN_KEY"),
        )
