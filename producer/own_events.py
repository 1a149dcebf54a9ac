"""Events from a file or from standard input: one body a line, sent byte for byte.

A line is read once more for sending than for checking, and never kept: memory does not depend on the size of
the file. The number of a message is its line number, counted from 0.
"""

import json
import os
import re
import select
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import contract
from producer.errors import ProducerError
from producer.generate.catalogue import LARGE_ORDER_CENTS
from producer.generate.messages import ANY, INVALID, REJECTED, Message
from producer.send.batching import MAX_BYTES, NOT_ALLOWED

STDIN = Path("-")
# What happens with a line that the contract refuses.
STOP, SKIP, SEND = "stop", "skip", "send"
REFUSED = (STOP, SKIP, SEND)

_THRESHOLD = Decimal(LARGE_ORDER_CENTS) / 100
_CHUNK_BYTES = 1 << 20
# While standard input is silent, what was read is sent, and Ctrl-C is noticed.
_IDLE_SECONDS = 0.2
# A hostile file could have a different reason in each line.
_MAX_REASONS = 50
# A manifest keeps no longer event_id; the contract refuses it.
_MAX_TEXT = 256
_INDEX = re.compile(r"\d+")


@dataclass
class Check:
    """What the lines of a file are: ``refused`` by the contract, or ``unsendable`` because SQS refuses them.

    ``reasons`` counts the lines by reason, each with the number of its first line, counted from 1.
    """

    lines: int = 0
    size: int = 0
    refused: int = 0
    unsendable: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_lines: dict[str, int] = field(default_factory=dict)
    digest: str = ""

    @property
    def ok(self) -> bool:
        """Whether every line is an event."""
        return not self.refused and not self.unsendable

    def add(self, line: bytes) -> tuple[Message | None, set[str]]:
        """Count a line. Returns what `parse_line` returns."""
        number = self.lines
        self.lines += 1
        self.size += len(line) + 1
        message, reasons = parse_line(number, line)
        if reasons:
            if message is None:
                self.unsendable += 1
            else:
                self.refused += 1
            for reason in sorted(reasons):
                known = reason in self.reasons or len(self.reasons) < _MAX_REASONS
                name = reason if known else "other reasons"
                self.reasons[name] += 1
                self.first_lines.setdefault(name, number + 1)
        return message, reasons


def parse_line(number: int, line: bytes) -> tuple[Message | None, set[str]]:
    """Return the message of a line, or None if SQS cannot carry it, and why it is refused."""
    if not line:
        return None, {"the line is empty"}
    if len(line) > MAX_BYTES:
        return None, {"the line has more than 1 MiB"}
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return None, {"the line is not UTF-8"}
    if NOT_ALLOWED.search(text):
        return None, {"the line contains a character that SQS does not allow"}
    event, violations = contract.read(text, datetime.now(UTC))
    fields: dict[str, Any] = event if isinstance(event, dict) else {}
    message = Message(
        number=number,
        raw=(line,),
        escaped=(json.dumps(text, ensure_ascii=False)[1:-1].encode(),),
        size=len(line),
        event_id=_short(fields.get("event_id")),
        event_type=_short(fields.get("event_type")),
        kind=INVALID if violations else fields["event_type"],
        expect=REJECTED if violations else ANY,
        large_order=not violations and contract.is_large_order(fields, _THRESHOLD),
    )
    return message, {
        f"{violation.rule} at {_INDEX.sub('N', violation.path)}" if violation.path else violation.rule
        for violation in violations
    }


def check_file(
    path: Path, on_progress: Callable[[int, int], None] | None = None, most: int | None = None
) -> Check:
    """Read a file and count what the contract refuses. ``on_progress`` gets bytes read and in total.

    The file may be growing: of one that was checked before, read ``most`` lines.

    Raises ProducerError if the file cannot be read.
    """
    check = Check()
    digest = sha256()
    with open_lines(path) as descriptor:
        total = os.fstat(descriptor).st_size
        for line in read_lines(descriptor, threading.Event(), most):
            if line is not None:
                check.add(line)
                digest.update(line + b"\n")
                if on_progress and check.lines % 1_000 == 0:
                    on_progress(check.size, total)
    check.digest = digest.hexdigest()
    return check


def is_repeatable(path: Path) -> bool:
    """Return whether a file can be read twice, which standard input and a pipe cannot."""
    return path != STDIN and (path.is_file() or not path.exists())


@contextmanager
def open_lines(path: Path) -> Iterator[int]:
    """Open a file or standard input for `read_lines`. Raises ProducerError."""
    if path == STDIN:
        yield sys.stdin.fileno()
        return
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        raise ProducerError(
            f"{path} cannot be read: {error.strerror}\nCheck the path after --from."
        ) from None
    with file:
        yield file.fileno()


def read_lines(descriptor: int, stop: threading.Event, most: int | None = None) -> Iterator[bytes | None]:
    """Yield each line without its line feed, and None while there is nothing to read.

    Ends after ``most`` lines. Of a line of more than 1 MiB only the beginning is kept. Raises ProducerError.
    """
    rest = bytearray()
    left = sys.maxsize if most is None else most
    while left and not stop.is_set():
        try:
            if not select.select([descriptor], [], [], _IDLE_SECONDS)[0]:
                yield None
                continue
            chunk = os.read(descriptor, _CHUNK_BYTES)
        except OSError as error:
            raise ProducerError(f"The events cannot be read: {error.strerror}") from None
        if not chunk:
            if rest:
                yield bytes(rest)
            return
        *ends, begun = chunk.split(b"\n")
        ends = ends[:left]
        left -= len(ends)
        for end in ends:
            yield bytes(rest + end)
            rest.clear()
        rest += begun
        del rest[MAX_BYTES + 1 :]


class OwnEvents:
    """The messages of a file or of standard input, in batches.

    ``most`` is the number of lines to read, if the file was checked. ``sent_before`` marks the lines that a
    resumed run has sent. ``refused`` says what happens with a line that the contract refuses: SEND, SKIP, or
    STOP, which ends the run before it. ``handed_out`` counts messages, ``skipped`` lines that are not sent.
    ``error`` says why the input was not read to its end.
    """

    def __init__(
        self, descriptor: int, refused: str, sent_before: bytearray, most: int | None = None
    ) -> None:
        self._descriptor = descriptor
        self._most = most
        self._refused = refused
        self._sent_before = sent_before
        self.check = Check()
        self.handed_out = 0
        self.skipped = 0
        self.error = ""

    def batches(self, max_entries: int, stop: threading.Event) -> Iterator[list[Message]]:
        """Yield batches within SQS's limits. While the input is silent, yield what there is, if only []."""
        batch: list[Message] = []
        size = 0
        for line in read_lines(self._descriptor, stop, self._most):
            message = None if line is None else self._next(line)
            if self.error:
                break
            if message is not None and size + message.size > MAX_BYTES:
                yield batch
                batch, size = [], 0
            if message is not None:
                batch.append(message)
                size += message.size
                self.handed_out += 1
            if line is None or len(batch) == max_entries:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _next(self, line: bytes) -> Message | None:
        number = self.check.lines
        if number < len(self._sent_before) and self._sent_before[number]:
            self.check.lines += 1
            return None
        message, reasons = self.check.add(line)
        if not reasons or (message is not None and self._refused == SEND):
            return message
        if self._refused == STOP:
            self.error = (
                f"Line {number + 1:,} is not an event: {', '.join(sorted(reasons))}.\n"
                "Sending has stopped before it. To leave out such lines: --refused skip\n"
                "To send them, so that the pipeline rejects them: --refused send"
            )
        else:
            self.skipped += 1
        return None


def _short(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else None
