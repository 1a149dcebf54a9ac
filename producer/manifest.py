"""The manifest of a run: what the run was to send, and what SQS accepted, one JSON object a line.

The first line describes the run. Each further line is a message that SQS accepted. A last line is added when
every message was tried. One write appends each response of SQS, so that a killed run leaves a usable
manifest: only the responses in flight are missing, and only the last line can be incomplete.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from producer.errors import ProducerError
from producer.generate.messages import ANY, DUPLICATE, REJECTED, STORED, Message
from tools.core.text import quote

VERSION = 1
# The end of the last complete line is searched in this many bytes; a message's line has about 300.
_TAIL_BYTES = 1 << 20
# The longest line is the last one: the ids of all messages that SQS did not accept.
_MAX_LINE_BYTES = 64 << 20
_encode = json.JSONEncoder().encode


@dataclass(frozen=True)
class Header:
    """The first line: everything that is needed to generate the run's messages again."""

    run_id: str
    seed: int
    queue_url: str
    started_at: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message that SQS accepted. ``expect`` is the pipeline's expected result, as in `Message`."""

    message_id: str
    event_id: str | None
    event_type: str | None
    content_hash: str
    expect: str
    large_order: bool


@dataclass(frozen=True)
class SentRun:
    """A run as its manifest describes it. ``failed`` counts the messages that SQS did not accept.

    ``running`` is whether a producer is writing the manifest. ``erased`` counts messages that are not in
    ``messages`` because `make erase` removed them from the pipeline.
    """

    run_id: str
    queue_url: str
    messages: tuple[SentMessage, ...]
    failed: int
    complete: bool
    running: bool = False
    erased: int = 0


class Manifest:
    """A manifest open for writing. Closing it removes the file unless ``keep`` is set or it has messages."""

    def __init__(self, path: Path, descriptor: int, *, keep: bool) -> None:
        self.path = path
        self._descriptor = descriptor
        self._keep = keep
        try:
            # The lock lasts until the file is closed or this process ends.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise ProducerError(
                f"Another producer is writing {path}. Wait until it has finished, or stop it."
            ) from None

    @classmethod
    def create(cls, path: Path, header: Header) -> Self:
        """Create a manifest. Raises ProducerError if the file exists or cannot be written."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except FileExistsError:
            raise ProducerError(
                f"{path} exists already, and a manifest belongs to one run.\n"
                f"Continue that run: --resume {quote(str(path))}\nOr give another path: --manifest PATH"
            ) from None
        except OSError as error:
            raise ProducerError(
                f"The manifest {path} cannot be written: {error.strerror}\nGive another path: --manifest PATH"
            ) from None
        manifest = cls(path, descriptor, keep=False)
        manifest._append({"manifest": VERSION, **vars(header)})
        return manifest

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Open a manifest to continue it, and remove an incomplete last line. Raises ProducerError."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise ProducerError(
                f"The manifest {path} cannot be opened: {error.strerror}\nCheck the path after --resume."
            ) from None
        manifest = cls(path, descriptor, keep=True)
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        incomplete = len(tail) - tail.rfind(b"\n") - 1
        os.ftruncate(descriptor, size - incomplete)
        return manifest

    def record(self, accepted: Sequence[tuple[Message, str]]) -> None:
        """Record messages that SQS accepted, each with its message id."""
        # json.dumps of the whole line would take as long as generating the event.
        lines = [
            f'{{"message_id":"{message_id}","event_id":{_quoted(message.event_id)},'
            f'"event_type":{_quoted(message.event_type)},"content_hash":"{message.content_hash}",'
            f'"expect":"{message.expect}","large_order":{"true" if message.large_order else "false"},'
            f'"index":{message.number}}}\n'
            for message, message_id in accepted
        ]
        self._write("".join(lines).encode())
        self._keep = True

    def complete(self, sent: int, failed: Sequence[str]) -> None:
        """Record that every message was tried: ``sent`` messages in total, and the ids of failed ones."""
        self._append({"sent": sent, "failed": list(failed), "finished_at": datetime.now(UTC).isoformat()})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._keep:
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def _append(self, line: dict[str, Any]) -> None:
        self._write(json.dumps(line).encode() + b"\n")

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise ProducerError(
                f"The manifest {self.path} can no longer be written: {error.strerror}\nSending has stopped."
            ) from None


def read_header(path: Path) -> Header:
    """Read the first line of a manifest. Raises ProducerError if the file is not a manifest."""
    return _header(path, next(_lines(path), None))


def read_messages(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the messages that SQS accepted, in the order of the file."""
    return (line for line in _lines(path) if "message_id" in line)


def read_run(path: Path, keep: Callable[[SentMessage], bool] = lambda _: True) -> SentRun:
    """Read a manifest, of its messages those that ``keep`` accepts. Raises ProducerError.

    An incomplete last line is ignored.
    """
    lines = _lines(path)
    header = _header(path, next(lines, None))
    # Asked before the messages are read: once the producer has ended, none is added.
    running = _is_locked(path)
    messages: list[SentMessage] = []
    failed, complete = 0, False
    try:
        for line in lines:
            if "message_id" in line:
                message = _sent_message(line)
                if keep(message):
                    messages.append(message)
            elif "sent" in line:
                failed, complete = len(_typed(line, {"failed": list})["failed"]), True
    except (KeyError, TypeError, ValueError) as error:
        raise ProducerError(f"{path} is damaged ({type(error).__name__}: {error}).") from None
    return SentRun(header.run_id, header.queue_url, tuple(messages), failed, complete, running)


def _header(path: Path, first: dict[str, Any] | None) -> Header:
    kinds = {"run_id": str, "seed": int, "queue_url": str, "started_at": str, "arguments": dict}
    try:
        if first and first["manifest"] == VERSION:
            return Header(**_typed(first, kinds))
    except (KeyError, TypeError):
        pass
    raise ProducerError(f"{path} is not a manifest of the producer. Check the path.")


def _is_locked(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _sent_message(line: dict[str, Any]) -> SentMessage:
    if line["expect"] not in (STORED, DUPLICATE, REJECTED, ANY):
        raise ValueError(f"it expects {str(line['expect'])[:40]!r}")
    return SentMessage(**_typed(line, _MESSAGE_KINDS))


_MESSAGE_KINDS = {
    "message_id": str,
    "event_id": str | None,
    "event_type": str | None,
    "content_hash": str,
    "expect": str,
    "large_order": bool,
}


def _typed(line: dict[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    for name, kind in kinds.items():
        if not isinstance(line[name], kind):
            raise TypeError(f"{name} is of another type")
    return {name: line[name] for name in kinds}


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            number = 0
            while line := file.readline(_MAX_LINE_BYTES):
                number += 1
                if not line.endswith(b"\n"):
                    if len(line) == _MAX_LINE_BYTES:
                        raise ProducerError(f"{path} is not a manifest: line {number} is too long.")
                    return  # a killed producer left it incomplete
                yield _parse_line(path, number, line)
    except OSError as error:
        raise ProducerError(f"The manifest {path} cannot be read: {error.strerror}") from None


def _parse_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ProducerError(f"{path} is not a manifest of the producer: line {number} is not a JSON object.")
    return value


def _quoted(text: str | None) -> str:
    return "null" if text is None else _encode(text)
