"""The shop that the events come from: its articles and its customers' addresses.

Written out once per run; an event then only picks among them.
"""

from typing import NamedTuple

from producer.generate import vocabulary as words
from producer.generate.corpus import product_name, sku
from producer.generate.draws import KeyedRandom

# Terraform's large_order_threshold unless changed; a large order is strictly above it.
LARGE_ORDER_CENTS = 1_000_00
# 4 items x 3 pieces x 80.00 stay below the threshold.
MOST_ITEMS, MOST_PIECES, _HIGHEST_PRICE_CENTS = 4, 3, 80_00
_HIGHEST_LARGE_PRICE_CENTS = 5_000_00


class Article(NamedTuple):
    """``opening`` is an order item as JSON up to its quantity; ``cents`` is the price of one."""

    opening: str
    cents: int


class Catalogue:
    """Articles that never make an order large, articles of which one is enough, and addresses as JSON."""

    def __init__(self) -> None:
        draws = KeyedRandom(b"catalogue", 0)
        self.articles = [
            _article(draws, 1_00 + draws.below(_HIGHEST_PRICE_CENTS - 1_00 + 1)) for _ in range(500)
        ]
        above = _HIGHEST_LARGE_PRICE_CENTS - LARGE_ORDER_CENTS
        self.luxuries = [_article(draws, LARGE_ORDER_CENTS + 1 + draws.below(above)) for _ in range(50)]
        self.at_the_threshold = _article(draws, LARGE_ORDER_CENTS)
        self.just_above = _article(draws, LARGE_ORDER_CENTS + 1)
        self.addresses = [_address(draws, place) for place in words.PLACES for _ in range(10)]


def money(cents: int) -> str:
    """An amount as JSON: from an integer to text, with two decimals and without a float on the way."""
    return f"{cents // 100}.{cents % 100:02}"


def _article(draws: KeyedRandom, cents: int) -> Article:
    return Article(f'{{"sku":"{sku(draws)}","name":"{product_name(draws)}","quantity":', cents)


def _address(draws: KeyedRandom, place: tuple[str, str, str, str]) -> str:
    street, postcode, city, country = place
    return (
        f'{{"name":"{draws.pick(words.FIRST_NAMES)} {draws.pick(words.LAST_NAMES)}",'
        f'"street":"{street} {1 + draws.below(200)}","postcode":"{postcode}",'
        f'"city":"{city}","country":"{country}"}}'
    )
