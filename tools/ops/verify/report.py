"""Print the results of verify as tables, or as JSON."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from rich.table import Table

from tools.core.console import TROUBLE, out, plural, print_listed
from tools.core.text import strip_control_chars
from tools.local import message_bodies
from tools.ops.verify.archive import ArchiveCheck
from tools.ops.verify.reconcile import LOST, OUTCOMES, Discrepancy, Reconciliation
from tools.ops.verify.result import VerifyResult


def document(result: VerifyResult) -> dict[str, Any]:
    """Return the result as a JSON document."""
    reconciliation = result.reconciliation
    members: dict[str, Any] = {
        "holds": result.ok,
        "undecided": result.is_undecided,
        "still": not result.moving,
        "scope": "all" if result.everything else "run",
        "stored": result.stored.total(),
        "duplicates": result.duplicates,
        "rejected": result.rejected.total(),
        "dead_lettered": result.dead_lettered,
        "queued": result.queued + result.unseen,
        "claimed_origins": result.claimed_origins,
        "content_compared": result.content_compared,
        "bodies_checked": result.bodies.checked if result.bodies else None,
        "archive": _archive(result.archive) if result.archive else None,
        "findings": result.discrepancies,
        "unconfirmed_alerts": result.unconfirmed_alerts,
    }
    if reconciliation and result.run:
        members["run"] = {
            "run_id": result.run.run_id,
            "complete": result.run.complete,
            "running": result.run.running,
            "sent": reconciliation.sent + result.run.erased,
            "erased": result.run.erased,
            "not_sent": result.run.failed,
            **{name.replace("-", "_"): reconciliation.outcomes[name] for name in (*OUTCOMES, LOST)},
            # A row of a run that is still sending may be one that the manifest names a moment later.
            "recounted": 0 if result.run.running else reconciliation.recounted,
            "unfinished": reconciliation.unfinished,
            "replayed": reconciliation.replayed,
        }
    return members


def _archive(check: ArchiveCheck) -> dict[str, Any]:
    members = {name: value for name, value in vars(check).items() if name != "discrepancies"}
    return {**members, "on_its_way": len(check.on_its_way)}


def show(result: VerifyResult) -> None:
    """Print the result."""
    _show_pipeline(result)
    _show_run(result)
    if result.moving:
        out.print("Messages were moving while this was counted.", style=TROUBLE)
    if result.unconfirmed_alerts:
        count = plural(len(result.unconfirmed_alerts), "item")
        out.print(
            f"{count} with an alert still pending. See the reason: make logs LEVEL=WARNING", style=TROUBLE
        )
        show_discrepancies(result.unconfirmed_alerts)
    if claimed := result.claimed_origins:
        out.print(
            f"{plural(claimed, 'message')} named an origin without a valid signature. "
            "Each counts under its own message id (docs/reliability.md)."
        )
    _show_archive_notes(result.archive)
    show_discrepancies(result.discrepancies)
    _show_conclusion(result)


def show_discrepancies(discrepancies: list[Discrepancy]) -> None:
    """Print the first 20 discrepancies."""
    rows = (f"{each.kind}: {each.name}: {each.what}" for each in discrepancies)
    print_listed(rows, len(discrepancies), "more; JSON=1 lists all")


def show_not_compared() -> None:
    """Print that content was not compared because the emulator rewrites bodies, and the remedy."""
    out.print(f"{message_bodies.NOT_COMPARED}; {message_bodies.REMEDY}", style=TROUBLE)


def counts_table() -> Table:
    """Return an empty table with columns for a name, a number and a comment."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    return table


def invariant(run: Reconciliation, erased: int = 0) -> str:
    """Return the accounting invariant with a run's numbers: ``1,000 sent = 950 stored + ...``."""
    outcomes = [f"{run.outcomes[name]:,} {name}" for name in OUTCOMES]
    if erased:
        outcomes.append(f"{erased:,} erased")
    return f"{run.sent + erased:,} sent = " + " + ".join(outcomes)


def frequencies(values: Iterable[str] | Mapping[str, int]) -> str:
    """Return values with their counts, most frequent first: ``order 410, payment 300``."""
    return ", ".join(f"{value} {count:,}" for value, count in Counter(values).most_common())


def _show_pipeline(result: VerifyResult) -> None:
    out.print("In the pipeline now" if result.everything else "Of the run, in the pipeline now")
    table = counts_table()
    table.add_row("stored", f"{result.stored.total():,}", frequencies(result.stored))
    table.add_row("duplicates", f"{result.duplicates:,}")
    table.add_row("rejected", f"{result.rejected.total():,}", frequencies(result.rejected))
    dead = result.dead_lettered
    table.add_row("dead-lettered", f"{dead:,}", "make redrive moves them back to the queue" if dead else "")
    table.add_row("queued", f"{result.queued + result.unseen:,}")
    if result.bodies:
        table.add_row("bodies", f"{result.bodies.checked:,}", "decoded and hashed")
    else:
        table.add_row("bodies", "-", "not hashed again; ALL=1 hashes every body of every table")
    if result.archive:
        more = f"and {result.archive.rejected:,} rejected, {plural(result.archive.duplicates, 'duplicate')}"
        if result.archive.repeated:
            more += f"; {plural(result.archive.repeated, 'line')} more than once, which queries ignore"
        table.add_row("archived", f"{result.archive.events:,}", more)
    out.print(table)


def _show_run(result: VerifyResult) -> None:
    run, reconciliation = result.run, result.reconciliation
    if run is None or reconciliation is None:
        return
    difference = reconciliation.sent - reconciliation.accounted
    note = f", {difference:,} not accounted for" if difference else ""
    out.print(f"\nRun {strip_control_chars(run.run_id)}\n{invariant(reconciliation, run.erased)}{note}")
    if run.running:
        out.print("The producer is still sending: what it sends later is not counted here.")
    elif not run.complete:
        out.print("The producer was interrupted: its last messages may be missing from the manifest.")
    if run.failed:
        out.print(f"{plural(run.failed, 'event')} could not be sent and are not counted here.")
    if reconciliation.recounted and not run.running:
        out.print(
            f"{plural(reconciliation.recounted, 'copy')} of its events under other message ids, "
            "after a redrive, a repeated send or an earlier run: nothing is lost."
        )
    if reconciliation.unfinished:
        out.print(
            f"{reconciliation.unfinished:,} of them also wait in a queue: their alert is not published."
        )
    if reconciliation.replayed:
        out.print(f"{reconciliation.replayed:,} were expected to be rejected and were replayed since.")


def _show_archive_notes(check: ArchiveCheck | None) -> None:
    if check is None:
        return
    for count, noun, note in (
        (len(check.on_its_way), "item", "not archived yet. Try again later."),
        (
            check.before_stream,
            "duplicate",
            "of release 1.0.0 without a line in the archive. Write them: make rearchive SINCE=30d",
        ),
        (
            check.unreadable,
            "record",
            "in the archive under unreadable/: see docs/reliability.md#unreadable_records.",
        ),
        (
            len(check.not_stored),
            "event",
            "archived and no longer stored: a user deleted them, because the pipeline never does.",
        ),
    ):
        if count:
            out.print(f"{plural(count, noun)} {note}", style=TROUBLE)
    show_discrepancies(check.not_stored)


def _show_conclusion(result: VerifyResult) -> None:
    if not result.content_compared:
        show_not_compared()
    if result.ok:
        out.print("OK: nothing is lost, nothing is counted twice.", style="bold")
    elif result.is_undecided:
        unseen = result.unseen
        why = (
            f"the missing messages may be among {plural(unseen, 'message')} still in the queues"
            if unseen
            else "messages moved while they were counted, which may explain all of this"
        )
        out.print(f"Undecided: {why}. Try again later.", style=TROUBLE)
    else:
        count = plural(len(result.discrepancies), "discrepancy")
        out.print(f"{count}: the accounting invariant is violated.", style="bold red")
