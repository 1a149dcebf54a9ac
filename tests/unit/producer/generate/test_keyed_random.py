from __future__ import annotations

from collections import Counter

from producer.generate.draws import KeyedRandom


def test_draws_are_the_same_on_every_machine() -> None:
    draws = KeyedRandom(b"key", 7)
    assert draws.identity == "eeee1254bfdce3800df993e0d9eeee34"
    assert [draws.below(1000) for _ in range(5)] == [972, 493, 439, 651, 151]


def test_draws_go_on_for_as_long_as_they_are_asked() -> None:
    draws = KeyedRandom(b"key", 0)
    counts = Counter(draws.below(10) for _ in range(20_000))
    assert all(1_800 < counts[value] < 2_200 for value in range(10))


def test_another_key_or_index_gives_another_identity() -> None:
    identities = {KeyedRandom(key, index).identity for key in (b"a", b"b") for index in range(1000)}
    assert len(identities) == 2000


def test_a_pick_is_one_of_the_choices() -> None:
    assert {KeyedRandom(b"key", index).pick("abc") for index in range(50)} == set("abc")
