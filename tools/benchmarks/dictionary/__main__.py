"""``make dictionary FROM=archive|contract|events.jsonl``: add the next dictionary, if it saves anything."""

import os
import sys
from collections.abc import Mapping

from contract import SCHEMA
from storage import dictionary
from tools.benchmarks.cost.prices import price
from tools.benchmarks.dictionary import events, training
from tools.benchmarks.dictionary.from_contract import make_dictionary
from tools.benchmarks.dictionary.training import Stored
from tools.core.cli import run
from tools.core.errors import ToolError, UsageError
from tools.core.program import print_error, start
from tools.core.resources import Resources

_ARCHIVE, _CONTRACT = "archive", "contract"
_EXAMPLE = "For example: make dictionary FROM=archive, or FROM=events.jsonl with an event on each line"


def main(environment: Mapping[str, str]) -> int:
    """Make a dictionary and return the exit status."""
    source = environment.get("FROM", "")
    if source == _ARCHIVE:
        return run(Resources.find, lambda resources: _train(events.of_archive(resources)))
    try:
        if not source:
            raise UsageError("FROM= is missing: it names the events to learn from.", _EXAMPLE)
        if source == _CONTRACT:
            return _add(make_dictionary(SCHEMA))
        return _train(events.of_file(source))
    except ToolError as error:
        return print_error(error)
    except KeyboardInterrupt:
        return print_error(ToolError("Stopped. No dictionary was added."))


def _train(bodies: list[bytes]) -> int:
    half = len(bodies) // 2
    trained, judged = bodies[:half], bodies[half:]
    content = training.train(trained, next_number())
    now, then = training.stored(judged), training.stored(judged, content)
    print(f"trained on {len(trained):,} events, compared on {len(judged):,} others")
    for title, one in (("today", now), ("with the new dictionary", then)):
        print(f"{title:24} {_described(one)}")
    saved = (now.write_units - then.write_units) * price("dynamodb_million_writes")
    print(f"{'saves':24} {now.bytes - then.bytes:7.0f} bytes an event, {saved:.2f} USD per million events")
    if then.bytes > now.bytes * 0.95:
        sys.stderr.write("It saves less than 5%, so it was not added: each one must be kept for ever.\n")
        return 1
    return _add(content)


def _described(one: Stored) -> str:
    share = f"{one.share:.0%} of what was sent"
    return f"{one.bytes:7.0f} bytes an event ({share}), {one.write_units:.2f} write units"


def next_number() -> int:
    """Return the number of the next dictionary. 1 is zlib's."""
    return max(dictionary.numbered(), default=1) + 1


def _add(content: bytes) -> int:
    content = training.numbered(content, next_number())
    for number, existing in dictionary.numbered().items():
        if training.numbered(content, number) == existing.read_bytes():
            raise ToolError(f"This is {existing.name} already. No dictionary was added.")
    path = training.write(content, next_number())
    print(f"added {path.name}, {len(content):,} bytes. Commit it, then: make test && make deploy-aws")
    return 0


if __name__ == "__main__":
    start(lambda: main(os.environ))
