"""The command verify."""

from __future__ import annotations

from argparse import Namespace

from tools.core.console import print_json, progress_steps
from tools.core.resources import Resources
from tools.ops import share
from tools.ops.commands import Commands, seconds, yes_or_no
from tools.ops.share import Share
from tools.ops.verify import cost, manifest, report
from tools.ops.verify.verify import LOOKING_UP, READING
from tools.ops.verify.verify import verify as run_checks

# The exit status if moving messages may explain all discrepancies.
UNDECIDED = 3


def register(commands: Commands) -> None:
    """Add the command."""
    option = commands.add(
        verify,
        "Asks for the rows of a run, and compares them with the archive; bodies are not hashed again. With "
        "--all, or without a run, reads all rows of the three tables and the whole archive, and hashes every "
        "body. Says first what it reads and what that costs, and asks above a million read units. Exit "
        "status: 0 if nothing is lost, 1 if something is, 3 if messages moved meanwhile and may explain all "
        "discrepancies.",
    )
    option("manifest", "a run of the producer: a path, latest or none; default: the latest run")
    option("all", "read all rows and hash every body", yes_or_no)
    option("part", share.HELP, Share.parse, "1/1")
    option("wait", "seconds to wait until the queue has drained", seconds, "60")
    option("auto-approve", "do not ask", yes_or_no)
    option("json", "print JSON", yes_or_no)


def verify(resources: Resources, options: Namespace) -> int:
    """Check that no message is lost or counted twice."""
    run = manifest.load(resources, options.manifest, options.part)
    runs = run or ()
    everything = options.all or run is None
    estimated = cost.estimate(resources, runs, options.part, everything=everything)
    if not cost.is_confirmed(estimated, approved=options.auto_approve):
        return 2
    totals = {LOOKING_UP: estimated.run_messages, READING: estimated.table_items}
    with progress_steps(totals) as progress:
        result = run_checks(
            resources,
            runs,
            wait=options.wait,
            everything=everything,
            share=options.part,
            progress=progress,
        )
    if options.json:
        print_json(report.document(result))
    else:
        report.show(result)
    return 0 if result.ok else UNDECIDED if result.is_undecided else 1
