"""The command demo."""

from __future__ import annotations

from argparse import Namespace

from tools.core.console import TROUBLE, err, progress_bars
from tools.core.resources import Resources
from tools.core.text import indent_lines
from tools.ops.commands import Commands, positive, seconds
from tools.ops.demo import demo as demos
from tools.ops.demo import summary
from tools.ops.demo.stalls import STALL_SECONDS


def register(commands: Commands) -> None:
    """Add the command."""
    option = commands.add(demo)
    option("count", "number of events", positive, "1000")
    option("wait", "seconds to wait until the queue has drained", seconds, "180")


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
    summary.show(result)
    return 0 if result.ok else 1
