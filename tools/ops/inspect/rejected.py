"""`make rejected`: what was rejected and why; one of them with its body."""

from __future__ import annotations

from itertools import islice

from rich.text import Text

from storage.keys import SHARDS
from tools.core import tables
from tools.core.console import out, plural, safe_text, write_raw
from tools.core.errors import OpsError
from tools.core.resources import Resources
from tools.ops import rejections
from tools.ops.payloads import BodyLost, body_of, fetcher
from tools.ops.rejections import Rejection

# What the function joins reasons with in a summary.
SEPARATOR = "; "


def show_list(resources: Resources, *, reason: str | None, limit: int) -> None:
    """Print rejected events, newest first."""
    page = None if reason else 2 * limit // SHARDS + 5
    found = list(islice(rejections.newest(resources, reason, page), limit + 1))
    if not found:
        out.print(
            f'No rejected event mentions "{reason}".' if reason else "No rejected events.", markup=False
        )
        return
    for rejection in found[:limit]:
        out.print(_headline(rejection))
        _print_summary(rejection)
    if len(found) > limit:
        out.print(f"\n{limit:,} of the newest; there are more, LIMIT={5 * limit} shows them.")
    else:
        out.print(f"\n{plural(len(found), 'rejected event')}.")
    out.print("make rejected ID=... shows one with its body; make replay sends them back to the queue.")


def show_one(resources: Resources, some_id: str) -> None:
    """Print a rejected event, by its message id or its event_id, with every reason and its body."""
    found = rejections.find(resources, some_id=some_id)
    if not found:
        raise OpsError(
            f"Nothing rejected has the message id or event_id {some_id}.", "make rejected lists them."
        )
    fetch = fetcher(resources)
    for rejection in found:
        out.print(_headline(rejection))
        item = rejections.whole_item(resources, rejection.message_id)
        if item is None:
            out.print("    replayed in this very moment: it is no longer here")
            continue
        listed = rejections.reasons_of(item)
        for reason in listed:
            out.print(Text.assemble("    ", safe_text(reason.path, "yellow"), " ", safe_text(reason.reason)))
        _print_unlisted(rejection.violations - len(listed))
        digest, size = tables.text(item, "content_hash"), tables.number(item, "payload_bytes")
        out.print(f"    {size:,} bytes, SHA-256 {digest}", style="dim")
        try:
            write_raw(body_of(item, fetch) + b"\n")
        except BodyLost as lost:
            raise OpsError(f"The body of {rejection.message_id} cannot be shown: {lost}") from None


def _headline(rejection: Rejection) -> Text:
    when = rejection.rejected_at.replace("T", " ").rstrip("Z")
    return Text.assemble(
        (when, "bold"),
        f"  {rejection.kind}  ",
        safe_text(rejection.event_type or "-"),
        "  event_id ",
        safe_text(rejection.event_id or "-", "cyan"),
        f"  ID={rejection.message_id}",
    )


def _print_summary(rejection: Rejection) -> None:
    listed = rejection.summary.split(SEPARATOR)
    for reason in listed:
        path, _, text = reason.partition(" ")
        out.print(Text.assemble("    ", safe_text(path, "yellow"), " ", safe_text(text)))
    _print_unlisted(rejection.violations - len(listed))


def _print_unlisted(count: int) -> None:
    if count > 0:
        out.print(f"    and {plural(count, 'more violation')}", style="dim")
