"""The commands replay, redrive, rearchive and restore."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime

from archiver.lines import DUPLICATES, EVENTS, REJECTED
from contract import EVENT_TYPES
from tools.core.archive_range import ArchiveRange
from tools.core.console import TROUBLE, err, out, plural, print_json, print_listed, progress_bars, safe_text
from tools.core.errors import ToolError, require_known
from tools.core.prompts import confirm
from tools.core.resources import Resources, require_archive
from tools.core.time_range import TimeRange
from tools.ops import rejections
from tools.ops.recover import rearchive as archives
from tools.ops.recover import redrive as dead_letters
from tools.ops.recover import replay as replays
from tools.ops.recover.archive_reader import Selection
from tools.ops.recover.message_mover import HOLD_SECONDS
from tools.ops.recover.rearchive import FailedBatch, RearchiveResult
from tools.ops.recover.redrive import RedriveResult
from tools.ops.recover.replay import ReplayResult
from tools.ops.recover.restore import Restore
from tools.ops.recover.restore_writer import RestoreResult
from tools.ops.rejections import Rejection


def replay(resources: Resources, options: Namespace) -> int:
    """Send rejected events back to the queue and report their outcomes."""
    selected = rejections.find(resources, any_id=options.id, reason=options.reason)
    if not selected and (options.id or options.reason):
        raise ToolError("No rejected event matches ID= and REASON=.", "List them: make rejected")
    result = ReplayResult()
    if options.dry_run:
        result = replays.dry_run(resources, selected)
    elif selected:
        with progress_bars(len(selected), "sent") as (progress,):
            result = replays.replay(resources, selected, progress)
        with progress_bars(len(result.sent), "stored") as (progress,):
            replays.wait_for_outcomes(resources, result, wait=options.wait, progress=progress)
    if options.json:
        print_json({"dry_run": options.dry_run, **vars(result)})
    elif selected:
        _show_replay(result, selected, dry_run=options.dry_run)
    else:
        out.print("There are no rejected events to replay.")
    return 1 if result.refused or result.pending else 0


def redrive(resources: Resources, options: Namespace) -> int:
    """Move dead-lettered messages back to the queue."""
    if options.rate and options.rate > dead_letters.MAX_RATE:
        err.print(f"SQS's task moves at most {dead_letters.MAX_RATE} messages a second.", style=TROUBLE)
    with progress_bars(None, "moved") as (progress,):
        result = dead_letters.redrive(resources, rate=options.rate, progress=progress)
    if options.json:
        names = ("added", "hidden", "is_balanced")
        print_json({**vars(result), **{name: getattr(result, name) for name in names}})
    elif result.before == 0:
        out.print("There are no dead-lettered messages to move.")
    else:
        _show_redrive(result)
    return 0 if result.is_balanced and not result.refused and not result.hidden else 1


def rearchive(resources: Resources, options: Namespace) -> int:
    """Write the items of a time range to the archive again."""
    time_range = TimeRange.read(options.since, options.until, datetime.now(UTC))
    require_archive(resources)
    if options.dry_run:
        result = archives.dry_run(resources, time_range)
    else:
        with progress_bars(None, "lines written") as (progress,):
            result = archives.rearchive(resources, time_range, progress)
    failed = archives.failed_batches(resources)
    if options.json:
        print_json({"dry_run": options.dry_run, **vars(result), "failed_batches": failed})
    else:
        _show_lines(result, "Would write" if options.dry_run else "Wrote")
        if not options.dry_run:
            objects = plural(result.objects, "object")
            out.print(f"{objects}, {result.bytes:,} bytes, all named {time_range.name}.")
        _show_refused(result.refused, result.refused_count, "archived")
        _show_failed_batches(failed, resources)
    return 1 if result.refused_count else 0


def restore(resources: Resources, options: Namespace) -> int:
    """Make the tables' items again from the archive."""
    require_known("TYPE", options.type, EVENT_TYPES)
    hours = None
    if options.since or options.until:
        hours = ArchiveRange.read(options.since or "1970-01-01", options.until, datetime.now(UTC))
    require_archive(resources)
    selection = Selection(hours, options.customer, options.type, options.event_id, options.part)
    job = Restore(resources, selection, dry_run=options.dry_run, rate=options.rate or 0)
    estimate = job.estimate()
    err.print(str(estimate) if estimate.objects else "The archive has nothing of that.")
    if estimate.objects and not (options.dry_run or confirm("Restore?", already=options.auto_approve)):
        return 1
    try:
        with progress_bars(estimate.objects, "objects read") as (progress,):
            job.run(progress)
    except KeyboardInterrupt:
        err.print("Type the same command again: it writes only what is missing.", style=TROUBLE)
        raise
    finally:
        _show_restored(job.result, dry_run=options.dry_run, as_json=options.json)
    return 1 if job.result.findings else 0


def _show_restored(result: RestoreResult, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        counts = {name: value for name, value in vars(result).items() if name != "lock"}
        print_json({"dry_run": dry_run, **counts})
        return
    verb = "Would restore" if dry_run else "Restored"
    out.print(f"{verb} {plural(result.restored.total(), 'item')}:")
    for kind in (EVENTS, REJECTED, DUPLICATES):
        out.print(f"  {result.restored[kind]:>9,}  {kind}")
    for count, what in (
        (result.present.total(), "are there already, equal"),
        (result.replayed, "rejected events are stored or duplicates now, and stay away"),
        (result.expired, "have expired"),
        (result.objects, "payloads were missing in S3 and belong to them"),
    ):
        if count:
            out.print(f"  {count:>9,}  {what}")
    for what, count in result.lacks.items():
        out.print(f"{plural(count, 'item')} of an earlier release without {what}.", style=TROUBLE)
    for finding in result.listed:
        out.print(safe_text(f"  {finding}", TROUBLE))
    if more := result.findings.total() - len(result.listed):
        out.print(f"  and {more:,} more findings", style=TROUBLE)


def _show_lines(result: RearchiveResult, verb: str) -> None:
    out.print(f"{verb} {plural(result.lines.total(), 'line')} to the archive.")
    for partition, count in sorted(result.lines.items()):
        out.print(f"  {count:>9,}  {partition}")


def _show_failed_batches(batches: list[FailedBatch], resources: Resources) -> None:
    if not batches:
        return
    out.print(f"The failures queue names {plural(len(batches), 'batch')}:")
    rows = (
        f"{each.table}: {plural(each.records, 'record')} written from {each.since} to {each.until} "
        f"({each.reason})"
        for each in batches
    )
    print_listed(rows, len(batches))
    out.print("Their events were received at these times or before. When make verify reports none missing:")
    out.print(f"  aws sqs purge-queue --queue-url {resources.archive_failures_queue_url}")


def _show_redrive(result: RedriveResult) -> None:
    method = "by SQS's message move task" if result.method == "task" else "by receive, send and delete"
    out.print(
        f"{result.before:,} dead-lettered before, {result.moved:,} moved {method}, "
        f"{result.remaining:,} remaining."
    )
    _show_refused(result.refused)
    if result.returned:
        out.print(f"{plural(result.returned, 'message')} dead-lettered again. See why: make logs LEVEL=ERROR")
    elif result.added > 0:
        out.print(f"{plural(result.added, 'message')} dead-lettered meanwhile. Move them too: make redrive")
    if result.hidden:
        out.print(
            f"{plural(result.hidden, 'message')} received by another reader, perhaps a killed redrive. "
            f"Move them in {HOLD_SECONDS} s: make redrive"
        )
    if not result.is_balanced:
        out.print(
            f"The counts do not add up: another reader has deleted {plural(-result.added, 'message')}.",
            style="red",
        )


def _show_replay(result: ReplayResult, selected: list[Rejection], *, dry_run: bool) -> None:
    sent = plural(len(result.sent), "rejected event")
    if dry_run:
        out.print(f"Would send {sent} back to the queue:")
    else:
        out.print(
            f"{sent} sent back to the queue: {len(result.stored):,} stored, "
            f"{len(result.still_rejected):,} still rejected."
        )
    _list_rejections(selected, set(result.sent) if dry_run else result.still_rejected)
    _show_refused(result.refused)
    if result.pending:
        out.print(
            f"{plural(len(result.pending), 'event')} not processed yet. List rejected events later: "
            "make rejected. Sending events again is harmless.",
            style=TROUBLE,
        )


def _list_rejections(selected: list[Rejection], message_ids: set[str]) -> None:
    listed = [each for each in selected if each.message_id in message_ids]
    rows = (f"{each.message_id}  event_id {each.event_id or '-'}: {each.summary}" for each in listed)
    print_listed(rows, len(listed))


def _show_refused(refused: Mapping[str, str], count: int | None = None, verb: str = "sent") -> None:
    rows = (f"not {verb}: {key}: {reason}" for key, reason in refused.items())
    print_listed(rows, count or len(refused), f"more not {verb}", TROUBLE)
