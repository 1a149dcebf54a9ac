"""Messages in the dead-letter queue and in the queue of archive failures."""

from typing import Any

import contract
from tools.core import queues
from tools.core.origins import Origins
from tools.ops.erase.matching import Relation
from tools.ops.erase.search import Search, Trace


class QueuedMessages:
    """The messages of one queue. Those of others are visible again when all are read."""

    def __init__(self, search: Search, title: str, queue_url: str) -> None:
        self.title = title
        self._search, self._url = search, queue_url
        self._sqs = search.resources.client("sqs")
        self._origins = Origins(search.resources)

    def find(self) -> int:
        """Find the messages. Return their number."""
        return self._receive(delete=False)

    def erase(self) -> None:
        """Delete the messages."""
        self._receive(delete=True)

    def _receive(self, *, delete: bool) -> int:
        # Messages that one machine has received are hidden from the others.
        if not self._url or not self._search.share.is_first or queues.depth(self._sqs, self._url).total == 0:
            return 0
        found: set[str] = set()
        receipts: list[str] = []
        try:
            for message in queues.receive_all(self._sqs, self._url, ["All"]):
                key = message["MessageId"]
                if not self._is_own(message):
                    receipts.append(message["ReceiptHandle"])
                    continue
                found.add(key)
                if delete:
                    self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
                else:
                    receipts.append(message["ReceiptHandle"])
        finally:
            queues.release(self._sqs, self._url, receipts)
        return len(found)

    def _is_own(self, message: dict[str, Any]) -> bool:
        search, key = self._search, message["MessageId"]
        attributes = message.get("MessageAttributes") or {}
        relation = search.customer.relation(message["Body"].encode("utf-8", "surrogatepass"))
        if relation is Relation.OWN:
            content_hash = contract.content_hash(message["Body"])
            origin = self._origins.origin_of(attributes, content_hash)
            search.add([Trace(key, content_hash), Trace(origin or "")])
        elif relation is Relation.MENTION or any(
            value.get("StringValue") == search.customer.id for value in attributes.values()
        ):
            search.mention(key, self.title)
        return relation is Relation.OWN
