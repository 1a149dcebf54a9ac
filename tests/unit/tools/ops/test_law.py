from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tools.ops.builders import digest, duplicate, evidence, rejected, sent, stored, waiting
from tools.ops.verify.reconcile import (
    DEAD_LETTERED,
    DOUBLED,
    DUPLICATE,
    LOST,
    OUTCOMES,
    QUEUED,
    REJECTED,
    STORED,
    UNEXPECTED,
    reconcile,
)
from tools.ops.verify.snapshot import Snapshot


def test_every_copy_is_found_where_its_message_is() -> None:
    account = reconcile(
        [
            sent("1", "a"),
            sent("2", "a", "duplicate"),
            sent("3", "b", "rejected"),
            sent("4", "c"),
            sent("5", "d"),
        ],
        evidence(
            stored=[stored("1", "a")],
            duplicates=[duplicate("2", "a")],
            rejected=[rejected("3", "b")],
            dead_lettered=[waiting("4", "c")],
            queued=[waiting("5", "d")],
        ),
    )
    assert account.copies == {STORED: 1, DUPLICATE: 1, REJECTED: 1, DEAD_LETTERED: 1, QUEUED: 1}
    assert account.accounted == account.sent == 5
    assert account.findings == []


def rewritten(body: str) -> str:
    """A body as a LocalStack hands it to the function that rewrites bodies."""
    return f"{body} rewritten"


RUN = [sent("1", "a"), sent("2", "a", "duplicate"), sent("3", "b", "rejected"), sent("4", "c")]


def test_where_bodies_are_rewritten_copies_are_found_by_message_id_and_event_id() -> None:
    found = evidence(
        # A redrive gave the stored one a new message id.
        stored=[replace(stored("new", rewritten("a")), event_id="a")],
        duplicates=[replace(duplicate("2", rewritten("a")), event_id="a")],
        rejected=[replace(rejected("3", rewritten("b")), event_id=None)],
        queued=[waiting("4", "c")],
    )
    account = reconcile(RUN, replace(found, bodies_kept=False))
    assert account.copies == {STORED: 1, DUPLICATE: 1, REJECTED: 1, QUEUED: 1}
    assert account.findings == []
    assert [item.event_id for item in account.stored] == ["a"]
    assert reconcile(RUN, found).lost == 3


def test_where_bodies_are_rewritten_a_loss_and_a_double_are_found_all_the_same() -> None:
    found = evidence(
        stored=[stored("1", rewritten("a"))],
        duplicates=[duplicate("1", rewritten("a"))],
        rejected=[rejected("3", rewritten("b"))],
        bodies_kept=False,
    )
    account = reconcile(RUN, found)
    assert account.lost == 2
    assert {finding.kind for finding in account.findings} == {LOST, DOUBLED}


def test_which_of_two_copies_is_stored_does_not_matter() -> None:
    account = reconcile(
        [sent("1", "a"), sent("2", "a", "duplicate")],
        evidence(stored=[stored("2", "a")], duplicates=[duplicate("1", "a")]),
    )
    assert account.findings == []


def test_a_message_that_is_nowhere_is_lost_and_named() -> None:
    account = reconcile([sent("1", "a"), sent("2", "a", "duplicate")], evidence(stored=[stored("1", "a")]))
    assert account.lost == 1
    assert [(finding.kind, finding.name) for finding in account.findings] == [(LOST, "a")]
    assert "message 2" in account.findings[0].what


def test_a_redelivery_counted_as_a_duplicate_of_itself_is_doubled() -> None:
    account = reconcile(
        [sent("1", "a")], evidence(stored=[stored("1", "a")], duplicates=[duplicate("1", "a")])
    )
    assert [finding.kind for finding in account.findings] == [DOUBLED]


def test_a_message_renamed_by_a_redrive_is_not_lost() -> None:
    account = reconcile([sent("1", "a")], evidence(stored=[stored("renamed", "a")]))
    assert account.copies == {STORED: 1}
    assert account.findings == []


def test_an_event_counted_again_after_a_redrive_is_neither_lost_nor_unexpected() -> None:
    account = reconcile(
        [sent("1", "a")], evidence(stored=[stored("1", "a")], duplicates=[duplicate("renamed", "a")])
    )
    assert account.copies == {STORED: 1}
    assert account.recounted == 1
    assert account.findings == []


def test_a_stored_event_that_still_waits_for_its_alert_is_counted_once() -> None:
    account = reconcile(
        [sent("1", "a")], evidence(stored=[stored("1", "a")], dead_lettered=[waiting("1", "a")])
    )
    assert account.copies == {STORED: 1}
    assert account.unfinished == 1
    assert account.findings == []


def test_other_events_in_the_pipeline_are_no_part_of_the_run() -> None:
    account = reconcile(
        [sent("1", "a")],
        evidence(stored=[stored("1", "a"), stored("9", "z")], rejected=[rejected("8", "y")]),
    )
    assert account.copies == {STORED: 1}
    assert [item.event_id for item in account.stored] == ["a"]
    assert account.rejected == []


def test_a_rejected_event_that_was_to_be_stored_is_unexpected() -> None:
    account = reconcile([sent("1", "a")], evidence(rejected=[rejected("1", "a")]))
    assert [finding.kind for finding in account.findings] == [UNEXPECTED]
    assert account.findings[0].what == "was to be 1 stored, but is 1 rejected"


def test_an_invalid_event_that_is_stored_is_unexpected_unless_it_was_replayed() -> None:
    invalid = sent("1", "a", "rejected")
    by_itself = reconcile([invalid], evidence(stored=[stored("1", "a")]))
    replayed = reconcile([invalid], evidence(stored=[stored("1", "a", replayed=True)]))
    assert [finding.kind for finding in by_itself.findings] == [UNEXPECTED]
    assert replayed.findings == []
    assert replayed.replayed == 1


def test_an_event_that_was_stored_before_the_run_is_unexpected() -> None:
    account = reconcile(
        [sent("1", "a")], evidence(stored=[stored("earlier", "a")], duplicates=[duplicate("1", "a")])
    )
    assert account.copies == {DUPLICATE: 1}
    assert [finding.kind for finding in account.findings] == [UNEXPECTED]


def test_a_large_order_that_is_not_marked_as_one_is_unexpected() -> None:
    unmarked = reconcile([sent("1", "a", large=True)], evidence(stored=[stored("1", "a")]))
    marked = reconcile([sent("1", "a", large=True)], evidence(stored=[stored("1", "a", large_order=True)]))
    assert [finding.kind for finding in unmarked.findings] == [UNEXPECTED]
    assert marked.findings == []


def test_copies_in_a_dead_letter_queue_are_not_unexpected() -> None:
    account = reconcile(
        [sent("1", "a"), sent("2", "a", "duplicate")],
        evidence(stored=[stored("2", "a")], dead_lettered=[waiting("1", "a")]),
    )
    assert account.findings == []


ONE_COPY = st.sampled_from([*OUTCOMES, LOST])
CONTENTS = st.lists(st.lists(ONE_COPY, min_size=1, max_size=4), min_size=1, max_size=6)


def _pipeline_with(contents: list[list[str]]) -> tuple[list[str], Snapshot]:
    """A pipeline in which each copy of each content is where the lists say, at most one of them stored."""
    places: list[str] = []
    found: dict[str, list[object]] = {
        name: [] for name in ("stored", "duplicates", "rejected", "dead", "queued")
    }
    for content, copies in enumerate(contents):
        for copy, place in enumerate(copies):
            body, message_id = f"body-{content}", f"{content}-{copy}"
            if place == STORED and STORED in copies[:copy]:
                place = DUPLICATE
            places.append(place)
            if place == STORED:
                found["stored"].append(stored(message_id, body))
            elif place == DUPLICATE:
                found["duplicates"].append(duplicate(message_id, body))
            elif place == REJECTED:
                found["rejected"].append(rejected(message_id, body))
            elif place != LOST:
                found["dead" if place == DEAD_LETTERED else "queued"].append(waiting(message_id, body))
    dead = found.pop("dead")
    return places, evidence(**found, dead_lettered=dead)


@given(CONTENTS)
def test_whatever_happens_each_copy_is_counted_exactly_once(contents: list[list[str]]) -> None:
    places, found = _pipeline_with(contents)
    run = [sent(f"{n}-{m}", f"body-{n}") for n, copies in enumerate(contents) for m, _ in enumerate(copies)]
    account = reconcile(run, found)
    assert account.copies == {place: places.count(place) for place in set(places)}
    assert account.copies.total() == account.sent
    assert account.recounted == 0


@given(CONTENTS, st.data())
def test_a_redrive_that_renames_messages_loses_none_of_them(
    contents: list[list[str]], data: st.DataObject
) -> None:
    places, found = _pipeline_with(contents)
    run = [
        sent(
            f"renamed-{n}-{m}" if data.draw(st.booleans()) else f"{n}-{m}",
            f"body-{n}",
        )
        for n, copies in enumerate(contents)
        for m, _ in enumerate(copies)
    ]
    account = reconcile(run, found)
    assert account.lost == places.count(LOST)
    assert account.copies.total() == account.sent


def test_the_hash_alone_says_which_events_belong_together() -> None:
    account = reconcile([sent("1", "a")], evidence(stored=[stored("1", "other", content_hash=digest("a"))]))
    assert account.copies == {STORED: 1}
