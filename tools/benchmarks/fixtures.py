"""The measured events. They are frozen in ``bodies.json.xz``, so that results of different versions compare.

The file has the fields of events, and 1 MB of JSON objects that fill a body up to its size: product texts,
reviews, clicks and addresses.
"""

import json
import lzma
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

# The seed of benchmarks that run the producer.
SEED = 2026
BATCH = 10
KB = 1024
# The kinds of events that a benchmark can ask for.
VALID, LARGE, INVALID = "valid", "large", "invalid"

_FILE = Path(__file__).with_name("bodies.json.xz")
# Of 50 events 20 are orders, and one of these is large.
_LARGE_INTERVAL = 50
# The other fields of a record (Lambda developer guide, "Using Lambda with Amazon SQS").
_RECORD: dict[str, Any] = json.loads(Path(__file__).with_name("record.json").read_text("utf-8"))
# Two events begin this far apart in the filler: a prime, so that they differ.
_STRIDE = 104_729


class _Bodies(NamedTuple):
    """``heads`` are the fields of events by kind, each with the text after the filler."""

    heads: dict[str, list[tuple[str, str]]]
    filler: str
    note: str


@cache
def _bodies() -> _Bodies:
    bodies = _Bodies(**json.loads(lzma.decompress(_FILE.read_bytes())))
    return bodies._replace(filler=f"{bodies.filler},{bodies.filler}")


def generate_bodies(kb: float, kind: str | None = None) -> Iterator[str]:
    """Yield bodies of ``kb`` x 1,024 bytes without end, of one kind or mixed.

    The mix has 5% large orders among the orders, and no invalid events.
    """
    return (_body(number, kind, round(kb * KB)) for number in count())


def _body(number: int, kind: str | None, size: int) -> str:
    bodies = _bodies()
    if kind is None:
        kind = LARGE if number % _LARGE_INTERVAL == _LARGE_INTERVAL - 1 else VALID
    heads = bodies.heads[kind]
    head, end = heads[number % len(heads)]
    head = head.replace("$event_id", blake2b(b"%d" % number, digest_size=16).hexdigest())
    end = f'],"note":"$note{end}'
    free = size - len(head.encode()) - len(end.encode()) + len("$note")
    filler = _filler(bodies.filler, number, free)
    return head + filler + end.replace("$note", bodies.note[: free - len(filler)])


def _filler(text: str, number: int, size: int) -> str:
    """Return whole objects of the filler, which is ASCII, in up to ``size`` bytes."""
    start = text.find("},{", number * _STRIDE % (len(text) // 2)) + 2
    end = text.rfind("},{", start, start + size + 2)
    return text[start : max(start, end + 1)]


def lambda_events(
    kb: float, batches: int, kind: str | None = None, size: int = BATCH
) -> list[dict[str, Any]]:
    """Return the events of ``batches`` invocations by an SQS event source mapping."""
    records = (_record(*numbered) for numbered in enumerate(generate_bodies(kb, kind)))
    return [{"Records": list(islice(records, size))} for _ in range(batches)]


def write_lambda_events(
    path: Path, kb: float, batches: int, kind: str | None = None, size: int = BATCH
) -> Path:
    """Write `lambda_events` to a file, one per line. Return the file."""
    path.write_text("".join(json.dumps(event) + "\n" for event in lambda_events(kb, batches, kind, size)))
    return path


def _record(number: int, body: str) -> dict[str, Any]:
    return {"messageId": f"00000000-0000-4000-8000-{number:012}", "body": body, **_RECORD}
