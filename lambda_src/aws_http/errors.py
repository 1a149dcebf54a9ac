"""What a request to AWS may end with."""

from collections.abc import Mapping
from typing import Any

# The code of an `AwsError` when no readable answer came.
NO_ANSWER = "NoAnswer"
# Sent with status 400 for errors that may not recur. botocore.retries.standard lists the same but
# TransactionConflictException: another transaction was writing to the item at that moment.
_RETRYABLE = {
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
    "TransactionConflictException",
    "TransactionInProgressException",
}


class AwsError(Exception):
    """AWS refused a request, or did not answer.

    ``code`` is AWS's, or `NO_ANSWER`. ``status`` is HTTP's, 0 without an answer. ``fields`` are the members
    of an answer in JSON. ``retries`` is the number of tries before the last.
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
    def retryable(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.status in (0, 429) or self.status >= 500 or self.code in _RETRYABLE
