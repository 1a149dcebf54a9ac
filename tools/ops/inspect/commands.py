"""The commands get, events, trace, logs, rejected and alerts."""

from argparse import Namespace
from datetime import UTC, datetime

from contract import EVENT_TYPES
from processor.alerts import ALERT_TYPES
from tools.core.errors import UsageError
from tools.core.resources import Resources, require_archive
from tools.core.time_range import parse_duration
from tools.ops.commands import Commands, positive, yes_or_no
from tools.ops.inspect import alerts as alert_list
from tools.ops.inspect import events as event_list
from tools.ops.inspect import get as event
from tools.ops.inspect import logs as function_log
from tools.ops.inspect import rejected as rejection_list
from tools.ops.inspect import trace as stories
from tools.ops.inspect import trace_event

_TRACE_DETAILS = (
    "Tables know events and customers. Messages and orders are searched in the archive, which lags."
)


def register(commands: Commands) -> None:
    """Add the commands."""
    option = commands.add(get)
    option("event-id", "the event")

    option = commands.add(events)
    option("customer", "list only events of this customer")
    option("type", f"list only events of this type: {', '.join(EVENT_TYPES)}")
    option("large", "list only large orders", yes_or_no)
    option("since", "list only events of this age or younger: 90s, 15m, 1h, 2d")
    option("limit", "maximum number of events", positive, "20")
    option("json", "print JSON, one object a line", yes_or_no)

    option = commands.add(logs)
    option("event-id", "show only lines that name this event")
    option("level", "show only lines of this level or above")
    option("since", "maximum age of lines: 90s, 15m, 1h, 2d; default: 15m, or 1d with an event")
    option("limit", "maximum number of lines, the newest", positive, "200")
    option("follow", "continue until Ctrl-C", yes_or_no)
    option("json", "print JSON, one object a line", yes_or_no)

    option = commands.add(rejected)
    option("id", "show this event (message id or event_id) with its body")
    option("reason", "list only events whose kind or reasons contain this")
    option("limit", "maximum number of events", positive, "20")
    option("json", "print JSON, one object a line", yes_or_no)

    option = commands.add(trace, _TRACE_DETAILS)
    option("event-id", "the event")
    option("customer", "the newest stored events of this customer")
    option("message-id", "the event that this message of SQS carried")
    option("order-id", "the order, its payments and the session that led to it, from the archive")
    option("since", "begin of the part of the archive to search: 2h, 1d or a time in UTC", str, "1d")
    option("until", "end of that part; default: now")
    option("limit", "maximum number of a customer's events", positive, "20")
    option("json", "print JSON", yes_or_no)

    option = commands.add(alerts)
    option("type", f"show only alerts of this type: {', '.join(ALERT_TYPES)}")
    option("min", 'show only alerts of this amount or more: 500, "500 EUR"')
    option("json", "print JSON, one object a line", yes_or_no)


def get(resources: Resources, options: Namespace) -> int:
    """Show an event as it was sent, and its enrichment."""
    if not options.event_id:
        raise UsageError("EVENT_ID is missing.", "make get EVENT_ID=...")
    event.show(resources, options.event_id)
    return 0


def events(resources: Resources, options: Namespace) -> int:
    """List stored events, newest first."""
    criteria = event_list.EventFilter(
        customer=options.customer,
        event_type=options.type,
        large=options.large,
        seconds=parse_duration(options.since) if options.since else None,
    )
    event_list.show(resources, criteria, limit=options.limit, as_json=options.json)
    return 0


def logs(resources: Resources, options: Namespace) -> int:
    """Show the function's logs."""
    level = options.level.upper() if options.level else None
    criteria = function_log.LogFilter(options.event_id, "WARNING" if level == "WARN" else level)
    since = options.since or ("1d" if options.event_id else "15m")
    function_log.show(
        resources, criteria, since=since, limit=options.limit, follow=options.follow, as_json=options.json
    )
    return 0


def trace(resources: Resources, options: Namespace) -> int:
    """Show the story of an event, a message, an order or a customer, in time order."""
    given = [name for name in ("event_id", "customer", "message_id", "order_id") if getattr(options, name)]
    if len(given) != 1:
        raise UsageError(
            "Whose story? Give one of EVENT_ID, CUSTOMER, MESSAGE_ID and ORDER_ID.", "make trace EVENT_ID=..."
        )
    now = datetime.now(UTC)
    search = stories.open_search(resources, options.since, options.until, now)
    if options.customer:
        story = stories.of_customer(resources, options.customer, options.limit)
    elif options.order_id:
        require_archive(resources)
        assert search is not None
        story = stories.of_order(search, options.order_id)
    elif options.message_id:
        story = trace_event.of_message(resources, options.message_id, search, now)
    else:
        story = trace_event.of_event(resources, options.event_id, search, now)
    stories.show(story, search, as_json=options.json)
    return 0


def rejected(resources: Resources, options: Namespace) -> int:
    """List rejected events, newest first, or show one with its body."""
    if options.id:
        rejection_list.show_one(resources, options.id, as_json=options.json)
    else:
        rejection_list.show_list(resources, reason=options.reason, limit=options.limit, as_json=options.json)
    return 0


def alerts(resources: Resources, options: Namespace) -> int:
    """Follow the alerts as they are published, until Ctrl-C."""
    criteria = alert_list.AlertFilter(options.type or None, options.min or None)
    alert_list.follow(resources, criteria, as_json=options.json)
    return 0
