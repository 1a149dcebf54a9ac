"""Writes docs/verified.md, and the README's line about it, after a green run of all tests in an account."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.benchmarks.cost.measured import Measured
from tools.benchmarks.cost.model import OURS, compute_cost
from tools.benchmarks.cost.workload import MONTH_SECONDS, Workload
from tools.benchmarks.tables import markdown_table
from tools.core.files import write_atomically
from tools.core.paths import ROOT
from tools.deploy.receipt import Receipt

PAGE = Path("docs/verified.md")
README = Path("README.md")
LINE = re.compile(r"Last verified on AWS: ([^.\n]+)\.")
# The tests send most events alone, and few above this size.
_KB = 4


def facts(pipeline: Any) -> dict[str, str]:
    """Return what only the stack of a run knows. Called before it is destroyed."""
    function = pipeline.state.client("lambda").get_function_configuration(
        FunctionName=pipeline.state.outputs["function_name"]
    )
    tables = ("table_name", "rejected_table_name", "duplicates_table_name")
    return {
        "region": pipeline.state.region,
        "runtime": function["Runtime"],
        "rows": str(sum(pipeline.count(table) for table in tables)),
    }


def page(receipt: Receipt, stack: Mapping[str, str], seconds: float) -> str:
    """Return the page. It does not name the account."""
    rows = int(stack["rows"])
    cost = compute_cost(Workload(sizes=((_KB, 1.0),), batch=1), OURS, Measured.load())
    dollars = rows * cost.total / 1_000_000 + cost.fixed_month * seconds / MONTH_SECONDS
    dirty = ", with uncommitted changes" if receipt.tree_dirty else ""
    tests = ", ".join(f"{count:,} {outcome}" for outcome, count in receipt.tests.items())
    table = markdown_table(
        ["what", "value"],
        [
            ["time", f"{receipt.time}, after {seconds / 60:.0f} minutes"],
            ["region", stack["region"]],
            ["commit", f"{receipt.commit}{dirty}"],
            ["Terraform", receipt.terraform],
            ["AWS provider", receipt.provider],
            ["Python", f"{platform.python_version()}, the functions {stack['runtime']}"],
            ["tests", tests],
            [
                "cost",
                f"about {dollars:.2f} USD: {rows:,} stored rows of {_KB} KB at the prices of `make cost`",
            ],
        ],
    )
    return (
        f"# Verified on AWS\n\nLast verified on AWS: {receipt.time[:10]}.\n\n"
        "`make test TARGET=account` wrote this page: all tests passed in an AWS account.\n\n"
        f"{table}\n\nThe cost is an estimate, without alarms and without the stacks that single tests make.\n"
    )


def write(receipt: Receipt, stack: Mapping[str, str], seconds: float, root: Path = ROOT) -> None:
    """Write the page, and its date into the README."""
    text = page(receipt, stack, seconds)
    write_atomically(root / PAGE, text)
    readme = (root / README).read_text("utf-8")
    found = LINE.search(text)
    assert found
    write_atomically(root / README, LINE.sub(found[0], readme))
