"""The generators of valid events, one for each event type of the contract.

A new event type is one function and one row of `GENERATORS` here.
"""

from collections.abc import Callable
from typing import NamedTuple

import contract
from producer.generate import vocabulary as words
from producer.generate.catalogue import MAX_ITEMS, MAX_QUANTITY, Catalogue, format_money
from producer.generate.keyed_random import KeyedRandom

# The fields of an event in their order. Each value is JSON text, so that amounts are never floats.
Fields = dict[str, str]

_PAYMENT = contract.SCHEMA["$defs"]["payment"]["properties"]
_METHODS: list[str] = _PAYMENT["method"]["enum"]
_STATUSES: list[str] = _PAYMENT["status"]["enum"]

_MAX_PAYMENT_CENTS = 2_000_00
# One order in this many lies at the threshold: 1000.00, which is not large, or 1000.01, which is large.
_THRESHOLD_ORDER_INTERVAL = 50


class EventContext(NamedTuple):
    """What a generator may use. ``large`` asks for a large order; other event types ignore it."""

    random: KeyedRandom
    catalogue: Catalogue
    large: bool


class Generator(NamedTuple):
    """Writes the fields of one event type.

    Of as many valid events as all weights together, ``weight`` have this type. Keep the sum of the weights
    at 8 or below, because `producer.generate.plan` enumerates the arrangements of such a block.
    """

    weight: int
    fields: Callable[[EventContext], Fields]


def _order(context: EventContext) -> Fields:
    random, catalogue, large = context
    if random.randbelow(_THRESHOLD_ORDER_INTERVAL) == 0:
        lines = [(1, catalogue.just_above_threshold if large else catalogue.at_threshold)]
    else:
        lines = [(1, random.choice(catalogue.large_articles))] if large else []
        for _ in range(len(lines), 1 + random.randbelow(MAX_ITEMS)):
            lines.append((1 + random.randbelow(MAX_QUANTITY), random.choice(catalogue.articles)))
    items = [
        f'{article.item_prefix}{quantity},"unit_price":{format_money(article.cents)}}}'
        for quantity, article in lines
    ]
    return {
        "order_id": f'"ord-{random.hex_id[:12]}"',
        "currency": f'"{random.choice(words.CURRENCIES)}"',
        "amount": format_money(sum([quantity * article.cents for quantity, article in lines])),
        "items": f"[{','.join(items)}]",
        "shipping_address": random.choice(catalogue.addresses),
    }


def _payment(context: EventContext) -> Fields:
    random = context.random
    return {
        "payment_id": f'"pay-{random.hex_id[:12]}"',
        "order_id": f'"ord-{random.hex_id[12:24]}"',
        "amount": format_money(1_00 + random.randbelow(_MAX_PAYMENT_CENTS)),
        "currency": f'"{random.choice(words.CURRENCIES)}"',
        "method": f'"{random.choice(_METHODS)}"',
        "status": f'"{random.choice(_STATUSES)}"',
    }


def _activity(context: EventContext) -> Fields:
    random = context.random
    return {
        "session_id": f'"ses-{random.hex_id[:12]}"',
        "action": f'"{random.choice(words.ACTIONS)}"',
        "page": f'"/{random.choice(words.PAGES)}/{random.randbelow(100_000)}"',
    }


GENERATORS: dict[str, Generator] = {
    contract.ORDER: Generator(2, _order),
    "payment": Generator(1, _payment),
    "activity": Generator(2, _activity),
}
