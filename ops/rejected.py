"""`make rejected`: what was rejected and why; one of them with its body."""

from __future__ import annotations

from rich.text import Text

from ops import rejections
from ops.bodies import BodyLost, body_of, fetcher
from ops.console import out, plural, shown, write_raw
from ops.errors import OpsError
from ops.rejections import Rejection
from ops.resources import Resources

# A hostile event can break a thousand rules; the first few tell what is wrong with it.
_REASONS_LISTED = 5


def show_list(resources: Resources, *, reason: str | None, limit: int) -> None:
    """Print rejected events, newest first."""
    found = rejections.find(resources, reason=reason)
    if not found:
        out.print(
            f'No rejected event mentions "{reason}".' if reason else "No rejected events.", markup=False
        )
        return
    for rejection in found[:limit]:
        out.print(_headline(rejection))
        _print_reasons(rejection, _REASONS_LISTED)
    if len(found) > limit:
        out.print(f"\n{limit} of {plural(len(found), 'rejected event')}; LIMIT={len(found)} shows all.")
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
        _print_reasons(rejection, len(rejection.reasons))
        out.print(f"    {rejection.body_bytes:,} bytes, SHA-256 {rejection.content_hash}", style="dim")
        item = rejections.whole_item(resources, rejection.message_id)
        try:
            body = body_of(item, fetch) if item is not None else None
        except BodyLost as lost:
            raise OpsError(f"The body of {rejection.message_id} cannot be shown: {lost}") from None
        if body is None:
            out.print("    replayed in this very moment: it is no longer here")
        else:
            write_raw(body + b"\n")


def _headline(rejection: Rejection) -> Text:
    when = rejection.rejected_at.replace("T", " ").rstrip("Z")
    return Text.assemble(
        (when, "bold"),
        f"  {rejection.kind}  ",
        shown(rejection.event_type or "-"),
        "  event_id ",
        shown(rejection.event_id or "-", "cyan"),
        f"  ID={rejection.message_id}",
    )


def _print_reasons(rejection: Rejection, limit: int) -> None:
    for reason in rejection.reasons[:limit]:
        out.print(Text.assemble("    ", shown(reason.path, "yellow"), " ", shown(reason.reason)))
    unlisted = rejection.violations - min(limit, len(rejection.reasons))
    if unlisted > 0:
        out.print(f"    and {plural(unlisted, 'more violation')}", style="dim")
