"""What the places of a search share: the customer, and what identifies the customer's messages."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from tools.core.disk import DiskMap
from tools.core.resources import Resources
from tools.ops.erase.matching import Customer, Relation
from tools.ops.share import WHOLE, Share


class Trace(NamedTuple):
    """What identifies a message elsewhere. ``event_id`` is empty unless the event is the customer's."""

    message_id: str = ""
    content_hash: str = ""
    event_id: str = ""


class Place(Protocol):
    """A place that may hold the customer's data. `erase` removes what `find` has found, and may be repeated.

    What another place is found by is found before it, and erased after it.
    """

    title: str

    def find(self) -> int: ...
    def erase(self) -> None: ...


@dataclass
class Search:
    """A search for one customer.

    ``recorded`` are the message ids of earlier erasures: their rows without an owner are erased, too, so
    that an interrupted erasure can be repeated. ``share`` is what this machine reads. ``mentions`` are
    messages of others that have the id, and where. ``bodies_in_use`` are the content hashes of others' large
    bodies. ``problems`` say what was not read.
    """

    resources: Resources
    customer: Customer
    recorded: frozenset[str]
    share: Share = WHOLE
    message_ids: set[str] = field(default_factory=set)
    content_hashes: set[str] = field(default_factory=set)
    event_ids: set[str] = field(default_factory=set)
    mentions: DiskMap = field(default_factory=DiskMap)
    bodies_in_use: DiskMap = field(default_factory=DiskMap)
    problems: dict[str, None] = field(default_factory=dict)

    def add(self, traces: Iterable[Trace]) -> int:
        """Add messages of the customer. Return their number."""
        count = 0
        for trace in traces:
            count += 1
            self.message_ids.add(trace.message_id)
            self.content_hashes.add(trace.content_hash)
            self.event_ids.add(trace.event_id)
        for found in (self.message_ids, self.content_hashes, self.event_ids):
            found.discard("")
        return count

    def mention(self, name: str, title: str) -> None:
        """Note a message of others that has the id, once."""
        if name not in self.mentions:
            self.mentions.add(name, title)

    def is_known(self, message_id: str | None) -> bool:
        """Return whether the message was erased before, or is the customer's."""
        return message_id in self.recorded or message_id in self.message_ids

    def relation(self, owner: str | None, body: bytes | None, head: Relation, message_id: str) -> Relation:
        """Return whose a row with a body is.

        ``owner`` is its customer_id if it has that attribute, ``body`` None if it cannot be read, and
        ``head`` the relation of its other attributes.
        """
        if owner is not None:
            if owner == self.customer.id:
                return Relation.OWN
            is_in = body is not None and self.customer.relation(body) is not Relation.ABSENT
            return Relation.MENTION if is_in or head is not Relation.ABSENT else Relation.ABSENT
        if body is None:
            return Relation.OWN if self.is_known(message_id) else head
        found = self.customer.relation(body)
        return Relation.MENTION if (found, head) == (Relation.ABSENT, Relation.OWN) else found
