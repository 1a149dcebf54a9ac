"""A message as it goes to the queue, and what is expected of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from aws_http.connection import Bytes


@dataclass(slots=True)
class Message:
    """A message body in pieces, so that 200 KB of filler are never copied before the request is put together.

    ``raw`` joined is the body (UTF-8); ``escaped`` joined is the body as it stands within a JSON string.
    ``number`` is its place in the run; ``kind`` is the event type of a valid event, else ``invalid`` or
    ``duplicate``; ``expect`` is what the pipeline should do with it: stored, rejected or duplicate.
    ``event_id`` and ``event_type`` are None where an invalid body has none that can be read.
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
        """``contract.content_hash`` of the body. Worked out when asked for: at 200 KB it takes as long as
        making the event, and a run without a manifest has no use for it."""
        digest = sha256()
        for piece in self.raw:
            digest.update(piece)
        return digest.hexdigest()

    @property
    def identity(self) -> str:
        """What to call the message by: its event_id, or its content hash where it has none."""
        return self.event_id or self.content_hash
