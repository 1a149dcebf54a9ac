"""Generates the messages of a run. Message n of a run has the same bytes in every process, at any time."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

import contract
from aws_http.connection import Bytes
from producer.generate.catalogue import Catalogue
from producer.generate.corpus import Corpus, escape
from producer.generate.generators import GENERATORS, Fields, Step
from producer.generate.journeys import BLOCK_EVENTS, Journeys
from producer.generate.keyed_random import KeyedRandom
from producer.generate.messages import DUPLICATE, INVALID, REJECTED, STORED, Message
from producer.generate.mutations import MUTATIONS, Mutation, string_field
from producer.generate.plan import Plan, Ratios, Role
from producer.generate.profiles import PROFILES, STEADY, Timetable

# Events of a seeded run occur at a fixed time, because the run must be the same whenever it is sent.
SEEDED_START = datetime(2026, 1, 1, tzinfo=UTC)
SEEDED_SPACING_US = 1_000
# Some events cannot be made smaller than this. An order of eight items fits without the articles' names.
MIN_TARGET_BYTES = 1024
_ITEM_NAME = re.compile(rb'(?<=,)"name":"[^"]*",(?="quantity":)')

# Bytes of filler without a target size; events then have 0.3 to 1.8 KB, 1 KB on average.
_MIN_FILLER_BYTES, _FILLER_SPREAD_BYTES = 450, 650


@dataclass(frozen=True)
class RunSpec:
    """Everything that the bytes of a run's messages depend on.

    ``target_bytes`` is the exact size of every body, or 0 for natural sizes (about 1 KB). Valid event n
    occurs n x ``spacing_us`` microseconds after ``start``, minus up to a second. With a ``span_ms``, the
    valid events of ``count`` messages occur in that time after ``start``, as often as ``profile`` says.
    A run with ``sessions`` contains that many whole sessions.
    """

    seed: int
    start: datetime
    spacing_us: int = 0
    target_bytes: int = 0
    ratios: Ratios = field(default_factory=Ratios)
    sessions: int = 0
    profile: str = STEADY
    span_ms: int = 0
    count: int = 0

    @property
    def key(self) -> bytes:
        """32 bytes unique to this specification, so that different runs never share an event_id.

        A steady run of 2,000 messages begins with those of a run of 1,000: ``count`` belongs to a span.
        """
        parts = (
            self.seed,
            self.start.isoformat(),
            self.spacing_us,
            self.target_bytes,
            self.ratios.invalid,
            self.ratios.duplicate,
            self.ratios.large,
            self.sessions,
            *((self.profile, self.span_ms, self.count) if self.span_ms else ()),
        )
        return blake2b("|".join(map(str, parts)).encode(), digest_size=32).digest()


class Events:
    """Generates any message of a run from its number. Threads may share an instance."""

    def __init__(self, spec: RunSpec) -> None:
        key = spec.key
        self._start_ms = int(spec.start.timestamp() * 1_000)
        self._spacing_us = spec.spacing_us
        self._target_bytes = spec.target_bytes
        self._plan = Plan(spec.ratios, key)
        self._valid_key, self._invalid_key = key + b"valid", key + b"invalid"
        catalogue = Catalogue()
        self._journeys = Journeys(spec.seed, self._valid_key, catalogue, self._plan.is_large, spec.sessions)
        # Invalid events are of separate journeys, so that no valid event refers to one of them.
        self._invalid_journeys = Journeys(spec.seed, self._invalid_key, catalogue, lambda _: False)
        self._times = None
        if spec.span_ms:
            valid = self._plan.count_valid(spec.count)
            self._times = Timetable(PROFILES[spec.profile], spec.span_ms, valid)
        self._corpus = Corpus(key + b"corpus", max(200_000, 3 * self._target_bytes))

    def message(self, number: int) -> Message:
        """Return message ``number`` of the run, counted from 0."""
        role, position = self._plan.role(number)
        if role is Role.INVALID:
            return self._invalid(number, position)
        step = self._journeys.step(position)
        random = KeyedRandom(self._valid_key, position)
        fields = self._fields(step, random, position)
        raw, escaped = self._assemble(fields, step.session.channel, random)
        copy = role is Role.COPY
        return Message(
            number=number,
            raw=raw,
            escaped=escaped,
            size=sum(map(len, raw)),
            event_id=random.hex_id,
            event_type=step.event_type,
            kind=DUPLICATE if copy else step.event_type,
            expect=DUPLICATE if copy else STORED,
            large_order=step.is_large_order,
        )

    def _invalid(self, number: int, position: int) -> Message:
        mutation = MUTATIONS[position % len(MUTATIONS)]
        random = KeyedRandom(self._invalid_key, position)
        event_type = mutation.event_type or contract.EVENT_TYPES[position % len(contract.EVENT_TYPES)]
        block = self._invalid_journeys.block(position // BLOCK_EVENTS)
        step = random.choice([step for step in block if step.event_type == event_type])
        fields = self._fields(step, random, position)
        mutation.apply(fields)
        raw, escaped = self._assemble(fields, step.session.channel, random, mutation)
        return Message(
            number=number,
            raw=raw,
            escaped=escaped,
            size=sum(map(len, raw)),
            event_id=None if mutation.unreadable else string_field(fields, "event_id"),
            event_type=None if mutation.unreadable else string_field(fields, "event_type"),
            kind=INVALID,
            expect=REJECTED,
            large_order=False,
        )

    def _fields(self, step: Step, random: KeyedRandom, position: int) -> Fields:
        return {
            "event_id": f'"{random.hex_id}"',
            "event_type": f'"{step.event_type}"',
            "occurred_at": f'"{_timestamp(self._occurred_ms(position, random))}"',
            "customer_id": f'"{step.session.customer_id}"',
            **GENERATORS[step.event_type].fields(step),
        }

    def _occurred_ms(self, position: int, random: KeyedRandom) -> int:
        if self._times:
            return self._start_ms + self._times.milliseconds(position, random.randbelow(1_000))
        # The steps of a session occur one after the other, however small the spacing is.
        early_ms = (BLOCK_EVENTS - position % BLOCK_EVENTS) * 1_000 // BLOCK_EVENTS
        return self._start_ms + position * self._spacing_us // 1_000 - early_ms

    def _assemble(
        self, fields: Fields, channel: str, random: KeyedRandom, mutation: Mutation | None = None
    ) -> tuple[tuple[Bytes, ...], tuple[Bytes, ...]]:
        """Return the body in pieces, raw and escaped: the fields, then filler up to the target size."""
        prefix, suffix, cut = (mutation.prefix, mutation.suffix, mutation.cut) if mutation else ("", "", 0)
        members = ",".join([f'"{name}":{value}' for name, value in fields.items()])
        head = f'{prefix}{{{members},"metadata":{{"channel":"{channel}","seen":['.encode()
        if not self._target_bytes:
            filler = self._corpus.excerpt(random, _MIN_FILLER_BYTES + random.randbelow(_FILLER_SPREAD_BYTES))
            tail = f"]}}}}{suffix}".encode()
            tail = tail[: len(tail) - cut]
            body = b"".join((head, filler.raw, tail))
            return (body,), (escape(body),)
        before_note, after_note = b'],"note":"', f'"}}}}{suffix}'.encode()
        after_note = after_note[: len(after_note) - cut]
        free_bytes = self._target_bytes - len(head) - len(before_note) - len(after_note)
        if free_bytes < 0:
            head = _ITEM_NAME.sub(b"", head)
            free_bytes = self._target_bytes - len(head) - len(before_note) - len(after_note)
        filler = self._corpus.excerpt(random, free_bytes)
        tail = before_note + self._corpus.prose(free_bytes - len(filler.raw)) + after_note
        return (head, filler.raw, tail), (escape(head), filler.escaped, escape(tail))


def _timestamp(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1_000)
    return f"{_format_second(seconds)}.{rest:03}Z"


@lru_cache(maxsize=64)
def _format_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
