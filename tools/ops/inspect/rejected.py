"""`make rejected`: list rejected events with their reasons, or show one with its body."""

from itertools import islice
from typing import Any

from storage.attributes import CLAIMED_ORIGIN, CONTENT_HASH, PAYLOAD_BYTES, number, text
from storage.keys import SHARDS
from tools.core.console import Clock, err, out, plural, print_json, print_row, safe_text, write_raw
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.tables import Item
from tools.core.text import strip_control_chars
from tools.ops import rejections
from tools.ops.payloads import PayloadError, fetcher, read_body
from tools.ops.rejections import Rejection


def show_list(resources: Resources, *, reason: str | None, limit: int, as_json: bool) -> None:
    """Print rejected events, newest first: for people, or as JSON, one object a line."""
    page = None if reason else 2 * limit // SHARDS + 5
    newest = list(islice(rejections.newest(resources, reason, page), limit + 1))
    clock = Clock()
    for rejection in newest[:limit]:
        if as_json:
            print_json(_members(rejection) | {"reasons": rejection.reasons})
            continue
        _print_title(rejection, clock)
        for each in rejection.reasons:
            path, _, message = each.partition(" ")
            print_row("   ", safe_text(path, "bold"), message, indent=8, gap=" ")
        _print_unlisted(rejection.violations - len(rejection.reasons))
    if len(newest) > limit:
        err.print(
            f"These are the newest {limit:,} rejected events; there are more. Show more: LIMIT={5 * limit}"
        )
    elif not newest:
        err.print(
            safe_text(
                f'No rejected event mentions "{reason}".' if reason else "There are no rejected events."
            )
        )
    elif not as_json:
        err.print(f"{plural(len(newest), 'rejected event')}.")
    if newest and not as_json:
        err.print("Show one with its body: make rejected ID=...")
        err.print("Send them back to the queue: make replay")


def show_one(resources: Resources, any_id: str, *, as_json: bool) -> None:
    """Print the rejected events with a message id or event_id, with all reasons and the body."""
    matches = rejections.find(resources, any_id=any_id)
    if not matches:
        raise ToolError(
            f"No rejected event has the message id or event_id {strip_control_chars(any_id)}.",
            "List them: make rejected",
        )
    fetch, clock = fetcher(resources), Clock()
    for rejection in matches:
        item = rejections.get_item(resources, rejection.message_id)
        if item is None:
            err.print(safe_text(f"{rejection.message_id} was replayed meanwhile and is no longer rejected."))
            continue
        try:
            body = read_body(item, fetch)
        except PayloadError as error:
            shown = strip_control_chars(rejection.message_id)
            problem = ToolError(f"The body of {shown} cannot be shown: {error}")
            body = None
        if as_json:
            print_json(_details(rejection, item, body))
        else:
            _print_details(rejection, item, clock)
            write_raw(b"" if body is None else body + b"\n")
        if body is None:
            raise problem


def _members(rejection: Rejection) -> dict[str, Any]:
    names = ("message_id", "rejected_at", "kind", "event_id", "event_type", "violations", "rules")
    return {name: getattr(rejection, name) for name in names}


def _details(rejection: Rejection, item: Item, body: bytes | None) -> dict[str, Any]:
    """Return what a rejected event's JSON contains. A body that is not UTF-8 has escapes such as \\xff."""
    return _members(rejection) | {
        "reasons": rejections.reasons_of(item),
        CONTENT_HASH: text(item, CONTENT_HASH),
        CLAIMED_ORIGIN: text(item, CLAIMED_ORIGIN),
        "body": None if body is None else body.decode("utf-8", "backslashreplace"),
    }


def _print_details(rejection: Rejection, item: Item, clock: Clock) -> None:
    _print_title(rejection, clock)
    listed = rejections.reasons_of(item)
    for reason in listed:
        print_row("   ", safe_text(reason.path, "bold"), reason.reason, indent=8, gap=" ")
    _print_unlisted(rejection.violations - len(listed))
    digest, size = text(item, CONTENT_HASH), number(item, PAYLOAD_BYTES)
    print_row("  ", f"{size:,} bytes", f"SHA-256 {digest}")
    if claimed := text(item, CLAIMED_ORIGIN):
        out.print(safe_text(f"    names {claimed} as its origin, without a valid signature", "bold"))


def _print_title(rejection: Rejection, clock: Clock) -> None:
    print_row(
        clock(rejection.rejected_at),
        rejection.kind,
        rejection.event_type or "-",
        f"event_id {rejection.event_id or '-'}",
        f"ID={rejection.message_id}",
    )


def _print_unlisted(count: int) -> None:
    if count > 0:
        out.print(f"    and {plural(count, 'more violation')}")
