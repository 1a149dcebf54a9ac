"""The journeys of shoppers, in blocks of a fixed number of valid events.

A block contains whole sessions, each from its first page to its last payment. An event therefore depends on
its own block alone, and any process can generate any event. Every block has the same number of sessions,
orders and payments, so that the ratios of a run are exact.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from contract import ORDER
from producer.generate import vocabulary as words
from producer.generate.catalogue import Catalogue, skewed
from producer.generate.generators import ACTIVITY, GENERATORS, PAYMENT, Session, Step
from producer.generate.keyed_random import KeyedRandom, T

# How many actions of the funnel the sessions of a block reach. The last ones buy: 8 of 18, far more than in
# a real shop, because a test needs orders.
_DEPTHS = (1, 1, 1, 2, 2, 3, 3, 4, 4, 5, *[5] * 8)
_PAYMENTS = (
    *[("authorized", "captured")] * 5,
    ("failed", "authorized", "captured"),
    ("authorized", "captured", "refunded"),
    ("failed",),
)
# Further actions, most of them of a few sessions.
_EXTRA_ACTIONS = 9
_ADDED = [name for name, generator in GENERATORS.items() for _ in range(generator.per_block)]
BLOCK_SESSIONS, BLOCK_ORDERS = len(_DEPTHS), len(_PAYMENTS)
BLOCK_EVENTS = sum(_DEPTHS) + _EXTRA_ACTIONS + BLOCK_ORDERS + sum(map(len, _PAYMENTS)) + len(_ADDED)
_FIRST_BUYER = BLOCK_SESSIONS - BLOCK_ORDERS
_CUSTOMERS = 5_000
_METHODS = ("card", "card", "card", "paypal", "paypal", "wallet", "bank_transfer")
# Events of a block from one step of a session to the next, and from a payment to its refund.
_MAX_GAP, _REFUND_GAP = 6, 40


class _Act(NamedTuple):
    """A step of a block before its session is known: ``session`` is its number in the block."""

    time: int
    session: int
    place: int
    event_type: str
    detail: str = ""
    attempt: int = 0


class Journeys:
    """Returns the step of each valid event. ``is_large`` says which orders of the run are large.

    ``seed`` decides what happens, and ``key`` to whom. The run ends with its ``sessions``-th session if that
    is not 0. Threads may share an instance.
    """

    def __init__(
        self,
        seed: int,
        key: bytes,
        catalogue: Catalogue,
        is_large: Callable[[int], bool],
        sessions: int = 0,
    ) -> None:
        self._seed = seed
        self._session_key, self._basket_key = key + b"session", key + b"basket"
        self._catalogue = catalogue
        self._is_large = is_large
        self._sessions = sessions
        # Copies repeat events of the latest blocks.
        self.block = lru_cache(maxsize=16)(self._build)

    def step(self, position: int) -> Step:
        """Return the step at a position among the valid events."""
        block, offset = divmod(position, BLOCK_EVENTS)
        return self.block(block)[offset]

    def _build(self, number: int) -> list[Step]:
        """Return the steps of a block in the order in which they occur."""
        first = number * BLOCK_SESSIONS
        sessions = [self._session(first + index) for index in range(BLOCK_SESSIONS)]
        acts = _act_block(self._seed, number)
        order = number * BLOCK_ORDERS
        for act in acts:
            if act.event_type == ORDER:
                session = sessions[act.session]
                session.basket = self._catalogue.basket(
                    KeyedRandom(self._basket_key, order), session.wanted, self._is_large(order)
                )
                order += 1
        known = self._sessions - first if self._sessions else BLOCK_SESSIONS
        return [
            Step(event_type, sessions[session], detail, attempt)
            for _, session, _, event_type, detail, attempt in acts
            if session < known
        ]

    def _session(self, number: int) -> Session:
        random = KeyedRandom(self._session_key, number)
        # Some customers come often. A customer has one address, and with it one currency.
        customer = skewed(random, 1 + skewed(random, _CUSTOMERS))
        catalogue = self._catalogue
        return Session(
            hex_id=random.hex_id,
            customer_id=f"cust-{customer:05}",
            address=catalogue.addresses[customer * 7 % len(catalogue.addresses)],
            channel=random.choice(words.CHANNELS),
            method=random.choice(_METHODS),
            wanted=catalogue.articles[skewed(random, len(catalogue.articles))],
        )


def count_events(seed: int, sessions: int) -> int:
    """Return the number of valid events of the first ``sessions`` sessions of a run."""
    blocks, rest = divmod(sessions, BLOCK_SESSIONS)
    return blocks * BLOCK_EVENTS + sum(act.session < rest for act in _act_block(seed, blocks))


def _act_block(seed: int, number: int) -> list[_Act]:
    random = KeyedRandom(b"block %d" % seed, number)
    ranks, payments = _shuffled(random, range(BLOCK_SESSIONS)), _shuffled(random, _PAYMENTS)
    actions = [list(words.FUNNEL[: _DEPTHS[rank]]) for rank in ranks]
    lively = list(range(BLOCK_SESSIONS))
    for _ in range(_EXTRA_ACTIONS):
        index = random.choice(lively)
        lively += (index, index)
        _add_action(random, actions[index])
    acts: list[_Act] = []
    for index, rank in enumerate(ranks):
        steps = [(ACTIVITY, action, 0) for action in actions[index]]
        buyer = rank - _FIRST_BUYER
        if buyer >= 0:
            steps += _purchase(payments[buyer], _ADDED[buyer::BLOCK_ORDERS])
        time = index * BLOCK_EVENTS // BLOCK_SESSIONS
        for place, step in enumerate(steps):
            time += _REFUND_GAP if step[1] == "refunded" else 1 + random.randbelow(_MAX_GAP)
            acts.append(_Act(time, index, place, *step))
    acts.sort()
    return acts


def _add_action(random: KeyedRandom, actions: list[str]) -> None:
    """Repeat an action of a session, or add one that is not of the funnel. It gets no further by that."""
    other = random.randbelow(len(actions) + len(words.OTHER_ACTIONS))
    if other < len(actions):
        actions.insert(other + 1, actions[other])
    else:
        actions.insert(1 + random.randbelow(len(actions)), words.OTHER_ACTIONS[other - len(actions)])


def _purchase(statuses: Sequence[str], added: Sequence[str]) -> list[tuple[str, str, int]]:
    steps = [(ORDER, "", 0)]
    attempt = 0
    for status in statuses:
        steps.append((PAYMENT, status, attempt))
        attempt += status == "failed"
    return steps + [(event_type, "", 0) for event_type in added]


def _shuffled(random: KeyedRandom, items: Sequence[T]) -> list[T]:
    shuffled = list(items)
    for last in range(len(shuffled) - 1, 0, -1):
        other = random.randbelow(last + 1)
        shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
    return shuffled
