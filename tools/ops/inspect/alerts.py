"""`make alerts`: follow the alerts as they are published."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from processor.alerts import ALERT_TYPES, BATCH_PROCESSED, SENTENCES
from processor.sentences import email_sentence
from tools.core.console import Clock, err, out, pad, print_json, print_row
from tools.core.errors import UsageError, require_known
from tools.core.resources import Resources
from tools.ops.alert_queue import Notification, subscribed

# SNS compares numbers of up to 10^9 (SNS developer guide, "Numeric value matching").
_LARGEST = 10**9
_MINIMUM = re.compile(r"([0-9]{1,10}(?:[.][0-9]{1,4})?) ?([A-Z]{3})?")
_SENTENCES = {
    **SENTENCES,
    BATCH_PROCESSED: "{received} received: {stored} stored, {duplicates} duplicates, {rejected} rejected",
}


@dataclass(frozen=True)
class AlertFilter:
    """Criteria of the alerts to show. ``minimum`` is an amount, with or without its currency: 500 EUR."""

    alert_type: str | None = None
    minimum: str | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for an unknown type, and for what is no amount."""
        require_known("TYPE", self.alert_type, ALERT_TYPES)
        if self.minimum is not None:
            found = _MINIMUM.fullmatch(self.minimum)
            if found is None or Decimal(found[1]) > _LARGEST:
                raise UsageError(
                    f"MIN={self.minimum} is no amount of up to {_LARGEST:,}.",
                    'Type for example MIN=500 or MIN="500 EUR".',
                )

    @property
    def policy(self) -> dict[str, list[Any]]:
        """Return SNS's filter policy. Batch summaries are only shown if they are asked for."""
        everything = [name for name in ALERT_TYPES if name != BATCH_PROCESSED]
        policy: dict[str, list[Any]] = {"alert_type": [self.alert_type] if self.alert_type else everything}
        if self.minimum is not None and (found := _MINIMUM.fullmatch(self.minimum)):
            policy["amount"] = [{"numeric": [">=", float(found[1])]}]
            if found[2]:
                policy["currency"] = [found[2]]
        return policy


def follow(resources: Resources, criteria: AlertFilter, *, as_json: bool) -> None:
    """Print each alert as it is published, until Ctrl-C."""
    with subscribed(resources, "alerts", criteria.policy) as queue:
        err.print("Waiting for alerts. Ctrl-C stops.")
        clock = Clock()
        while True:
            for notification in queue.receive():
                _show(notification, clock, as_json=as_json)
            out.file.flush()


def _show(notification: Notification, clock: Clock, *, as_json: bool) -> None:
    alert = notification.alert
    if as_json:
        print_json({"message": notification.message} if alert is None else alert)
        return
    kind = str((alert or {}).get("alert_type", "-"))
    width = max(map(len, ALERT_TYPES))
    print_row(clock(f"{notification.published[:19]}Z"), pad(kind, width), _sentence(notification, kind))


def _sentence(notification: Notification, kind: str) -> str:
    try:
        return email_sentence(_SENTENCES[kind], notification.alert or {})
    except (LookupError, TypeError, ValueError, AttributeError, InvalidOperation):
        # Anyone who may publish can send another message, such as that of a newer release.
        return notification.message
