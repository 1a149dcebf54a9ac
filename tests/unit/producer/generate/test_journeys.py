from __future__ import annotations

from collections import Counter, defaultdict
from fractions import Fraction
from functools import cache
from typing import Any

import pytest

import contract
from producer.generate import vocabulary as words
from producer.generate.events import SEEDED_SPACING_US, SEEDED_START, Events, RunSpec
from producer.generate.journeys import BLOCK_EVENTS, BLOCK_ORDERS, BLOCK_SESSIONS, count_events
from producer.generate.plan import Ratios
from producer.generate.profiles import PROFILES

MIXED = Ratios(Fraction("0.1"), Fraction("0.1"), Fraction("0.2"))
COUNT = 5_000
# Two runs: at one moment, and over a day.
SPECS = {
    "steady": RunSpec(7, SEEDED_START, SEEDED_SPACING_US, 0, MIXED),
    "day": RunSpec(7, SEEDED_START, 0, 0, MIXED, profile="day", span_ms=24 * 3_600_000, count=COUNT),
}


@cache
def sent(profile: str) -> list[tuple[str, dict[str, Any]]]:
    """The kind and the event of each message of a run that has an event, in the order of sending."""
    events = Events(SPECS[profile])
    messages = [events.message(number) for number in range(COUNT)]
    return [
        (message.kind, contract.decode(message.body)) for message in messages if message.kind != "invalid"
    ]


def valid(profile: str) -> list[dict[str, Any]]:
    return [event for kind, event in sent(profile) if kind != "duplicate"]


@pytest.fixture(params=SPECS)
def events(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    return valid(request.param)


def test_each_payment_pays_an_order_of_the_run_that_was_sent_before_it(events: list[dict[str, Any]]) -> None:
    orders: dict[str, dict[str, Any]] = {}
    payments = 0
    for event in events:
        if event["event_type"] == "order":
            assert event["order_id"] not in orders
            orders[event["order_id"]] = event
        elif event["event_type"] == "payment":
            order = orders[event["order_id"]]
            payments += 1
            for name in ("amount", "currency", "customer_id"):
                assert event[name] == order[name]
            assert event["occurred_at"] >= order["occurred_at"]
    assert payments > len(orders) > 250


def test_each_order_ends_a_session_of_the_same_customer(events: list[dict[str, Any]]) -> None:
    sessions: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in events:
        if "session_id" in event:
            sessions[event["session_id"]].append(event)
    for visit in sessions.values():
        assert len({event["customer_id"] for event in visit}) == 1
        assert [event["occurred_at"] for event in visit] == sorted(event["occurred_at"] for event in visit)
        kinds = [event["event_type"] for event in visit]
        assert kinds.count("order") <= 1
        if "order" in kinds:
            assert kinds.index("order") == len(kinds) - 1
            actions = [event["action"] for event in visit[:-1]]
            assert [actions.index(action) for action in words.FUNNEL] == sorted(
                actions.index(action) for action in words.FUNNEL
            )


def test_an_order_contains_the_article_that_was_added_to_the_cart(events: list[dict[str, Any]]) -> None:
    wanted = {event["session_id"]: event["sku"] for event in events if event.get("action") == "add_to_cart"}
    found = [
        wanted[order["session_id"]] in {item["sku"] for item in order["items"]}
        for order in events
        if order["event_type"] == "order"
    ]
    # Orders at the threshold have a separate article.
    assert sum(found) > 0.9 * len(found)


def test_fewer_sessions_reach_each_step_of_the_funnel(events: list[dict[str, Any]]) -> None:
    reached = [
        len({event["session_id"] for event in events if event.get("action") == action})
        for action in words.FUNNEL
    ]
    orders = sum(event["event_type"] == "order" for event in events)
    assert reached == sorted(set(reached), reverse=True)
    assert reached[-1] > orders


def test_payments_are_authorized_then_captured_and_some_fail_or_are_refunded(
    events: list[dict[str, Any]],
) -> None:
    histories: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if event["event_type"] == "payment":
            histories[event["order_id"]].append(event["status"])
    counts = Counter(map(tuple, histories.values()))
    common, *_ = counts.most_common(1)
    assert common[0] == ("authorized", "captured")
    assert counts["failed", "authorized", "captured"]
    assert counts["authorized", "captured", "refunded"]
    # The run may end between two payments of an order.
    assert all(history[0] in ("authorized", "failed") for history in counts)


def test_customers_come_again_with_the_same_currency(events: list[dict[str, Any]]) -> None:
    currencies: dict[str, set[str]] = defaultdict(set)
    visits: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if "currency" in event:
            currencies[event["customer_id"]].add(event["currency"])
        if "session_id" in event:
            visits[event["customer_id"]].add(event["session_id"])
    assert all(len(each) == 1 for each in currencies.values())
    assert {"EUR", "GBP", "USD"} == set().union(*currencies.values())
    assert max(map(len, visits.values())) >= 5


def test_most_baskets_are_small_and_some_are_large(events: list[dict[str, Any]]) -> None:
    orders = [event["items"] for event in events if event["event_type"] == "order"]
    sizes = Counter(map(len, orders))
    assert sizes[1] + sizes[2] > len(orders) / 2
    assert max(sizes) >= 6
    assert max(item["quantity"] for items in orders for item in items) >= 3


def test_no_valid_event_refers_to_an_invalid_one() -> None:
    run = Events(SPECS["steady"])
    bodies = [run.message(number) for number in range(COUNT)]
    valid_text = "".join(message.body for message in bodies if message.kind != "invalid")
    for message in bodies:
        if message.kind == "invalid" and '"order_id":"ord-' in message.body:
            start = message.body.index("ord-")
            assert message.body[start : start + 16] not in valid_text


def test_each_block_has_the_same_number_of_sessions_and_orders() -> None:
    run = valid("steady")
    for first in range(0, 3_000, BLOCK_EVENTS):
        block = run[first : first + BLOCK_EVENTS]
        assert sum(event["event_type"] == "order" for event in block) == BLOCK_ORDERS
        assert len({event["session_id"] for event in block if "session_id" in event}) == BLOCK_SESSIONS


@pytest.mark.parametrize("sessions", [1, 17, 18, 19, 100])
def test_a_run_of_some_sessions_contains_each_of_them_whole(sessions: int) -> None:
    whole = Events(RunSpec(7, SEEDED_START, SEEDED_SPACING_US, sessions=sessions))
    count = count_events(7, sessions)
    run = [contract.decode(whole.message(number).body) for number in range(count)]
    assert len({event["session_id"] for event in run if "session_id" in event}) == sessions
    orders = {event["order_id"] for event in run if event["event_type"] == "order"}
    assert orders == {event["order_id"] for event in run if event["event_type"] == "payment"}
    assert count_events(7, sessions + 1) > count


def test_a_day_has_its_rhythm() -> None:
    hours = Counter(event["occurred_at"][:13] for event in valid("day"))
    assert len(hours) == 24
    busiest, _ = hours.most_common(1)[0]
    assert busiest == "2026-01-01T20"
    assert hours["2026-01-01T03"] < hours[busiest] / 10


@pytest.mark.parametrize("profile", [name for name in PROFILES if name != "steady"])
def test_the_events_of_a_profile_occur_in_order_within_its_span(profile: str) -> None:
    span = PROFILES[profile].hours * 3_600_000
    run = Events(RunSpec(7, SEEDED_START, profile=profile, span_ms=span, count=400))
    texts = [contract.decode(run.message(number).body)["occurred_at"] for number in range(400)]
    times = [contract.parse_rfc3339(text) for text in texts]
    assert all(time is not None for time in times)
    seconds = [(time - SEEDED_START).total_seconds() for time in times if time]
    assert seconds == sorted(seconds)
    assert seconds[0] >= 0
    assert seconds[-1] < span / 1_000
    assert seconds[-1] > 0.9 * span / 1_000
