"""The generators of valid events, one for each event type of the contract.

A new event type is one function and one row of `GENERATORS` here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import contract
from producer.generate.catalogue import LARGE_ORDER_CENTS, Address, Article, Basket, format_money

# The fields of an event in their order. Each value is JSON text, so that amounts are never floats.
Fields = dict[str, str]

PAYMENT, ACTIVITY = "payment", "activity"


@dataclass(slots=True)
class Session:
    """A visit to the shop. ``hex_id`` is unique to it; ``basket`` is set if the visit ends with an order."""

    hex_id: str
    customer_id: str
    address: Address
    channel: str
    method: str
    wanted: Article
    basket: Basket | None = None

    @property
    def order(self) -> Fields:
        """The fields that identify the visit's order in each event about it."""
        assert self.basket is not None
        return {
            "order_id": f'"ord-{self.hex_id[12:24]}"',
            "amount": format_money(self.basket.cents),
            "currency": f'"{self.address.currency}"',
        }


class Step(NamedTuple):
    """An event of a session. ``detail`` is an activity's action or a payment's status.

    ``attempt`` counts the failed payments of the order before.
    """

    event_type: str
    session: Session
    detail: str = ""
    attempt: int = 0

    @property
    def is_large_order(self) -> bool:
        """Whether the event is an order above the threshold."""
        basket = self.session.basket
        return self.event_type == contract.ORDER and basket is not None and basket.cents > LARGE_ORDER_CENTS


class Generator(NamedTuple):
    """Writes the fields of one event type beside those that every event has.

    A block of `producer.generate.journeys` contains orders, payments and activities. ``per_block`` events of
    another type are added to it, each after the payments of an order.
    """

    fields: Callable[[Step], Fields]
    per_block: int = 0


def _order(step: Step) -> Fields:
    session = step.session
    assert session.basket is not None
    return session.order | {
        "session_id": _session_id(session),
        "items": session.basket.items,
        "shipping_address": session.address.text,
    }


def _payment(step: Step) -> Fields:
    session = step.session
    return {
        "payment_id": f'"pay-{session.hex_id[20:]}-{step.attempt}"',
        **session.order,
        "method": f'"{session.method}"',
        "status": f'"{step.detail}"',
    }


def _activity(step: Step) -> Fields:
    session, action = step.session, step.detail
    page = _PAGES.get(action)
    fields = {"session_id": _session_id(session), "action": f'"{action}"'}
    if page is None:
        return fields | {"page": f'"/product/{session.wanted.sku}"', "sku": f'"{session.wanted.sku}"'}
    return fields | {"page": f'"{page}"'}


def _session_id(session: Session) -> str:
    return f'"ses-{session.hex_id[:12]}"'


# The other actions happen on the page of the article that the customer wants.
_PAGES = {
    "page_view": "/home",
    "search": "/search",
    "begin_checkout": "/checkout",
    "apply_coupon": "/basket",
    "sign_in": "/account",
}

GENERATORS: dict[str, Generator] = {
    contract.ORDER: Generator(_order),
    PAYMENT: Generator(_payment),
    ACTIVITY: Generator(_activity),
}
