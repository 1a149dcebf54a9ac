"""Makes the messages of a run: message n of a run is the same bytes whoever makes it, and whenever."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b

import contract
from producer.generate import vocabulary as words
from producer.generate.catalogue import MOST_ITEMS, MOST_PIECES, Catalogue, money
from producer.generate.corpus import Corpus, escape
from producer.generate.draws import KeyedRandom
from producer.generate.faults import FAULTS, Fault, Fields, text_of
from producer.generate.messages import Message
from producer.generate.plan import Plan, Ratios, Role

# A seeded run must be the same whenever it is sent, so its events happened at a fixed time.
SEEDED_START = datetime(2026, 1, 1, tzinfo=UTC)
SEEDED_SPACING_US = 1_000
# Below this not every kind of event could be given the exact size that was asked for.
MIN_TARGET_BYTES = 1024

_EVENT_TYPES: list[str] = contract.SCHEMA["properties"]["event_type"]["enum"]
_PAYMENT = contract.SCHEMA["$defs"]["payment"]["properties"]
_METHODS: list[str] = _PAYMENT["method"]["enum"]
_STATUSES: list[str] = _PAYMENT["status"]["enum"]

_CUSTOMERS = 5_000
# What fills an event of natural size; with it events have 0.3 to 1.8 KB, 1 KB on average.
_FILLER_AT_LEAST, _FILLER_SPREAD = 450, 650
_HIGHEST_PAYMENT_CENTS = 2_000_00
# Among this many orders one lies on the threshold: 1000.00, which is not large, or 1000.01, which is.
_ONE_ON_THE_EDGE_IN = 50


@dataclass(frozen=True)
class RunSpec:
    """Everything that the bytes of a run's messages depend on.

    ``target_bytes`` is the exact size of every body, or 0 for the size that comes naturally (about 1 KB).
    Valid event n occurred n x ``spacing_us`` microseconds after ``start``, less up to a second of jitter.
    """

    seed: int
    start: datetime
    spacing_us: int = 0
    target_bytes: int = 0
    shares: Ratios = field(default_factory=Ratios)

    @property
    def key(self) -> bytes:
        """32 bytes that no other recipe has, so that two different runs never share an event_id."""
        parts = (
            self.seed,
            self.start.isoformat(),
            self.spacing_us,
            self.target_bytes,
            self.shares.invalid,
            self.shares.duplicate,
            self.shares.large,
        )
        return blake2b("|".join(map(str, parts)).encode(), digest_size=32).digest()


class Events:
    """Makes any message of a run from its number. Safe to share between threads."""

    def __init__(self, recipe: RunSpec) -> None:
        key = recipe.key
        self._start_ms = int(recipe.start.timestamp() * 1_000)
        self._spacing_us = recipe.spacing_us
        self._target = recipe.target_bytes
        self._catalogue = Catalogue()
        self._plan = Plan(recipe.shares, key)
        self._valid_key, self._invalid_key = key + b"valid", key + b"invalid"
        self._corpus = Corpus(key + b"corpus", max(200_000, 3 * self._target))

    def message(self, number: int) -> Message:
        """Message ``number`` of the run, counted from 0."""
        role, which = self._plan.role(number)
        if role is Role.INVALID:
            return self._invalid(number, which)
        event_type, large = self._plan.valid_event(which)
        draws = KeyedRandom(self._valid_key, which)
        fields = self._fields(event_type, large, draws, which)
        raw, escaped = self._assemble(fields, draws)
        copy = role is Role.COPY
        return Message(
            number=number,
            raw=raw,
            escaped=escaped,
            size=sum(map(len, raw)),
            event_id=draws.identity,
            event_type=event_type,
            kind="duplicate" if copy else event_type,
            expect="duplicate" if copy else "stored",
            large_order=large,
        )

    def _invalid(self, number: int, which: int) -> Message:
        fault = FAULTS[which % len(FAULTS)]
        draws = KeyedRandom(self._invalid_key, which)
        event_type = fault.event_type or _EVENT_TYPES[which % len(_EVENT_TYPES)]
        fields = self._fields(event_type, False, draws, which)
        fault.spoil(fields)
        raw, escaped = self._assemble(fields, draws, fault)
        return Message(
            number=number,
            raw=raw,
            escaped=escaped,
            size=sum(map(len, raw)),
            event_id=None if fault.unreadable else text_of(fields, "event_id"),
            event_type=None if fault.unreadable else text_of(fields, "event_type"),
            kind="invalid",
            expect="rejected",
            large_order=False,
        )

    def _fields(self, event_type: str, large: bool, draws: KeyedRandom, which: int) -> Fields:
        occurred_ms = self._start_ms + which * self._spacing_us // 1_000 - draws.below(1_000)
        fields = {
            "event_id": f'"{draws.identity}"',
            "event_type": f'"{event_type}"',
            "occurred_at": f'"{_timestamp(occurred_ms)}"',
            "customer_id": f'"cust-{draws.below(_CUSTOMERS):05}"',
        }
        if event_type == "order":
            _order(fields, large, draws, self._catalogue)
        elif event_type == "payment":
            _payment(fields, draws)
        else:
            _activity(fields, draws)
        return fields

    def _assemble(
        self, fields: Fields, draws: KeyedRandom, fault: Fault | None = None
    ) -> tuple[tuple[bytes | memoryview, ...], tuple[bytes | memoryview, ...]]:
        """The body in pieces, raw and escaped: the fields, then filler up to the size asked for."""
        prefix, suffix, cut = (fault.prefix, fault.suffix, fault.cut) if fault else ("", "", 0)
        written = ",".join([f'"{name}":{value}' for name, value in fields.items()])
        head = (
            f'{prefix}{{{written},"metadata":{{"channel":"{draws.pick(words.CHANNELS)}","seen":['
        ).encode()
        if not self._target:
            room = _FILLER_AT_LEAST + draws.below(_FILLER_SPREAD)
            filler = self._corpus.stretch(draws, room)
            tail = f"]}}}}{suffix}".encode()
            tail = tail[: len(tail) - cut]
            body = b"".join((head, filler.raw, tail))
            return (body,), (escape(body),)
        before_note, after_note = b'],"note":"', f'"}}}}{suffix}'.encode()
        after_note = after_note[: len(after_note) - cut]
        room = self._target - len(head) - len(before_note) - len(after_note)
        filler = self._corpus.stretch(draws, room)
        tail = before_note + self._corpus.prose(room - len(filler.raw)) + after_note
        return (head, filler.raw, tail), (escape(head), filler.escaped, escape(tail))


def _order(fields: Fields, large: bool, draws: KeyedRandom, catalogue: Catalogue) -> None:
    if draws.below(_ONE_ON_THE_EDGE_IN) == 0:
        bought = [(1, catalogue.just_above if large else catalogue.at_the_threshold)]
    else:
        bought = [(1, draws.pick(catalogue.luxuries))] if large else []
        for _ in range(len(bought), 1 + draws.below(MOST_ITEMS)):
            bought.append((1 + draws.below(MOST_PIECES), draws.pick(catalogue.articles)))
    fields["order_id"] = f'"ord-{draws.identity[:12]}"'
    fields["currency"] = f'"{draws.pick(words.CURRENCIES)}"'
    fields["amount"] = money(sum([quantity * article.cents for quantity, article in bought]))
    items = [
        f'{article.opening}{quantity},"unit_price":{money(article.cents)}}}' for quantity, article in bought
    ]
    fields["items"] = f"[{','.join(items)}]"
    fields["shipping_address"] = draws.pick(catalogue.addresses)


def _payment(fields: Fields, draws: KeyedRandom) -> None:
    fields["payment_id"] = f'"pay-{draws.identity[:12]}"'
    fields["order_id"] = f'"ord-{draws.identity[12:24]}"'
    fields["amount"] = money(1_00 + draws.below(_HIGHEST_PAYMENT_CENTS))
    fields["currency"] = f'"{draws.pick(words.CURRENCIES)}"'
    fields["method"] = f'"{draws.pick(_METHODS)}"'
    fields["status"] = f'"{draws.pick(_STATUSES)}"'


def _activity(fields: Fields, draws: KeyedRandom) -> None:
    fields["session_id"] = f'"ses-{draws.identity[:12]}"'
    fields["action"] = f'"{draws.pick(words.ACTIONS)}"'
    fields["page"] = f'"/{draws.pick(words.PAGES)}/{draws.below(100_000)}"'


def _timestamp(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1_000)
    return f"{_second(seconds)}.{rest:03}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
