"""Realistic filler: product text, reviews, addresses and click trails, made once and cut per event.

Writing 200 KB of JSON anew for each event would cost more than sending it. A run makes a stock of small JSON
objects instead; an event takes a stretch of it, from a random object to a random object, already serialised
and already escaped for the request that carries it.
"""

from bisect import bisect_right
from typing import NamedTuple

from producer.generate import vocabulary as words
from producer.generate.draws import KeyedRandom


class Stretch(NamedTuple):
    """Some objects of the stock, joined by commas: as JSON, and as they stand within a JSON string."""

    raw: memoryview
    escaped: memoryview


class Corpus:
    """A stock of at least ``size`` bytes of serialised JSON objects, and one of prose."""

    def __init__(self, key: bytes, size: int) -> None:
        draws = KeyedRandom(key, size)
        objects: list[bytes] = []
        total = 0
        while total < size:
            made = _OBJECTS[draws.below(len(_OBJECTS))](draws).encode("ascii")
            objects.append(made)
            total += len(made) + 1
        escaped = [escape(made) for made in objects]
        self._starts = _starts(objects)
        self._escaped_starts = _starts(escaped)
        self._raw = memoryview(b",".join(objects) + b",")
        self._escaped = memoryview(b",".join(escaped) + b",")
        prose = sentence(draws)
        while len(prose) <= max(map(len, objects)):
            prose += " " + sentence(draws)
        self._prose = prose.encode("ascii")

    def stretch(self, draws: KeyedRandom, room: int) -> Stretch:
        """As many objects in a row as have room in ``room`` bytes, which is at most the corpus's size."""
        last = bisect_right(self._starts, max(0, self._starts[-1] - room)) - 1
        first = draws.below(last + 1)
        # A stretch leaves out the comma after its last object.
        end = bisect_right(self._starts, self._starts[first] + room + 1) - 1
        if end <= first:
            return Stretch(self._raw[:0], self._escaped[:0])
        return Stretch(
            self._raw[self._starts[first] : self._starts[end] - 1],
            self._escaped[self._escaped_starts[first] : self._escaped_starts[end] - 1],
        )

    def prose(self, length: int) -> bytes:
        """``length`` bytes of text without quotes: at most as long as the longest object, which is the most
        that a stretch leaves of its room."""
        return self._prose[:length]


def escape(json_text: bytes) -> bytes:
    """JSON without backslashes and control characters, as it stands within a JSON string."""
    return json_text.replace(b'"', b'\\"')


def sentence(draws: KeyedRandom) -> str:
    """A sentence such as a customer writes about a product."""
    kinds = [words.OPENINGS, words.NOUNS, words.VERBS, words.ADVERBS, words.QUALITIES]
    if draws.below(3):
        kinds += [words.CONNECTIVES, ["the"], words.NOUNS, words.VERBS, words.QUALITIES]
    return " ".join([draws.pick(kind) for kind in kinds]) + "."


def product_name(draws: KeyedRandom) -> str:
    """A name such as ``Enamel Kettle, navy``."""
    return f"{draws.pick(words.ADJECTIVES)} {draws.pick(words.PRODUCTS)}, {draws.pick(words.COLOURS)}"


def sku(draws: KeyedRandom) -> str:
    """An article number such as ``KET-048213``."""
    return f"{draws.pick(words.PRODUCTS)[:3].upper()}-{draws.below(1_000_000):06}"


def click(draws: KeyedRandom) -> str:
    """One step of a click trail, as JSON."""
    return (
        f'{{"page":"/{draws.pick(words.PAGES)}/{draws.below(100_000)}","action":"{draws.pick(words.ACTIONS)}",'
        f'"ms":{draws.below(90_000)},"x":{draws.below(1920)},"y":{draws.below(1080)}}}'
    )


def _product(draws: KeyedRandom) -> str:
    text = " ".join(sentence(draws) for _ in range(2 + draws.below(4)))
    return (
        f'{{"sku":"{sku(draws)}","title":"{product_name(draws)}","text":"{text}",'
        f'"price_cents":{draws.below(20_000)},"stock":{draws.below(400)}}}'
    )


def _review(draws: KeyedRandom) -> str:
    text = " ".join(sentence(draws) for _ in range(1 + draws.below(5)))
    return (
        f'{{"sku":"{sku(draws)}","stars":{1 + draws.below(5)},"by":"{draws.pick(words.FIRST_NAMES)} '
        f'{draws.pick(words.LAST_NAMES)[0]}.","text":"{text}","helpful":{draws.below(60)}}}'
    )


def _address(draws: KeyedRandom) -> str:
    street, postcode, city, country = draws.pick(_ASCII_PLACES)
    return (
        f'{{"name":"{draws.pick(words.FIRST_NAMES)} {draws.pick(words.LAST_NAMES)}",'
        f'"street":"{street} {1 + draws.below(200)}","postcode":"{postcode}","city":"{city}",'
        f'"country":"{country}","phone":"+{draws.below(10**11):011}"}}'
    )


_ASCII_PLACES = [place for place in words.PLACES if "".join(place).isascii()]
# Of ten objects: three products, three reviews, three clicks, one address.
_OBJECTS = (_product, _product, _product, _review, _review, _review, click, click, click, _address)


def _starts(objects: list[bytes]) -> list[int]:
    starts = [0]
    for made in objects:
        starts.append(starts[-1] + len(made) + 1)
    return starts
