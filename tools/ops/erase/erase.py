"""`make erase`: find everything of a customer, record the erasure, remove it.

Every step can be repeated. The record is written first: a second run finds by its message ids what has no
owner any more, such as a duplicate whose event is gone.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console

from tools.core import queues
from tools.core.console import TROUBLE, err, out, plural, print_json, print_listed
from tools.core.errors import UsageError
from tools.core.prompts import confirm
from tools.core.resources import Resources
from tools.core.text import make_command
from tools.ops import erasures
from tools.ops.erase.archive import ArchiveLines
from tools.ops.erase.local_files import ManifestLines, QueryCache, ReportPage
from tools.ops.erase.matching import Customer
from tools.ops.erase.messages import QueuedMessages
from tools.ops.erase.objects import AthenaResults, ClaimChecks
from tools.ops.erase.rows import DuplicateRows, EventRows, RejectedRows
from tools.ops.erase.search import Place, Search
from tools.ops.share import WHOLE, Share

# The contract's limit of a customer_id.
_LONGEST_ID = 128
_SHORT_ID = 8
_REMAINS = """\
What remains until it ages out (docs/reliability.md#erase-a-customer):
  backups of the tables   35 days of point-in-time recovery if it is on; your own backups and exports
  streams of the tables   24 hours. The archiver may repeat a batch of them until then
  logs                    event_ids and message ids, for log_retention_days
  alerts                  what the subscribers of the topic have received"""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What was found: the counts by place, and the places in the order in which they were searched."""

    search: Search
    places: list[Place]
    archive: ArchiveLines
    counts: dict[str, int]

    @property
    def total(self) -> int:
        """Return the number of all things that were found."""
        return sum(self.counts.values())

    def erase(self, progress: Progress) -> str:
        """Remove what was found. Return the id of the erasure, or "" if an earlier one names all."""
        search = self.search
        erasure = erasures.Erasure.start(search.resources, self.counts)
        recorded: set[str] = set()
        if search.message_ids - search.recorded or not search.message_ids:
            erasure.save(search.message_ids)
            recorded = set(search.message_ids)
        for place in reversed(self.places):
            progress(place.title)
            place.erase()
        # The archiver may have written rows that were deleted since.
        self.archive.erase()
        if recorded and search.message_ids - recorded:
            erasure.save(search.message_ids)  # the archiver wrote more meanwhile
        return erasure.erasure_id if recorded or not search.message_ids else ""


def find(resources: Resources, customer_id: str, progress: Progress, share: Share = WHOLE) -> Plan:
    """Search every place, or this machine's share. Changes nothing."""
    search = Search(resources, Customer(customer_id), erasures.message_ids(resources), share)
    archive = ArchiveLines(search)
    # What identifies messages elsewhere comes first; `erase` goes the other way.
    places: list[Place] = [
        EventRows(search),
        RejectedRows(search),
        archive,
        DuplicateRows(search),
        QueuedMessages(search, "dead-lettered", resources.dlq_url),
        QueuedMessages(search, "archive failures", resources.archive_failures_queue_url),
        ClaimChecks(search),
        AthenaResults(search),
        ManifestLines(search),
        QueryCache(search),
        ReportPage(search),
    ]
    counts = {}
    for place in places:
        progress(place.title)
        counts[place.title] = place.find()
    return Plan(search, places, archive, counts)


def erase(resources: Resources, options: Namespace) -> int:
    """Remove everything of a customer from the pipeline and from this machine."""
    customer_id = _checked(options)
    with err.status("searching") as status:
        show = status.update
        plan = find(resources, customer_id, lambda title: show(f"searching: {title}"), options.part)
    # What is counted is shown before the question, also where standard output is for JSON.
    console = err if options.json else out
    _show(plan, console)
    erasure_id = None
    if not plan.total:
        console.print("There is nothing to erase.")
    elif options.dry_run:
        console.print(f"Would erase all of this: {_command(customer_id, options.part)}")
    elif confirm("Erase all of this for good?", already=options.auto_approve):
        with err.status("erasing") as status:
            erasure_id = plan.erase(lambda title: status.update(f"erasing: {title}"))
        console.print(f"Erased. The record is {erasure_id}." if erasure_id else "Erased, as recorded before.")
        console.print(_REMAINS)
        console.print(f"Repeat it in 24 hours: {_command(customer_id, options.part)}")
    else:
        return 1
    waiting = queues.depth(resources.client("sqs"), resources.queue_url).total
    problems = list(plan.search.problems)
    _show_unsearched(waiting, problems, console)
    if options.json:
        print_json(
            {
                "dry_run": options.dry_run,
                "found": plan.counts,
                "mentions": [{"name": name, "in": title} for name, title in plan.search.mentions],
                "erased": erasure_id is not None,
                "erasure_id": erasure_id or None,
                "not_searched_in_queue": waiting,
                "problems": problems,
            }
        )
    return 1 if problems else 0


def _command(customer_id: str, part: Share, *, dry_run: bool = False) -> str:
    variables = {"CONFIRM": customer_id} if len(customer_id) < _SHORT_ID else {}
    if part.of > 1:
        variables["PART"] = str(part)
    if dry_run:
        variables["DRY_RUN"] = "1"
    return make_command("erase", CUSTOMER=customer_id, **variables)


def _checked(options: Namespace) -> str:
    customer_id: str = options.customer or ""
    example = "Example: make erase CUSTOMER=customer-123 DRY_RUN=1"
    if not customer_id:
        raise UsageError("CUSTOMER is missing.", example)
    try:
        customer_id.encode()
    except UnicodeEncodeError:
        raise UsageError("CUSTOMER is not valid UTF-8.", example) from None
    if len(customer_id) > _LONGEST_ID:
        raise UsageError(f"CUSTOMER has more than {_LONGEST_ID} characters, as no customer_id has.", example)
    if len(customer_id) < _SHORT_ID and options.confirm != customer_id:
        raise UsageError(
            f"CUSTOMER={customer_id} has fewer than {_SHORT_ID} characters, so other text may look like it.",
            f"Confirm it: {_command(customer_id, options.part, dry_run=options.dry_run)}",
        )
    return customer_id


def _show(plan: Plan, console: Console) -> None:
    for title, count in plan.counts.items():
        console.print(f"{title:17} {count:>9,}")
    mentions = plan.search.mentions
    if mentions:
        console.print(f"Others' events that mention the id, which are not changed: {len(mentions):,}")
        rows = (f"{name}  in {title}" for name, title in mentions)
        print_listed(rows, len(mentions), console=console)


def _show_unsearched(waiting: int, problems: list[str], console: Console) -> None:
    if waiting:
        console.print(
            f"{plural(waiting, 'message')} in the queue, which is not searched. Repeat the command when they "
            "are processed.",
            style=TROUBLE,
        )
    if problems:
        console.print(f"Not searched or not erased: {len(problems):,}", style="red")
        print_listed(problems, len(problems), console=console)
