"""What verify found, for people (tables) and for programs (JSON)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from tools.core.console import out, plural, safe_text
from tools.local import message_bodies
from tools.ops.verify.archive import ArchiveCheck
from tools.ops.verify.reconcile import OUTCOMES, Discrepancy, Reconciliation
from tools.ops.verify.verify import VerifyResult

_LISTED = 20


def as_json(verdict: VerifyResult) -> str:
    """The verdict as a JSON document."""
    found, run = verdict.snapshot, verdict.run
    document: dict[str, Any] = {
        "holds": verdict.holds,
        "undecided": verdict.undecided,
        "still": found.still,
        "stored": len(found.stored),
        "duplicates": len(found.duplicates),
        "rejected": len(found.rejected),
        "dead_lettered": len(found.dead_lettered),
        "queued": len(found.queued) + found.unseen,
        "content_compared": found.bodies_kept,
        "bodies_checked": verdict.bodies.checked if verdict.bodies else None,
        "archive": _archive(verdict.archive) if verdict.archive else None,
        "findings": [_finding(finding) for finding in verdict.findings],
        "unconfirmed_alerts": [_finding(finding) for finding in verdict.unconfirmed],
    }
    if run and verdict.manifest:
        document["run"] = {
            "run_id": verdict.manifest.run_id,
            "complete": verdict.manifest.complete,
            "sent": run.sent,
            "not_sent": verdict.manifest.failed,
            **{place.replace("-", "_"): run.copies[place] for place in (*OUTCOMES, "lost")},
            "recounted": run.recounted,
            "unfinished": run.unfinished,
            "replayed": run.replayed,
        }
    return json.dumps(document, indent=2)


def _archive(found: ArchiveCheck) -> dict[str, Any]:
    return {
        "events": found.events,
        "rejected": found.rejected,
        "repeated": found.repeated,
        "unreadable": found.unreadable,
        "on_its_way": len(found.on_its_way),
        "not_stored": [_finding(finding) for finding in found.not_stored],
    }


def show(verdict: VerifyResult) -> None:
    """Print the verdict."""
    _show_pipeline(verdict)
    if verdict.run and verdict.manifest:
        _show_run(verdict.manifest.run_id, verdict.run)
        _show_notes(verdict)
    if not verdict.snapshot.still:
        out.print("Messages were moving while this was counted.", style="yellow")
    if verdict.unconfirmed:
        owed = plural(len(verdict.unconfirmed), "item")
        out.print(
            f"{owed} still marked as owing an alert; make logs LEVEL=WARNING tells why:", style="yellow"
        )
        show_findings(verdict.unconfirmed)
    _show_archive_notes(verdict.archive)
    show_findings(verdict.findings)
    _show_conclusion(verdict)


def show_findings(findings: list[Discrepancy]) -> None:
    """Print the first 20 findings."""
    for finding in findings[:_LISTED]:
        out.print(
            Text.assemble(
                f"  {finding.kind}: ", safe_text(finding.name, "cyan"), ": ", safe_text(finding.what)
            )
        )
    if len(findings) > _LISTED:
        out.print(f"  and {len(findings) - _LISTED:,} more; JSON=1 lists them all")


def show_not_compared() -> None:
    """Say that content was not compared, because the emulator rewrites bodies, and what to do about it."""
    out.print(f"{message_bodies.NOT_COMPARED}; {message_bodies.REMEDY}", style="yellow", markup=False)


def figures() -> Table:
    """An empty table for a name, a figure and what there is to say about it."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim")
    return table


def equation(run: Reconciliation) -> str:
    """The law with a run's numbers: ``1,000 sent = 950 stored + ...``."""
    return f"{run.sent:,} sent = " + " + ".join(f"{run.copies[place]:,} {place}" for place in OUTCOMES)


def counted(values: Iterable[str]) -> str:
    """``order 410, payment 300``: the most frequent first."""
    return ", ".join(f"{value} {count:,}" for value, count in Counter(values).most_common())


def _show_pipeline(verdict: VerifyResult) -> None:
    found = verdict.snapshot
    out.print("In the pipeline now")
    table = figures()
    table.add_row("stored", f"{len(found.stored):,}", counted(item.event_type for item in found.stored))
    table.add_row("duplicates", f"{len(found.duplicates):,}")
    table.add_row("rejected", f"{len(found.rejected):,}", counted(item.kind for item in found.rejected))
    dead = len(found.dead_lettered)
    table.add_row("dead-lettered", f"{dead:,}", "make redrive sends them back" if dead else "")
    table.add_row("queued", f"{len(found.queued) + found.unseen:,}")
    if verdict.bodies:
        table.add_row("bodies", f"{verdict.bodies.checked:,}", "unpacked and hashed")
    else:
        table.add_row("bodies", "-", "not checked; DEEP=1 unpacks and hashes them all")
    if verdict.archive:
        archived = verdict.archive
        more = f"and {archived.rejected:,} rejected"
        if archived.repeated:
            more += f"; {plural(archived.repeated, 'line')} more than once, which queries leave out"
        table.add_row("archived", f"{archived.events:,}", more)
    out.print(table)


def _show_run(run_id: str, run: Reconciliation) -> None:
    balance = "" if run.accounted == run.sent else f", {run.sent - run.accounted:,} not accounted for"
    out.print(f"\nRun {run_id}\n{equation(run)}{balance}", markup=False)


def _show_notes(verdict: VerifyResult) -> None:
    run, manifest = verdict.run, verdict.manifest
    if run is None or manifest is None:
        return
    if not manifest.complete:
        out.print("The producer was interrupted: what it sent last may be missing from its manifest.")
    if manifest.failed:
        out.print(f"{plural(manifest.failed, 'event')} could not be sent and are not part of this.")
    if run.recounted:
        what = plural(run.recounted, "copy").replace("copys", "copies")
        out.print(
            f"{what} re-counted after a redrive or a repeated send, under a new message id: nothing is lost."
        )
    if run.unfinished:
        out.print(f"{run.unfinished:,} of them also wait in a queue: their alert is still to be published.")
    if run.replayed:
        out.print(f"{run.replayed:,} were expected to be rejected and were replayed since.")


def _show_archive_notes(found: ArchiveCheck | None) -> None:
    if found is None:
        return
    if found.on_its_way:
        out.print(
            f"{plural(len(found.on_its_way), 'item')} still on the way to the archive. Try again later.",
            style="yellow",
        )
    if found.unreadable:
        out.print(
            f"{plural(found.unreadable, 'record')} in the archive under unreadable/: "
            "docs/reliability.md#unreadable_records.",
            style="yellow",
        )
    if found.not_stored:
        out.print(
            f"{plural(len(found.not_stored), 'event')} archived and no longer stored. Nothing here deletes "
            "events: if somebody did, the archive still has them.",
            style="yellow",
        )
        show_findings(found.not_stored)


def _show_conclusion(verdict: VerifyResult) -> None:
    if not verdict.snapshot.bodies_kept:
        show_not_compared()
    if verdict.holds:
        out.print("The conservation law holds: nothing lost, nothing twice.", style="bold green")
    elif verdict.undecided:
        waiting = plural(verdict.snapshot.unseen, "message")
        out.print(
            f"Undecided: {waiting} still in the queues may be what is missing. Try again later.",
            style="yellow",
        )
    else:
        out.print(
            f"{plural(len(verdict.findings), 'finding')}: the conservation law is broken.", style="bold red"
        )


def _finding(finding: Discrepancy) -> dict[str, str]:
    return {"kind": finding.kind, "name": finding.name, "what": finding.what}
