"""Realistic filler: product texts, reviews, addresses and clicks, serialised once per run.

Writing 200 KB of JSON for each event costs more than sending it. A run therefore writes many small JSON
objects once. Each event takes a random range of them, already serialised and already escaped.
"""

from bisect import bisect_right
from typing import NamedTuple

from producer.generate import vocabulary as words
from producer.generate.keyed_random import KeyedRandom


class Excerpt(NamedTuple):
    """Some objects of the corpus, joined by commas: as JSON, and escaped for use in a JSON string."""

    raw: memoryview
    escaped: memoryview


class Corpus:
    """At least ``size`` bytes of serialised JSON objects, and some prose."""

    def __init__(self, key: bytes, size: int) -> None:
        random = KeyedRandom(key, size)
        objects: list[bytes] = []
        total = 0
        while total < size:
            write_object = _OBJECT_WRITERS[random.randbelow(len(_OBJECT_WRITERS))]
            objects.append(write_object(random).encode("ascii"))
            total += len(objects[-1]) + 1
        escaped = [escape(each) for each in objects]
        self._starts = _starts(objects)
        self._escaped_starts = _starts(escaped)
        self._raw = memoryview(b",".join(objects) + b",")
        self._escaped = memoryview(b",".join(escaped) + b",")
        prose = sentence(random)
        while len(prose) <= max(map(len, objects)):
            prose += " " + sentence(random)
        self._prose = prose.encode("ascii")

    def excerpt(self, random: KeyedRandom, max_bytes: int) -> Excerpt:
        """Return as many consecutive objects as fit into ``max_bytes``, at most the corpus's size."""
        last = bisect_right(self._starts, max(0, self._starts[-1] - max_bytes)) - 1
        first = random.randbelow(last + 1)
        # An excerpt leaves out the comma after its last object.
        end = bisect_right(self._starts, self._starts[first] + max_bytes + 1) - 1
        if end <= first:
            return Excerpt(self._raw[:0], self._escaped[:0])
        return Excerpt(
            self._raw[self._starts[first] : self._starts[end] - 1],
            self._escaped[self._escaped_starts[first] : self._escaped_starts[end] - 1],
        )

    def prose(self, length: int) -> bytes:
        """Return ``length`` bytes of text without quotes.

        ``length`` is at most that of the longest object, which is the most that an excerpt leaves unused.
        """
        return self._prose[:length]


def escape(json_text: bytes) -> bytes:
    """Escape JSON without backslashes and control characters for use in a JSON string."""
    return json_text.replace(b'"', b'\\"')


def sentence(random: KeyedRandom) -> str:
    """Return a sentence such as a customer writes about a product."""
    word_lists = [words.OPENINGS, words.NOUNS, words.VERBS, words.ADVERBS, words.QUALITIES]
    if random.randbelow(3):
        word_lists += [words.CONNECTIVES, ["the"], words.NOUNS, words.VERBS, words.QUALITIES]
    return " ".join([random.choice(word_list) for word_list in word_lists]) + "."


def product_name(random: KeyedRandom) -> str:
    """Return a name such as ``Enamel Kettle, navy``."""
    adjective, product = random.choice(words.ADJECTIVES), random.choice(words.PRODUCTS)
    return f"{adjective} {product}, {random.choice(words.COLOURS)}"


def sku(random: KeyedRandom) -> str:
    """Return an article number such as ``KET-048213``."""
    return f"{random.choice(words.PRODUCTS)[:3].upper()}-{random.randbelow(1_000_000):06}"


def address_fields(random: KeyedRandom, place: tuple[str, str, str, str]) -> str:
    """Return the fields of an address in one of `vocabulary.PLACE_NAMES`, as JSON."""
    street, postcode, city, country = place
    return (
        f'"name":"{random.choice(words.FIRST_NAMES)} {random.choice(words.LAST_NAMES)}",'
        f'"street":"{street} {1 + random.randbelow(200)}","postcode":"{postcode}",'
        f'"city":"{city}","country":"{country}"'
    )


def _click(random: KeyedRandom) -> str:
    page, page_id = random.choice(words.PAGES), random.randbelow(100_000)
    return (
        f'{{"page":"/{page}/{page_id}","action":"{random.choice(words.ACTIONS)}",'
        f'"ms":{random.randbelow(90_000)},"x":{random.randbelow(1920)},"y":{random.randbelow(1080)}}}'
    )


def _product(random: KeyedRandom) -> str:
    text = " ".join(sentence(random) for _ in range(2 + random.randbelow(4)))
    return (
        f'{{"sku":"{sku(random)}","title":"{product_name(random)}","text":"{text}",'
        f'"price_cents":{random.randbelow(20_000)},"stock":{random.randbelow(400)}}}'
    )


def _review(random: KeyedRandom) -> str:
    text = " ".join(sentence(random) for _ in range(1 + random.randbelow(5)))
    return (
        f'{{"sku":"{sku(random)}","stars":{1 + random.randbelow(5)},'
        f'"by":"{random.choice(words.FIRST_NAMES)} {random.choice(words.LAST_NAMES)[0]}.",'
        f'"text":"{text}","helpful":{random.randbelow(60)}}}'
    )


def _address(random: KeyedRandom) -> str:
    fields = address_fields(random, random.choice(_ASCII_PLACES))
    return f'{{{fields},"phone":"+{random.randbelow(10**11):011}"}}'


_ASCII_PLACES = [place for place in words.PLACE_NAMES if "".join(place).isascii()]
# Of ten objects: three products, three reviews, three clicks, one address.
_OBJECT_WRITERS = (
    *(_product, _product, _product),
    *(_review, _review, _review),
    *(_click, _click, _click),
    _address,
)


def _starts(objects: list[bytes]) -> list[int]:
    starts = [0]
    for each in objects:
        starts.append(starts[-1] + len(each) + 1)
    return starts
