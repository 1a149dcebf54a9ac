"""The commands: what each is given, what it prints, and its exit status (0 fine, 1 not, 2 misused)."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime

from tools.core.console import err, out, plural, progress_bars, safe_text
from tools.core.errors import OpsError, UsageError
from tools.core.resources import Resources, require_archive
from tools.core.time_range import TimeRange, seconds_of
from tools.ops import rejections
from tools.ops.demo import demo as demonstration
from tools.ops.demo import summary
from tools.ops.demo.stalls import SECONDS
from tools.ops.inspect import events as stored_events
from tools.ops.inspect import get as get_event
from tools.ops.inspect import logs as function_logs
from tools.ops.inspect import rejected as rejected_events
from tools.ops.recover import move_task
from tools.ops.recover import rearchive as rearchiving
from tools.ops.recover import redrive as redriving
from tools.ops.recover import replay as replaying
from tools.ops.recover.message_mover import HOLD_SECONDS
from tools.ops.recover.rearchive import Failure, Rearchived
from tools.ops.recover.replay import Replayed
from tools.ops.rejections import Rejection
from tools.ops.verify import manifest as manifests
from tools.ops.verify import report
from tools.ops.verify.manifest import Manifest
from tools.ops.verify.verify import verify as run_verify

_LISTED = 20


def demo(resources: Resources, options: Namespace) -> int:
    """Send mixed events and account for every one of them."""
    err.print(f"Sending to {resources.queue_url} (named by {resources.source})", style="dim")
    count = options.count
    with progress_bars(count, "sending", "settled") as (on_sent, on_settled):
        done = demonstration.run(
            resources,
            count,
            wait=options.wait,
            on_sent=on_sent,
            on_settled=on_settled,
            on_stall=lambda why: err.print(safe_text(f"No progress for {SECONDS:.0f} s. {why}", "yellow")),
        )
    summary.show(done)
    return 0 if done.adds_up else 1


def get(resources: Resources, options: Namespace) -> int:
    """One event as it was sent, and what the pipeline added."""
    if not options.event_id:
        raise UsageError("Which event?", "make get EVENT_ID=...")
    get_event.show(resources, options.event_id)
    return 0


def events(resources: Resources, options: Namespace) -> int:
    """Stored events, newest first."""
    wanted = stored_events.Wanted(
        customer=options.customer,
        event_type=options.type,
        large=options.large,
        seconds=seconds_of(options.since) if options.since else None,
    )
    stored_events.show(resources, wanted, limit=options.limit, as_json=options.json)
    return 0


def logs(resources: Resources, options: Namespace) -> int:
    """The function's logs."""
    level = options.level.upper() if options.level else None
    wanted = function_logs.Wanted(options.event_id, "WARNING" if level == "WARN" else level)
    since = options.since or ("1d" if options.event_id else "15m")
    function_logs.show(resources, wanted, since=since, limit=options.limit, follow=options.follow)
    return 0


def rejected(resources: Resources, options: Namespace) -> int:
    """Rejected events, or one of them with its body."""
    if options.id:
        rejected_events.show_one(resources, options.id)
    else:
        rejected_events.show_list(resources, reason=options.reason, limit=options.limit)
    return 0


def replay(resources: Resources, options: Namespace) -> int:
    """Send rejected events back to the queue and see what becomes of them."""
    chosen = rejections.find(resources, some_id=options.id, reason=options.reason)
    if not chosen:
        if options.id or options.reason:
            raise OpsError("No rejected event fits ID= and REASON=.", "make rejected lists them.")
        out.print("No rejected events: nothing to replay.")
        return 0
    if options.dry_run:
        done = replaying.dry_run(resources, chosen)
        out.print(f"Would send {plural(len(done.sent), 'rejected event')} back to the queue:")
        _list_rejections(chosen, set(done.sent))
        _show_refused(done.refused)
        return 1 if done.refused else 0
    with progress_bars(len(chosen), "sending") as (progress,):
        done = replaying.replay(resources, chosen, progress)
    with progress_bars(len(done.sent), "stored") as (progress,):
        replaying.wait_for_outcome(resources, done, wait=options.wait, progress=progress)
    return _show_replayed(done, chosen)


def redrive(resources: Resources, options: Namespace) -> int:
    """Move dead-lettered messages back to the queue."""
    if options.rate and options.rate > move_task.FASTEST:
        err.print(f"SQS's own task moves at most {move_task.FASTEST} messages a second.", style="yellow")
    with progress_bars(None, "moving") as (progress,):
        done = redriving.redrive(resources, rate=options.rate, progress=progress)
    if done.before == 0:
        out.print("Nothing is dead-lettered: nothing to redrive.")
        return 0
    means = "by SQS's message move task" if done.means == "task" else "by receive, send and delete"
    out.print(
        f"{done.before:,} dead-lettered before, {done.moved:,} moved {means}, {done.remaining:,} remaining."
    )
    _show_refused(done.refused)
    if done.returned:
        out.print(
            f"{plural(done.returned, 'message')} came back dead-lettered: make logs LEVEL=ERROR tells why."
        )
    elif done.arrived > 0:
        out.print(
            f"{plural(done.arrived, 'message')} dead-lettered meanwhile; make redrive takes them as well."
        )
    if done.hidden:
        out.print(
            f"{plural(done.hidden, 'message')} in another reader's hands, perhaps a redrive that was killed; "
            f"make redrive moves them once they are back, in {HOLD_SECONDS} s at most."
        )
    if not done.balances:
        out.print(
            f"The count does not balance: someone else has taken {plural(-done.arrived, 'message')}.",
            style="red",
        )
    return 0 if done.balances and not done.refused and not done.hidden else 1


def rearchive(resources: Resources, options: Namespace) -> int:
    """Write a span of the tables to the archive again."""
    span = TimeRange.read(options.since, options.until, datetime.now(UTC))
    require_archive(resources)
    if options.dry_run:
        done = rearchiving.rehearse(resources, span)
        _show_lines(done, "Would write")
    else:
        with progress_bars(None, "archiving") as (progress,):
            done = rearchiving.rearchive(resources, span, progress)
        _show_lines(done, "Wrote")
        out.print(f"{plural(done.objects, 'object')}, {done.bytes:,} bytes, each named {span.name}.")
    for key, why in done.refused.items():
        out.print(safe_text(f"  not archived: {key}: {why}", "yellow"))
    if done.refused_count > len(done.refused):
        out.print(f"  and {done.refused_count - len(done.refused):,} more not archived", style="yellow")
    _show_failures(rearchiving.failures(resources), resources)
    return 1 if done.refused_count else 0


def verify(resources: Resources, options: Namespace) -> int:
    """Prove the conservation law."""
    manifest = _manifest(resources, options.manifest)
    with progress_bars(None, "waiting for the queue to drain") as (progress,):
        verdict = run_verify(
            resources,
            manifest,
            wait=options.wait,
            deep=options.deep,
            progress=lambda depth: progress(depth.total),
        )
    if options.json:
        out.print(report.as_json(verdict), markup=False)
    else:
        report.show(verdict)
    return 0 if verdict.holds else 1


def _show_lines(done: Rearchived, verb: str) -> None:
    out.print(f"{verb} {plural(done.lines.total(), 'line')} to the archive.")
    for partition, count in sorted(done.lines.items()):
        out.print(f"  {count:>9,}  {partition}")


def _show_failures(failures: list[Failure], resources: Resources) -> None:
    if not failures:
        return
    out.print(f"The failures queue names {plural(len(failures), 'batch').replace('batchs', 'batches')}:")
    for failure in failures[:_LISTED]:
        out.print(
            safe_text(
                f"  {failure.table}: {plural(failure.records, 'record')} written from {failure.since} to "
                f"{failure.until} ({failure.why})"
            )
        )
    out.print("What they held was received then, or before. When make verify finds nothing missing:")
    out.print(f"  aws sqs purge-queue --queue-url {resources.archive_failures_queue_url}", markup=False)


def _manifest(resources: Resources, wanted: str | None) -> Manifest | None:
    path = manifests.choose(resources, wanted)
    if path is None:
        return None
    manifest = manifests.read(path)
    if wanted is None and manifest.queue_name != resources.queue_name:
        return None  # the latest run of another pipeline, and nobody asked for it
    manifests.check_target(manifest, resources)
    return manifest


def _show_replayed(done: Replayed, chosen: list[Rejection]) -> int:
    out.print(
        f"{plural(len(done.sent), 'rejected event')} sent back to the queue: "
        f"{len(done.stored):,} stored, {len(done.still_rejected):,} still rejected."
    )
    _list_rejections(chosen, done.still_rejected)
    _show_refused(done.refused)
    if done.undecided:
        out.print(
            f"{plural(len(done.undecided), 'event')} not processed yet; make rejected shows later what "
            "stays. Sending them again would do no harm.",
            style="yellow",
        )
    return 1 if done.refused or done.undecided else 0


def _list_rejections(chosen: list[Rejection], which: set[str]) -> None:
    listed = [rejection for rejection in chosen if rejection.message_id in which]
    for rejection in listed[:_LISTED]:
        out.print(
            safe_text(f"  {rejection.message_id}  event_id {rejection.event_id or '-'}: {rejection.summary}")
        )
    if len(listed) > _LISTED:
        out.print(f"  and {len(listed) - _LISTED:,} more")


def _show_refused(refused: Mapping[str, str]) -> None:
    for message_id, why in list(refused.items())[:_LISTED]:
        out.print(safe_text(f"  not sent: {message_id}: {why}", "yellow"))
    if len(refused) > _LISTED:
        out.print(f"  and {len(refused) - _LISTED:,} more not sent")
