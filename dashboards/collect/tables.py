"""Read the number of items in each table with DescribeTable, because counting them would read them all."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from dashboards.collect.runner import CollectResult
from dashboards.errors import describe_error
from dashboards.state import Tables
from dashboards.target import Target
from dashboards.values import Absent, Value


class TableCounts:
    """Reads each table's ItemCount, which AWS updates about every six hours."""

    reading = "tables"
    source = "DynamoDB"
    resource = "a table"

    def __init__(self, target: Target, interval: float) -> None:
        self.interval = interval
        self._dynamodb = target.clients["dynamodb"]
        self._tables = target.events_table, target.rejected_table, target.duplicates_table

    def collect(self) -> CollectResult:
        """Read the three counts. Raises the last error if none can be read."""
        counts: list[Value] = []
        last_error: Exception | None = None
        description = None
        for table in self._tables:
            try:
                counts.append(float(self._dynamodb.describe_table(TableName=table)["Table"]["ItemCount"]))
            except (BotoCoreError, ClientError) as error:
                last_error, description = error, describe_error(error, self.source, self.resource)
                counts.append(Absent(description))
        if last_error is not None and all(isinstance(count, Absent) for count in counts):
            raise last_error
        return CollectResult(Tables(*counts), description)
