"""The command demo, and how its result is printed."""

from argparse import Namespace
from collections import Counter

from tools.core.console import TROUBLE, err, out, plural, progress_bars, safe_text
from tools.core.resources import Resources
from tools.core.text import indent_lines, make_command
from tools.ops.demo import demo as demos
from tools.ops.demo.demo import DemoResult
from tools.ops.demo.stalls import STALL_SECONDS
from tools.ops.verify.reconcile import DEAD_LETTERED, DUPLICATE, LOST, QUEUED, REJECTED, STORED
from tools.ops.verify.report import counts_table, frequencies, show_discrepancies, show_not_compared


def demo(resources: Resources, options: Namespace) -> int:
    """Send mixed events and check the outcome of each."""
    err.print(f"Sending to {resources.queue_url} (named by {resources.source})")

    def on_stall(reason: str) -> None:
        err.print(indent_lines(f"No progress for {STALL_SECONDS:.0f} s. {reason}"), style=TROUBLE)

    with progress_bars(options.count, "sent", "processed") as (on_sent, on_processed):
        result = demos.run(
            resources,
            options.count,
            wait=options.wait,
            on_sent=on_sent,
            on_processed=on_processed,
            on_stall=on_stall,
        )
    show(result)
    return 0 if result.ok else 1


def show(demo: DemoResult) -> None:
    """Print the result of a demo."""
    sent, run, alerts = demo.sent, demo.reconciliation, demo.alerts
    out.print(f"\n{plural(sent.sent_total, 'event')} sent, run {sent.run_id}")
    table = counts_table()

    def add(name: str, count: int, comment: str = "", style: str = "") -> None:
        table.add_row(safe_text(name), f"{count:,}", comment, style=style)

    add("stored", run.outcomes[STORED], frequencies(item.event_type for item in run.stored))
    add("  large orders", sum(item.large_order for item in run.stored))
    add("duplicates", run.outcomes[DUPLICATE])
    add("rejected", run.outcomes[REJECTED])
    for rule, count in Counter(item.rule or item.kind for item in run.rejected).most_common():
        add(f"  {rule}", count)
    add("dead-lettered", run.outcomes[DEAD_LETTERED])
    add("total", demo.processed, f"of {run.sent:,} sent", style="bold")
    table.add_section()
    expected = demo.expected_alerts
    for kind in sorted(expected.keys() | alerts.by_type.keys()):
        add(
            f"alerts {kind}",
            alerts.by_type[kind],
            f"of {expected[kind]:,} expected" if expected[kind] else "",
        )
    if alerts.repeated:
        add("alerts repeated", alerts.repeated)
    table.add_row("seconds", f"{demo.seconds:.1f}", f"{sent.seconds:.1f} of them for sending")
    out.print(table)
    _show_conclusion(demo)


def _show_conclusion(demo: DemoResult) -> None:
    sent, run = demo.sent, demo.reconciliation
    if not demo.bodies_kept:
        show_not_compared()
    if demo.ok:
        out.print("Every event is accounted for.", style="bold")
        if run.stored:
            out.print(safe_text(f"Show one of them: {make_command('get', EVENT_ID=run.stored[0].event_id)}"))
        return
    out.print("Not every event is accounted for:", style="bold red")
    if not sent.complete:
        missing = len(sent.failed) + sent.unsent
        out.print(safe_text(f"  {plural(missing, 'event')} could not be sent. {sent.error or ''}"))
    if run.outcomes[QUEUED]:
        out.print(f"  {plural(run.outcomes[QUEUED], 'event')} still queued. See why: make logs LEVEL=WARNING")
    if run.outcomes[LOST]:
        out.print(f"  {plural(run.outcomes[LOST], 'event')} not found.")
    show_discrepancies(run.discrepancies)
    for kind, count in demo.expected_alerts.items():
        if demo.alerts.by_type[kind] < count:
            out.print(f"  {count - demo.alerts.by_type[kind]:,} {kind} alerts are missing.")
