"""A message as the producer sends it, and the result that the pipeline should report for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from aws_http.connection import Bytes

# Values of `Message.expect`.
STORED, REJECTED, DUPLICATE = "stored", "rejected", "duplicate"
# The pipeline accepts it: stored, or a duplicate or a conflict if it has the event_id already.
ANY = "any"
# A `Message.kind` beside the event types and DUPLICATE.
INVALID = "invalid"


@dataclass(slots=True)
class Message:
    """A message body in pieces, so that 200 KB of filler are not copied before the request is assembled.

    ``raw`` joined is the body (UTF-8); ``escaped`` joined is the body escaped for use in a JSON string.
    ``number`` is its position in the run. ``kind`` is the event type of a valid event, or INVALID or
    DUPLICATE. ``expect`` is the pipeline's expected result: STORED, REJECTED, DUPLICATE or ANY.
    ``event_id`` and ``event_type`` are None if no reader can find them in an invalid body.
    """

    number: int
    raw: Sequence[Bytes]
    escaped: Sequence[Bytes]
    size: int
    event_id: str | None
    event_type: str | None
    kind: str
    expect: str
    large_order: bool

    @property
    def body(self) -> str:
        """The message body."""
        return b"".join(self.raw).decode()

    @property
    def content_hash(self) -> str:
        """``contract.content_hash`` of the body, computed on demand because only a manifest needs it."""
        digest = sha256()
        for piece in self.raw:
            digest.update(piece)
        return digest.hexdigest()

    @property
    def display_id(self) -> str:
        """The event_id, or the content hash if the body has no event_id."""
        return self.event_id or self.content_hash
