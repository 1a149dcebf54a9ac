"""How much the tables hold, from DescribeTable: counting would mean reading them whole."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from dashboards.collect.runner import Seen
from dashboards.errors import error_text
from dashboards.state import Tables
from dashboards.target import Target
from dashboards.values import Absent, Value


class TableCounts:
    """Reads each table's ItemCount, which AWS brings up to date every six hours or so."""

    reading = "tables"
    source = "DynamoDB"
    thing = "a table"

    def __init__(self, target: Target, every: float) -> None:
        self.every = every
        self._dynamodb = target.clients["dynamodb"]
        self._tables = target.events_table, target.rejected_table, target.duplicates_table

    def collect(self) -> Seen:
        """Ask for the three counts. Raises what the last table's call raised if none could be had."""
        counts: list[Value] = []
        failed: Exception | None = None
        for table in self._tables:
            try:
                counts.append(float(self._dynamodb.describe_table(TableName=table)["Table"]["ItemCount"]))
            except (BotoCoreError, ClientError) as error:
                failed = error
                counts.append(Absent(error_text(error, self.source, self.thing)))
        if failed is not None and all(isinstance(found, Absent) for found in counts):
            raise failed
        return Seen(Tables(*counts), error_text(failed, self.source, self.thing) if failed else None)
