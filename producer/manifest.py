"""The manifest: what a run set out to send and what SQS accepted, one JSON object a line.

The first line says what the run is, each further one that SQS accepted a message; one more is added when
everything has been tried. Each answer of SQS is added with a single write to a file opened for appending, so
a run that is killed leaves a usable manifest: at most the answers on their way at that moment are missing,
and at most the last line is torn.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from producer.errors import ProducerError
from producer.generate.messages import Message

VERSION = 1
# Where the end of the last whole line is looked for; a message's line has 300 bytes.
_TAIL_BYTES = 1 << 20


@dataclass(frozen=True)
class Header:
    """The first line: everything needed to make the run's messages again."""

    run_id: str
    seed: int
    queue_url: str
    started_at: str
    arguments: dict[str, Any]


class Manifest:
    """A manifest that is being written. One that was created and got no message is removed on leaving it."""

    def __init__(self, path: Path, descriptor: int, *, worth_keeping: bool) -> None:
        self.path = path
        self._descriptor = descriptor
        self._worth_keeping = worth_keeping
        try:
            # Until it is closed, or this process ends.
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise ProducerError(
                f"{path} is being written by another producer. Wait until it is done, or stop it."
            ) from None

    @classmethod
    def create(cls, path: Path, header: Header) -> Self:
        """Begin a manifest. Raises ProducerError where there is one already or none can be written."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        except FileExistsError:
            raise ProducerError(
                f"{path} exists already, and a manifest belongs to one run.\n"
                f"Go on with that run: --resume {path}\nOr give another path: --manifest PATH"
            ) from None
        except OSError as error:
            raise ProducerError(
                f"The manifest {path} cannot be written: {error.strerror}\nGive another path: --manifest PATH"
            ) from None
        manifest = cls(path, descriptor, worth_keeping=False)
        manifest._append({"manifest": VERSION, **vars(header)})
        return manifest

    @classmethod
    def reopen(cls, path: Path) -> Self:
        """Go on with a manifest; a line that a kill has torn is dropped. Raises ProducerError."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise ProducerError(f"The manifest {path} cannot be written: {error.strerror}") from None
        manifest = cls(path, descriptor, worth_keeping=True)
        size = os.fstat(descriptor).st_size
        last = os.pread(descriptor, _TAIL_BYTES, max(0, size - _TAIL_BYTES))
        torn = len(last) - last.rfind(b"\n") - 1
        os.ftruncate(descriptor, size - torn)
        return manifest

    def record(self, taken: Sequence[tuple[Message, str]]) -> None:
        """Write down that SQS took messages, under these message ids."""
        # Written out rather than given to json.dumps, which would cost as much as making the event. No id or
        # type that the producer makes, and no id that SQS makes, holds a character to escape.
        lines = [
            f'{{"message_id":"{message_id}","event_id":{_quoted(message.event_id)},'
            f'"event_type":{_quoted(message.event_type)},"content_hash":"{message.content_hash}",'
            f'"expect":"{message.expect}","large_order":{"true" if message.large_order else "false"},'
            f'"index":{message.number}}}\n'
            for message, message_id in taken
        ]
        self._write("".join(lines).encode())
        self._worth_keeping = True

    def complete(self, sent: int, failed: Sequence[str]) -> None:
        """Write down that everything has been tried: ``sent`` messages in all, and what failed."""
        self._append({"sent": sent, "failed": list(failed), "finished_at": datetime.now(UTC).isoformat()})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._worth_keeping:
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
                f"The manifest {self.path} cannot be written any more: {error.strerror}\nSending has stopped."
            ) from None


def read_header(path: Path) -> Header:
    """The first line of a manifest. Raises ProducerError if the file is none."""
    first = next(_lines(path), None)
    if first is None or first.get("manifest") != VERSION:
        raise ProducerError(f"{path} is not a manifest of the producer.")
    return Header(**{name: first[name] for name in Header.__dataclass_fields__})


def read_messages(path: Path) -> Iterator[dict[str, Any]]:
    """The messages that SQS accepted, one by one, in the order of the file."""
    return (line for line in _lines(path) if "message_id" in line)


def read_completion(path: Path) -> dict[str, Any] | None:
    """The last line that says that everything was tried; None if the run was not finished."""
    completion = None
    for line in _lines(path):
        if "sent" in line:
            completion = line
    return completion


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return  # torn by a kill
                yield _object(path, number, line)
    except OSError as error:
        raise ProducerError(f"The manifest {path} cannot be read: {error.strerror}") from None


def _object(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ProducerError(f"{path} is not a manifest of the producer: line {number} is not a JSON object.")
    return value


def _quoted(text: str | None) -> str:
    return "null" if text is None else f'"{text}"'
