"""`make rejected`: list rejected events with their reasons, or show one with its body."""

from __future__ import annotations

from itertools import islice

from rich.text import Text

from storage.attributes import CLAIMED_ORIGIN, CONTENT_HASH, PAYLOAD_BYTES, number, text
from storage.keys import SHARDS
from tools.core.console import out, plural, safe_text, write_raw
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.text import strip_control_chars
from tools.ops import rejections
from tools.ops.payloads import PayloadError, fetcher, read_body
from tools.ops.rejections import Rejection


def show_list(resources: Resources, *, reason: str | None, limit: int) -> None:
    """Print rejected events, newest first."""
    page = None if reason else 2 * limit // SHARDS + 5
    newest = list(islice(rejections.newest(resources, reason, page), limit + 1))
    if not newest:
        out.print(
            safe_text(
                f'No rejected event mentions "{reason}".' if reason else "There are no rejected events."
            )
        )
        return
    for rejection in newest[:limit]:
        out.print(_title(rejection))
        _print_summary(rejection)
    if len(newest) > limit:
        out.print(f"\nThe newest {limit:,} rejected events. Show more: LIMIT={5 * limit}")
    else:
        out.print(f"\n{plural(len(newest), 'rejected event')}.")
    out.print("Show one with its body: make rejected ID=... Send them back to the queue: make replay")


def show_one(resources: Resources, any_id: str) -> None:
    """Print the rejected events with a message id or event_id, with all reasons and the body."""
    matches = rejections.find(resources, any_id=any_id)
    if not matches:
        raise ToolError(
            f"No rejected event has the message id or event_id {strip_control_chars(any_id)}.",
            "List them: make rejected",
        )
    fetch = fetcher(resources)
    for rejection in matches:
        out.print(_title(rejection))
        item = rejections.get_item(resources, rejection.message_id)
        if item is None:
            out.print("    no longer rejected: it was replayed meanwhile")
            continue
        listed = rejections.reasons_of(item)
        for reason in listed:
            out.print(Text.assemble("    ", safe_text(reason.path, "yellow"), " ", safe_text(reason.reason)))
        _print_unlisted(rejection.violations - len(listed))
        digest, size = text(item, CONTENT_HASH), number(item, PAYLOAD_BYTES)
        out.print(safe_text(f"    {size:,} bytes, SHA-256 {digest}", "dim"))
        if claimed := text(item, CLAIMED_ORIGIN):
            out.print(safe_text(f"    names {claimed} as its origin, without a valid signature", "yellow"))
        try:
            write_raw(read_body(item, fetch) + b"\n")
        except PayloadError as error:
            raise ToolError(
                f"The body of {strip_control_chars(rejection.message_id)} cannot be shown: {error}"
            ) from None


def _title(rejection: Rejection) -> Text:
    rejected_at = rejection.rejected_at.replace("T", " ").rstrip("Z")
    return Text.assemble(
        safe_text(rejected_at, "bold"),
        safe_text(f"  {rejection.kind}  "),
        safe_text(rejection.event_type or "-"),
        "  event_id ",
        safe_text(rejection.event_id or "-", "cyan"),
        safe_text(f"  ID={rejection.message_id}"),
    )


def _print_summary(rejection: Rejection) -> None:
    for reason in rejection.reasons:
        path, _, message = reason.partition(" ")
        out.print(Text.assemble("    ", safe_text(path, "yellow"), " ", safe_text(message)))
    _print_unlisted(rejection.violations - len(rejection.reasons))


def _print_unlisted(count: int) -> None:
    if count > 0:
        out.print(f"    and {plural(count, 'more violation')}", style="dim")
