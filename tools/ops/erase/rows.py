"""Rows of the three tables."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from storage.attributes import CONTENT_HASH, EVENT_ID, MESSAGE_ID, PAYLOAD, text
from tools.core import tables
from tools.core.aws_errors import code_of
from tools.core.indexes import BY_CUSTOMER, newest_first
from tools.core.parallel import parallel
from tools.core.tables import Item
from tools.ops.erase.matching import Relation
from tools.ops.erase.search import Search, Trace
from tools.ops.payloads import PayloadError, fetcher, read_body

_THREADS = 8


class _Rows:
    """Rows of one table, by their keys."""

    def __init__(self, search: Search, table: str, key: str) -> None:
        self._search, self._table, self._key = search, table, key
        self._dynamodb = search.resources.client("dynamodb")
        self._keys: list[str] = []

    def erase(self) -> None:
        """Delete the rows."""
        for _ in parallel(self._delete, self._keys, _THREADS):
            pass

    def _delete(self, key: str, **condition: Any) -> None:
        self._dynamodb.delete_item(TableName=self._table, Key={self._key: {"S": key}}, **condition)

    def _scan(self) -> Iterator[Item]:
        for page in tables.pages(self._dynamodb, self._table):
            yield from page

    def _head(self, item: Item) -> Relation:
        rest = {name: value for name, value in item.items() if name != PAYLOAD}
        return self._search.customer.relation(tables.to_json({"M": rest}).encode(errors="backslashreplace"))


class EventRows(_Rows):
    """Stored events, found by the index of customers. Those that only the archive names are erased, too."""

    title = "stored events"

    def __init__(self, search: Search) -> None:
        super().__init__(search, search.resources.table_name, EVENT_ID)
        self._of_others: list[str] = []

    def find(self) -> int:
        """Find the rows. Return their number."""
        customer_id, share = self._search.customer.id, self._search.share
        for item in newest_first(self._dynamodb, self._table, BY_CUSTOMER, [customer_id]):
            trace = Trace(text(item, MESSAGE_ID) or "", text(item, CONTENT_HASH) or "", item[EVENT_ID]["S"])
            self._search.add([trace])
            (self._keys if share.has(trace.event_id) else self._of_others).append(trace.event_id)
        return len(self._keys)

    def erase(self) -> None:
        """Delete the rows."""
        event_ids = self._search.event_ids.difference(self._of_others)
        self._keys = [event_id for event_id in event_ids if tables.is_key(event_id)]
        super().erase()

    def _delete(self, key: str, **condition: Any) -> None:
        # Another's event may have taken the key: the index is eventually consistent.
        condition = {
            "ConditionExpression": "customer_id = :customer",
            "ExpressionAttributeValues": {":customer": {"S": self._search.customer.id}},
        }
        try:
            super()._delete(key, **condition)
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise


class RejectedRows(_Rows):
    """Rejected events, whose bodies are read. Who reads an event's payload object is who removes it."""

    title = "rejected events"

    def __init__(self, search: Search) -> None:
        super().__init__(search, search.resources.rejected_table_name, MESSAGE_ID)
        self._fetch = fetcher(search.resources)

    def find(self) -> int:
        """Find the rows. Return their number."""
        for item in self._scan():
            key, content_hash = item[MESSAGE_ID]["S"], text(item, CONTENT_HASH) or ""
            if not self._search.share.has(content_hash):
                continue
            try:
                body = read_body(item, self._fetch)
            except PayloadError:
                body = None
            owner = text(item, "customer_id")
            relation = self._search.relation(owner, body, self._head(item), key)
            if relation is Relation.OWN:
                self._search.add([Trace(key, content_hash)])
                self._keys.append(key)
            elif relation is Relation.MENTION:
                self._search.mention(key, self.title)
        return len(self._keys)


class DuplicateRows(_Rows):
    """Duplicates of the customer's events. They have no body: each machine looks for those that it knows."""

    title = "duplicates"

    def __init__(self, search: Search) -> None:
        super().__init__(search, search.resources.duplicates_table_name, MESSAGE_ID)

    def find(self) -> int:
        """Find the rows. Return their number."""
        search = self._search
        for item in self._scan():
            key = item[MESSAGE_ID]["S"]
            if text(item, EVENT_ID) in search.event_ids or search.is_known(key):
                search.add([Trace(key, text(item, CONTENT_HASH) or "")])
                self._keys.append(key)
            elif self._head(item) is not Relation.ABSENT:
                search.mention(key, self.title)
        return len(self._keys)
