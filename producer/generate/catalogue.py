"""The articles and customers' addresses of the shop that the events come from.

A run serialises them once; each event chooses among them.
"""

from typing import NamedTuple

from producer.generate import vocabulary as words
from producer.generate.corpus import address_fields, product_name, sku
from producer.generate.keyed_random import KeyedRandom

# Terraform's default of large_order_threshold; a large order is strictly above it.
LARGE_ORDER_CENTS = 1_000_00
_MAX_PRICE, _MAX_LARGE_PRICE_CENTS = 250, 5_000_00
_MAX_ITEMS, _MAX_QUANTITY = 8, 9
# One order in this many lies at the threshold: 1000.00, which is not large, or 1000.01, which is large.
_THRESHOLD_ORDER_INTERVAL = 20
# The shop sells in euros wherever it has no other prices. A price is the same number in each currency.
_CURRENCIES = {"GB": "GBP", "US": "USD"}


class Article(NamedTuple):
    """``item_prefix`` is an order item as JSON up to its quantity; ``cents`` is the price of one piece."""

    sku: str
    item_prefix: str
    cents: int


class Address(NamedTuple):
    """An address as JSON, and the currency of its country."""

    text: str
    currency: str


class Basket(NamedTuple):
    """The items of an order as JSON, and their sum."""

    items: str
    cents: int


class Catalogue:
    """Small articles, large articles (one of which makes an order large), and addresses."""

    def __init__(self) -> None:
        random = KeyedRandom(b"catalogue", 0)
        # Many cheap articles and few expensive ones, each at a price such as 24.99.
        self.articles = [_article(random, (1 + skewed(random, _MAX_PRICE)) * 100 - 1) for _ in range(500)]
        above = _MAX_LARGE_PRICE_CENTS - LARGE_ORDER_CENTS
        self._large_articles = [
            _article(random, LARGE_ORDER_CENTS + 1 + random.randbelow(above)) for _ in range(50)
        ]
        self._at_threshold = _article(random, LARGE_ORDER_CENTS)
        self._just_above_threshold = _article(random, LARGE_ORDER_CENTS + 1)
        self.addresses = [_address(random, place) for place in words.PLACE_NAMES for _ in range(10)]

    def basket(self, random: KeyedRandom, wanted: Article, large: bool) -> Basket:
        """Return a basket with the article that the customer wanted, above the threshold if ``large``.

        Most baskets have one or two items and most items one piece; a few have many.
        """
        if random.randbelow(_THRESHOLD_ORDER_INTERVAL) == 0:
            article = self._just_above_threshold if large else self._at_threshold
            return _basket([(1, article)])
        lines = [(1, wanted)]
        total = wanted.cents
        while len(lines) < _MAX_ITEMS and random.randbelow(2):
            article = self.articles[skewed(random, len(self.articles))]
            quantity = 1
            while quantity < _MAX_QUANTITY and random.randbelow(4) == 0:
                quantity += 1
            total += quantity * article.cents
            if total > LARGE_ORDER_CENTS:
                break
            lines.append((quantity, article))
        if large:
            lines.append((1, random.choice(self._large_articles)))
        return _basket(lines)


def format_money(cents: int) -> str:
    """Return an amount as a JSON number with two decimals, computed without a float."""
    return f"{cents // 100}.{cents % 100:02}"


def skewed(random: KeyedRandom, bound: int) -> int:
    """Return an integer from 0 to ``bound`` - 1. Small ones are far more frequent than large ones."""
    return random.randbelow(1 + random.randbelow(bound))


def _basket(lines: list[tuple[int, Article]]) -> Basket:
    items = [
        f'{article.item_prefix}{quantity},"unit_price":{format_money(article.cents)}}}'
        for quantity, article in lines
    ]
    return Basket(f"[{','.join(items)}]", sum([quantity * article.cents for quantity, article in lines]))


def _article(random: KeyedRandom, cents: int) -> Article:
    number = sku(random)
    return Article(number, f'{{"sku":"{number}","name":"{product_name(random)}","quantity":', cents)


def _address(random: KeyedRandom, place: tuple[str, str, str, str]) -> Address:
    return Address(f"{{{address_fields(random, place)}}}", _CURRENCIES.get(place[-1], "EUR"))
