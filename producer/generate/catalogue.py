"""The articles and addresses of the shop that the events come from.

A run serialises them once; each event chooses among them.
"""

from typing import NamedTuple

from producer.generate import vocabulary as words
from producer.generate.corpus import product_name, sku
from producer.generate.keyed_random import KeyedRandom

# Terraform's default of large_order_threshold; a large order is strictly above it.
LARGE_ORDER_CENTS = 1_000_00
# 4 items x 3 pieces x 80.00 stay below the threshold.
MAX_ITEMS, MAX_QUANTITY, _MAX_PRICE_CENTS = 4, 3, 80_00
_MAX_LARGE_PRICE_CENTS = 5_000_00


class Article(NamedTuple):
    """``item_prefix`` is an order item as JSON up to its quantity; ``cents`` is the price of one piece."""

    item_prefix: str
    cents: int


class Catalogue:
    """Small articles, large articles (one of which makes an order large), and addresses as JSON."""

    def __init__(self) -> None:
        random = KeyedRandom(b"catalogue", 0)
        self.articles = [
            _article(random, 1_00 + random.randbelow(_MAX_PRICE_CENTS - 1_00 + 1)) for _ in range(500)
        ]
        above = _MAX_LARGE_PRICE_CENTS - LARGE_ORDER_CENTS
        self.large_articles = [
            _article(random, LARGE_ORDER_CENTS + 1 + random.randbelow(above)) for _ in range(50)
        ]
        self.at_threshold = _article(random, LARGE_ORDER_CENTS)
        self.just_above_threshold = _article(random, LARGE_ORDER_CENTS + 1)
        self.addresses = [_address(random, place) for place in words.PLACE_NAMES for _ in range(10)]


def format_money(cents: int) -> str:
    """Return an amount as a JSON number with two decimals, computed without a float."""
    return f"{cents // 100}.{cents % 100:02}"


def _article(random: KeyedRandom, cents: int) -> Article:
    return Article(f'{{"sku":"{sku(random)}","name":"{product_name(random)}","quantity":', cents)


def _address(random: KeyedRandom, place: tuple[str, str, str, str]) -> str:
    street, postcode, city, country = place
    return (
        f'{{"name":"{random.choice(words.FIRST_NAMES)} {random.choice(words.LAST_NAMES)}",'
        f'"street":"{street} {1 + random.randbelow(200)}","postcode":"{postcode}",'
        f'"city":"{city}","country":"{country}"}}'
    )
