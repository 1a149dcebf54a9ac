"""The command verify."""

from __future__ import annotations

from argparse import Namespace

from tools.core.console import out, progress_bars
from tools.core.resources import Resources
from tools.ops.commands import Commands, seconds, yes_or_no
from tools.ops.verify import manifest, report
from tools.ops.verify.verify import verify as run_checks

# The exit status if moving messages may explain all discrepancies.
UNDECIDED = 3


def register(commands: Commands) -> None:
    """Add the command."""
    option = commands.add(
        "verify",
        verify,
        "Check that no message is lost or counted twice",
        "Reads the three tables and the whole archive. Decodes and hashes the bodies too if their total is "
        "at most 64 MiB; --deep does it for any total, --deep 0 never. Exit status: 0 if nothing is lost, "
        "1 if something is, 3 if messages moved meanwhile and may explain all discrepancies.",
    )
    option("manifest", "a run of the producer: a path, latest or none; default: the latest run")
    option("deep", "decode and hash every body", yes_or_no)
    option("wait", "seconds to wait until the queue has drained", seconds, "60")
    option("json", "print JSON", yes_or_no, "0")


def verify(resources: Resources, options: Namespace) -> int:
    """Check that no message is lost or counted twice."""
    run = manifest.load(resources, options.manifest)
    with progress_bars(None, "waiting until the queue has drained") as (progress,):
        result = run_checks(
            resources,
            run,
            wait=options.wait,
            deep=options.deep,
            progress=lambda depth: progress(depth.total),
        )
    if options.json:
        out.print(report.to_json(result))
    else:
        report.show(result)
    return 0 if result.ok else UNDECIDED if result.is_undecided else 1
