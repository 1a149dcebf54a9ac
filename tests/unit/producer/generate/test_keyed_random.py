from __future__ import annotations

from collections import Counter

from producer.generate.keyed_random import KeyedRandom


def test_the_values_are_the_same_on_every_machine() -> None:
    random = KeyedRandom(b"key", 7)
    assert random.hex_id == "eeee1254bfdce3800df993e0d9eeee34"
    assert [random.randbelow(1000) for _ in range(5)] == [972, 493, 439, 651, 151]


def test_a_long_stream_stays_evenly_distributed() -> None:
    random = KeyedRandom(b"key", 0)
    counts = Counter(random.randbelow(10) for _ in range(20_000))
    assert all(1_800 < counts[value] < 2_200 for value in range(10))


def test_each_key_and_index_has_a_unique_id() -> None:
    ids = {KeyedRandom(key, index).hex_id for key in (b"a", b"b") for index in range(1000)}
    assert len(ids) == 2000


def test_choice_returns_each_of_the_options() -> None:
    assert {KeyedRandom(b"key", index).choice("abc") for index in range(50)} == set("abc")
