"""What a demo prints: what became of every event."""

from __future__ import annotations

from collections import Counter

from tools.core.console import out, plural, safe_text
from tools.ops.demo.demo import Demonstration
from tools.ops.verify.reconcile import DEAD_LETTERED, DUPLICATE, LOST, QUEUED, REJECTED, STORED
from tools.ops.verify.report import counted, figures, show_findings, show_not_compared


def show(demo: Demonstration) -> None:
    """Print the demonstration."""
    sent, account = demo.sent, demo.account
    out.print(f"\n{plural(sent.sent_total, 'event')} sent, run {sent.run_id}")
    table = figures()
    table.add_row("stored", _figure(account.copies[STORED]), counted(i.event_type for i in account.stored))
    table.add_row("  large orders", _figure(sum(item.large_order for item in account.stored)))
    table.add_row("duplicates", _figure(account.copies[DUPLICATE]))
    table.add_row("rejected", _figure(account.copies[REJECTED]))
    rules = Counter(item.rule or item.kind for item in account.rejected)
    for rule, count in rules.most_common():
        table.add_row(safe_text(f"  {rule}"), _figure(count))
    table.add_row("dead-lettered", _figure(account.copies[DEAD_LETTERED]))
    table.add_row("in all", _figure(demo.settled), f"of {account.sent:,} sent", style="bold")
    table.add_section()
    due = demo.alerts_due
    heard = demo.heard
    for kind in sorted(due.keys() | heard.by_type.keys()):
        table.add_row(
            f"alerts {kind}", _figure(heard.by_type[kind]), f"of {due[kind]:,} due" if due[kind] else ""
        )
    if heard.repeated:
        table.add_row("alerts repeated", _figure(heard.repeated))
    table.add_row("seconds", f"{demo.seconds:.1f}", f"{sent.seconds:.1f} of them sending")
    out.print(table)
    _show_conclusion(demo)


def _show_conclusion(demo: Demonstration) -> None:
    sent, account = demo.sent, demo.account
    if not demo.bodies_kept:
        show_not_compared()
    if demo.adds_up:
        out.print("Every event is accounted for.", style="bold green")
        if account.stored:
            out.print(safe_text(f"make get EVENT_ID={account.stored[0].event_id} shows one of them."))
        return
    out.print("It does not add up:", style="bold red")
    if not sent.complete:
        missing = len(sent.failed) + sent.unsent
        out.print(safe_text(f"  {plural(missing, 'event')} could not be sent. {sent.error or ''}"))
    if account.copies[QUEUED]:
        out.print(
            f"  {plural(account.copies[QUEUED], 'event')} still queued; make logs LEVEL=WARNING tells why."
        )
    if account.copies[LOST]:
        out.print(f"  {plural(account.copies[LOST], 'event')} nowhere to be found.")
    show_findings(account.findings)
    for kind, count in demo.alerts_due.items():
        if demo.heard.by_type[kind] < count:
            out.print(f"  {count - demo.heard.by_type[kind]:,} {kind} alerts have not come.")


def _figure(number: int) -> str:
    return f"{number:,}"
