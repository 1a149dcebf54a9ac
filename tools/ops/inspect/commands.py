"""The commands get, events, trace, logs, rejected and alerts."""

from argparse import Namespace
from datetime import UTC, datetime

from tools.core.errors import UsageError
from tools.core.resources import Resources, require_archive
from tools.core.time_range import parse_duration
from tools.ops.inspect import alerts as alert_list
from tools.ops.inspect import events as event_list
from tools.ops.inspect import get as event
from tools.ops.inspect import logs as function_log
from tools.ops.inspect import rejected as rejection_list
from tools.ops.inspect import trace as stories
from tools.ops.inspect import trace_event


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
    if options.id and options.reason:
        raise UsageError("ID shows one event, REASON lists some: give one of them.", "make rejected ID=...")
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
