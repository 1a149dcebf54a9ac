from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.generate.messages import Message
from producer.send.batching import MAX_BYTES, MAX_ENTRIES, batched


def message(number: int, size: int) -> Message:
    return Message(
        number=number,
        raw=(),
        escaped=(),
        size=size,
        event_id=f"e{number}",
        event_type="activity",
        kind="activity",
        expect="stored",
        large_order=False,
    )


def message_sizes(*batches: list[Message]) -> list[list[int]]:
    return [[message.size for message in batch] for batch in batches]


def test_a_batch_has_at_most_ten_messages() -> None:
    assert [len(batch) for batch in batched(message(n, 100) for n in range(25))] == [10, 10, 5]


def test_a_smaller_maximum_is_respected() -> None:
    assert [len(batch) for batch in batched((message(n, 100) for n in range(5)), 2)] == [2, 2, 1]


def test_messages_of_exactly_1_mib_in_total_fit_in_one_batch() -> None:
    assert message_sizes(*batched([message(0, MAX_BYTES - 1), message(1, 1)])) == [[MAX_BYTES - 1, 1]]


def test_one_byte_above_1_mib_starts_another_batch() -> None:
    assert message_sizes(*batched([message(0, MAX_BYTES - 1), message(1, 2)])) == [[MAX_BYTES - 1], [2]]


def test_no_messages_give_no_batch() -> None:
    assert list(batched([])) == []


@pytest.mark.parametrize(("kb", "expected"), [(200, 5), (100, 10), (104, 9), (1024, 1)])
def test_a_batch_has_as_many_messages_as_fit(kb: int, expected: int) -> None:
    batches = list(batched(message(n, kb * 1024) for n in range(20)))
    assert len(batches[0]) == expected


@settings(deadline=None)
@given(st.lists(st.integers(1, MAX_BYTES), max_size=60), st.integers(1, MAX_ENTRIES))
def test_no_batch_exceeds_a_limit_and_no_message_is_lost(sizes: list[int], max_entries: int) -> None:
    messages = [message(number, size) for number, size in enumerate(sizes)]
    batches = list(batched(messages, max_entries))
    assert all(1 <= len(batch) <= max_entries for batch in batches)
    assert all(sum(each.size for each in batch) <= MAX_BYTES for batch in batches)
    assert [each for batch in batches for each in batch] == messages
