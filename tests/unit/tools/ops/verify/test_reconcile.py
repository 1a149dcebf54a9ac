from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tools.ops.factories import digest, duplicate, queued, rejected, sent, snapshot, stored
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


def test_each_message_is_counted_under_its_outcome() -> None:
    result = reconcile(
        [
            sent("1", "a"),
            sent("2", "a", "duplicate"),
            sent("3", "b", "rejected"),
            sent("4", "c"),
            sent("5", "d"),
        ],
        snapshot(
            stored=[stored("1", "a")],
            duplicates=[duplicate("2", "a")],
            rejected=[rejected("3", "b")],
            dead_lettered=[queued("4", "c")],
            queued=[queued("5", "d")],
        ),
    )
    assert result.outcomes == {STORED: 1, DUPLICATE: 1, REJECTED: 1, DEAD_LETTERED: 1, QUEUED: 1}
    assert result.accounted == result.sent == 5
    assert result.discrepancies == []


def test_the_users_own_valid_events_may_be_stored_duplicates_or_conflicts() -> None:
    sent_lines = [sent("1", "a", "any"), sent("2", "a", "any"), sent("3", "b", "any"), sent("4", "c", "any")]
    contents = snapshot(
        stored=[stored("0", "b"), stored("1", "a")],
        duplicates=[duplicate("2", "a"), duplicate("3", "b")],
        rejected=[rejected("4", "c")],
    )
    result = reconcile(sent_lines, contents)
    assert result.discrepancies == []
    assert result.outcomes == {STORED: 1, DUPLICATE: 2, REJECTED: 1}
    lost = reconcile([*sent_lines, sent("5", "d", "any")], contents)
    assert [each.kind for each in lost.discrepancies] == [LOST]


def rewritten(body: str) -> str:
    """Return a body as a LocalStack that rewrites bodies delivers it."""
    return f"{body} rewritten"


RUN = [sent("1", "a"), sent("2", "a", "duplicate"), sent("3", "b", "rejected"), sent("4", "c")]


def test_rewritten_bodies_are_matched_by_message_id_and_event_id() -> None:
    contents = snapshot(
        # A redrive gave the stored event a new message id.
        stored=[replace(stored("new", rewritten("a")), event_id="a")],
        duplicates=[replace(duplicate("2", rewritten("a")), event_id="a")],
        rejected=[replace(rejected("3", rewritten("b")), event_id=None)],
        queued=[queued("4", "c")],
    )
    result = reconcile(RUN, replace(contents, bodies_kept=False))
    assert result.outcomes == {STORED: 1, DUPLICATE: 1, REJECTED: 1, QUEUED: 1}
    assert result.discrepancies == []
    assert [item.event_id for item in result.stored] == ["a"]
    assert reconcile(RUN, contents).lost == 3


def test_lost_and_doubled_messages_are_found_although_bodies_are_rewritten() -> None:
    contents = snapshot(
        stored=[stored("1", rewritten("a"))],
        duplicates=[duplicate("1", rewritten("a"))],
        rejected=[rejected("3", rewritten("b"))],
        bodies_kept=False,
    )
    result = reconcile(RUN, contents)
    assert result.lost == 2
    assert {discrepancy.kind for discrepancy in result.discrepancies} == {LOST, DOUBLED}


def test_which_of_two_copies_is_stored_does_not_matter() -> None:
    result = reconcile(
        [sent("1", "a"), sent("2", "a", "duplicate")],
        snapshot(stored=[stored("2", "a")], duplicates=[duplicate("1", "a")]),
    )
    assert result.discrepancies == []


def test_a_missing_message_is_lost_and_named() -> None:
    result = reconcile([sent("1", "a"), sent("2", "a", "duplicate")], snapshot(stored=[stored("1", "a")]))
    assert result.lost == 1
    assert [(discrepancy.kind, discrepancy.name) for discrepancy in result.discrepancies] == [(LOST, "a")]
    assert "message 2" in result.discrepancies[0].what


def test_a_redelivery_counted_as_a_duplicate_of_itself_is_doubled() -> None:
    result = reconcile(
        [sent("1", "a")], snapshot(stored=[stored("1", "a")], duplicates=[duplicate("1", "a")])
    )
    assert [discrepancy.kind for discrepancy in result.discrepancies] == [DOUBLED]


def test_a_message_renamed_by_a_redrive_is_not_lost() -> None:
    result = reconcile([sent("1", "a")], snapshot(stored=[stored("renamed", "a")]))
    assert result.outcomes == {STORED: 1}
    assert result.discrepancies == []


def test_an_event_counted_again_after_a_redrive_is_neither_lost_nor_unexpected() -> None:
    result = reconcile(
        [sent("1", "a")], snapshot(stored=[stored("1", "a")], duplicates=[duplicate("renamed", "a")])
    )
    assert result.outcomes == {STORED: 1}
    assert result.recounted == 1
    assert result.discrepancies == []


def test_a_stored_event_with_a_queued_alert_is_counted_once() -> None:
    result = reconcile(
        [sent("1", "a")], snapshot(stored=[stored("1", "a")], dead_lettered=[queued("1", "a")])
    )
    assert result.outcomes == {STORED: 1}
    assert result.unfinished == 1
    assert result.discrepancies == []


def test_other_events_in_the_pipeline_are_not_counted() -> None:
    result = reconcile(
        [sent("1", "a")],
        snapshot(stored=[stored("1", "a"), stored("9", "z")], rejected=[rejected("8", "y")]),
    )
    assert result.outcomes == {STORED: 1}
    assert [item.event_id for item in result.stored] == ["a"]
    assert result.rejected == []


def test_a_rejected_event_that_was_expected_to_be_stored_is_unexpected() -> None:
    result = reconcile([sent("1", "a")], snapshot(rejected=[rejected("1", "a")]))
    assert [discrepancy.kind for discrepancy in result.discrepancies] == [UNEXPECTED]
    assert result.discrepancies[0].what == "expected 1 stored, but is 1 rejected"


def test_an_invalid_event_that_is_stored_is_unexpected_unless_it_was_replayed() -> None:
    invalid = sent("1", "a", "rejected")
    by_itself = reconcile([invalid], snapshot(stored=[stored("1", "a")]))
    replayed = reconcile([invalid], snapshot(stored=[stored("1", "a", replayed=True)]))
    assert [discrepancy.kind for discrepancy in by_itself.discrepancies] == [UNEXPECTED]
    assert replayed.discrepancies == []
    assert replayed.replayed == 1


def test_an_event_that_a_killed_producer_or_an_earlier_run_sent_before_is_a_duplicate_and_expected() -> None:
    before, copies = stored("earlier", "a"), [duplicate("1", "a"), duplicate("2", "a")]
    result = reconcile([sent("1", "a")], snapshot(stored=[before], duplicates=copies[:1]))
    assert (result.outcomes, result.recounted, result.discrepancies) == ({DUPLICATE: 1}, 1, [])
    twice = reconcile([sent("1", "a"), sent("2", "a")], snapshot(stored=[before], duplicates=copies))
    assert [discrepancy.kind for discrepancy in twice.discrepancies] == [UNEXPECTED]


def test_a_large_order_that_is_not_marked_as_one_is_unexpected() -> None:
    unmarked = reconcile([sent("1", "a", large=True)], snapshot(stored=[stored("1", "a")]))
    marked = reconcile([sent("1", "a", large=True)], snapshot(stored=[stored("1", "a", large_order=True)]))
    assert [discrepancy.kind for discrepancy in unmarked.discrepancies] == [UNEXPECTED]
    assert marked.discrepancies == []


def test_copies_in_a_dead_letter_queue_are_not_unexpected() -> None:
    result = reconcile(
        [sent("1", "a"), sent("2", "a", "duplicate")],
        snapshot(stored=[stored("2", "a")], dead_lettered=[queued("1", "a")]),
    )
    assert result.discrepancies == []


OUTCOME = st.sampled_from([*OUTCOMES, LOST])
CONTENTS = st.lists(st.lists(OUTCOME, min_size=1, max_size=4), min_size=1, max_size=6)


def _snapshot_with(contents: list[list[str]]) -> tuple[list[str], Snapshot]:
    """Return a snapshot with these outcomes of each content, and all outcomes. One message is stored."""
    all_outcomes: list[str] = []
    rows: dict[str, list[object]] = {
        name: [] for name in ("stored", "duplicates", "rejected", "dead_lettered", "queued")
    }
    for content, outcomes in enumerate(contents):
        for number, outcome in enumerate(outcomes):
            body, message_id = f"body-{content}", f"{content}-{number}"
            if outcome == STORED and STORED in outcomes[:number]:
                outcome = DUPLICATE
            all_outcomes.append(outcome)
            if outcome == STORED:
                rows["stored"].append(stored(message_id, body))
            elif outcome == DUPLICATE:
                rows["duplicates"].append(duplicate(message_id, body))
            elif outcome == REJECTED:
                rows["rejected"].append(rejected(message_id, body))
            elif outcome != LOST:
                name = "dead_lettered" if outcome == DEAD_LETTERED else "queued"
                rows[name].append(queued(message_id, body))
    return all_outcomes, snapshot(**rows)


@given(CONTENTS)
def test_each_message_is_counted_exactly_once(contents: list[list[str]]) -> None:
    outcomes, pipeline = _snapshot_with(contents)
    run = [sent(f"{n}-{m}", f"body-{n}") for n, copies in enumerate(contents) for m, _ in enumerate(copies)]
    result = reconcile(run, pipeline)
    assert result.outcomes == {outcome: outcomes.count(outcome) for outcome in set(outcomes)}
    assert result.outcomes.total() == result.sent
    assert result.recounted == 0


@given(CONTENTS, st.data())
def test_a_redrive_that_renames_messages_loses_none_of_them(
    contents: list[list[str]], data: st.DataObject
) -> None:
    outcomes, pipeline = _snapshot_with(contents)
    run = [
        sent(
            f"renamed-{n}-{m}" if data.draw(st.booleans()) else f"{n}-{m}",
            f"body-{n}",
        )
        for n, copies in enumerate(contents)
        for m, _ in enumerate(copies)
    ]
    result = reconcile(run, pipeline)
    assert result.lost == outcomes.count(LOST)
    assert result.outcomes.total() == result.sent


def test_messages_are_matched_by_their_hash_alone() -> None:
    result = reconcile([sent("1", "a")], snapshot(stored=[stored("1", "other", content_hash=digest("a"))]))
    assert result.outcomes == {STORED: 1}
