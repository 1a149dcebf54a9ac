"""Whatever AWS does to calls and deliveries, nothing is lost, nothing doubled and no alert left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, tzinfo
from importlib import import_module
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

import contract
from producer.manifest import SentMessage
from tests.unit.processor.conftest import ENVIRONMENT, SETTINGS, order
from tests.unit.processor.simulation import FaultRates, Simulation
from tools.ops.verify import integrity, reconcile
from tools.ops.verify.snapshot import Duplicate, Rejected, Snapshot, Stored

RUNS = 40
MESSAGES = 30

EVERYTHING = FaultRates(
    refused=0.15, hung=0.04, late=0.03, lost=0.05, cancelled=0.1, partial=0.08, killed=0.015,
    interleaved=0.1, redelivered=0.05,
)  # fmt: skip
# Nothing dies and no answer is lost. What SNS is asked is done or refused; a mark, once due, is cleared.
NOTHING_DIES = FaultRates(
    refused=0.2, cancelled=0.15, partial=0.1, interleaved=0.4, redelivered=0.1,
    spared=frozenset({"sns", "UpdateItem"}),
)  # fmt: skip
SNS_REFUSES = FaultRates(refused=0.3, partial=0.2, spared=frozenset({"dynamodb", "s3"}))
SNS_IS_DOWN = FaultRates(refused=0.95, spared=frozenset({"dynamodb", "s3"}))
SLOW = FaultRates(hung=0.5)

NewSimulation = Callable[[int, FaultRates], Simulation]


@pytest.fixture
def simulation(monkeypatch: pytest.MonkeyPatch) -> NewSimulation:
    """Makes simulations around the function's real entry point."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    handler: Any = import_module("processor.handler")

    def make(seed: int, rates: FaultRates) -> Simulation:
        made = Simulation(seed, rates, handler.handle)

        def now(zone: tzinfo) -> datetime:
            return made.now()

        monkeypatch.setattr(handler, "_dynamodb", made.service("dynamodb"))
        monkeypatch.setattr(handler, "_sns", made.service("sns"))
        monkeypatch.setattr(handler, "_s3", lambda: made.service("s3"))
        monkeypatch.setattr(handler, "_settings", SETTINGS)
        monkeypatch.setattr(handler, "datetime", SimpleNamespace(now=now))
        monkeypatch.setattr("common.deadline.time", SimpleNamespace(sleep=made.sleep))
        # So that events of a few KB take every way: with others, alone, and through S3.
        monkeypatch.setattr("processor.store.SHARED_ITEM_LIMIT", 2_000)
        monkeypatch.setattr("storage.payload.ITEM_LIMIT", 4_000)
        return made

    return make


def mixed(rng: Random, count: int) -> list[str]:
    """Bodies of few events in many forms: copies, the same in another layout, conflicts, invalid ones."""
    made: list[str] = []
    for _ in range(count):
        kind = rng.randrange(8)
        event_id = f"e{rng.getrandbits(64)}"
        earlier = rng.choice(made) if made else order(event_id=event_id)
        if kind < 2:
            made.append(earlier)
        elif kind == 2 and earlier.startswith('{"event_id"'):
            made.append(json.dumps(json.loads(earlier), indent=1))
        elif kind == 3:
            taken = json.loads(earlier)["event_id"]
            made.append(order(rng.choice(["1", "2000"]), event_id=taken, customer_id=f"c{event_id}"))
        elif kind == 4:
            made.append(json.dumps({"event_id": event_id, "event_type": "order"}))
        else:
            padding = rng.randbytes(rng.choice([0, 0, 1_200, 2_500])).hex()
            made.append(order(rng.choice(["5", "1500"]), event_id=event_id, metadata=padding))
    return made


def run(made: Simulation, *, by_task: bool = True) -> None:
    """Send, deliver, replay and redrive in any order, until the rates are zero and nothing is left to do."""
    rng = made.rng
    bodies = mixed(rng, MESSAGES)
    # Rejected under an older contract, and replayed now that they are valid; twice, as it must do no harm.
    replays = []
    for n in range(2):
        body = order("3000", event_id=f"replayed-{n}", customer_id=f"c{rng.random()}")
        item = {"message_id": {"S": f"old-{n}"}, "content_hash": {"S": contract.content_hash(body)}}
        made.dynamodb.tables["rejected"][f"old-{n}"] = item
        made.roots[f"old-{n}"] = f"old-{n}"
        replays += [(body, f"old-{n}")] * 2
    while bodies or replays or rng.random() < 0.97:
        step = rng.randrange(10)
        if step < 3 and bodies:
            made.send(bodies.pop())
        elif step == 3 and replays:
            body, origin = replays.pop()
            made.send(body, origin=origin)
        elif step == 4:
            made.redrive(by_task=by_task and rng.random() < 0.5)
        elif step == 5:
            made.pass_time()
        else:
            made.deliver()
    made.blow_over()


def check_at_least_once(made: Simulation) -> None:
    """Run a simulation; nothing may be lost or doubled, and every alert has come."""
    run(made)
    made.check_conservation()
    assert [name for name, times in made.alerts() if times == 0] == []
    assert made.happened["timed out"] == 0


def check_exactly_once(made: Simulation) -> None:
    """Run a simulation in which nothing dies; in addition, every alert has come once."""
    run(made, by_task=False)
    made.check_conservation()
    assert [(name, times) for name, times in made.alerts() if times != 1] == []


@pytest.mark.parametrize("seed", range(RUNS))
def test_nothing_is_lost_doubled_or_unalerted_whatever_happens(simulation: NewSimulation, seed: int) -> None:
    check_at_least_once(simulation(seed, EVERYTHING))


@pytest.mark.parametrize("seed", range(RUNS // 2))
def test_alerts_outlive_an_outage_of_sns_that_sends_events_to_the_dead_letters(
    simulation: NewSimulation, seed: int
) -> None:
    check_at_least_once(simulation(seed, SNS_IS_DOWN))


@pytest.mark.parametrize("seed", range(RUNS))
@pytest.mark.parametrize("rates", [NOTHING_DIES, SNS_REFUSES], ids=["dynamodb refuses", "sns refuses"])
def test_every_alert_comes_exactly_once_when_nothing_dies(
    simulation: NewSimulation, rates: FaultRates, seed: int
) -> None:
    check_exactly_once(simulation(seed, rates))


@pytest.mark.parametrize("seed", range(20))
def test_a_service_that_hangs_ends_as_messages_handed_back_not_as_a_timeout(
    simulation: NewSimulation, seed: int
) -> None:
    made = simulation(seed, SLOW)
    check_at_least_once(made)
    assert made.happened["hung"] > 20


def test_the_simulations_do_bring_every_fault(simulation: NewSimulation) -> None:
    happened: Counter[str] = Counter()
    for seed in range(5):
        made = simulation(seed, EVERYTHING)
        run(made)
        happened += made.happened
    calls = {"refused", "hung", "late", "lost", "cancelled", "partial", "killed"}
    assert (calls | {"interleaved", "redelivered"}) - set(happened) == set()


@pytest.mark.parametrize("seed", range(RUNS // 2))
def test_make_verify_finds_nothing_wrong_after_a_simulation(simulation: NewSimulation, seed: int) -> None:
    made = simulation(seed, EVERYTHING)
    run(made)
    tables, expected = made.dynamodb.tables, {"events": "stored", "duplicates": "duplicate"}
    evidence = Snapshot(
        stored=[Stored.from_item(item) for item in tables["events"].values()],
        duplicates=[Duplicate.from_item(item) for item in tables["duplicates"].values()],
        rejected=[Rejected.from_item(item) for item in tables["rejected"].values()],
        dead_lettered=[],
        queued=[],
        unseen=0,
        still=True,
        objects=frozenset(made.s3.objects),
    )
    sent = []
    for root, places in made.places().items():
        body = made.bodies[root]
        event = json.loads(body)
        place = expected.get(min(places, key=["events", "duplicates", "rejected"].index), "rejected")
        large = place != "rejected" and contract.is_large_order(event, SETTINGS.large_order_threshold)
        digest = contract.content_hash(body)
        sent.append(SentMessage(root, event["event_id"], event["event_type"], digest, place, large))
    account = reconcile.reconcile(sent, evidence)
    assert account.discrepancies + integrity.check(evidence) == []
    assert account.accounted == account.sent == len(made.bodies)
    # Only SQS's own redrive makes one message two.
    assert bool(account.recounted) <= bool(made.renamed)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_thousands_of_simulations(simulation: NewSimulation) -> None:
    for seed in range(RUNS, 1_000):
        for rates, check in (
            (EVERYTHING, check_at_least_once),
            (SNS_IS_DOWN, check_at_least_once),
            (NOTHING_DIES, check_exactly_once),
            (SNS_REFUSES, check_exactly_once),
        ):
            made = simulation(seed, rates)
            try:
                check(made)
            except AssertionError as error:
                raise AssertionError(f"seed {seed}, {rates}: {error}") from error
