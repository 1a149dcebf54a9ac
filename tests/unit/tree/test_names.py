"""Names are the field's, one per thing: the ones that were replaced do not come back."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.core.paths import ROOT

# What each name was replaced by.
REPLACED = {
    "Work": "MessageResult",
    "works": "results",
    "settle": "resolve, reconcile",
    "settle_all": "resolve",
    "settled": "resolved",
    "give_back": "return_to_queue",
    "owe_alert": "queue_alert",
    "owed": "expected",
    "needy": "needs_s3",
    "Attempt": "PendingPut",
    "Holder": "ExistingItem",
    "passing": "retryable",
    "Access": "AwsConfig",
    "ask": "request",
    "CallError": "AwsError",
    "NoAnswer": "TransportError",
    "Crew": "WorkerPool",
    "Draws": "KeyedRandom",
    "Tally": "RunStats",
    "Ledger": "SendObserver",
    "Pacer": "RateLimiter",
    "Recipe": "RunSpec",
    "Shares": "Ratios",
    "spoil": "Mutation.apply",
    "law": "reconcile",
    "Evidence": "Snapshot",
    "evidence": "snapshot",
    "Verdict": "VerifyResult",
    "holds": "ok",
    "PLACES": "OUTCOMES",
    "Heard": "AlertCounts",
    "Listener": "AlertSubscriber",
    "due": "expected_alerts",
    "patience": "idle_timeout",
    "rehearse": "dry_run",
    "Outgoing": "OutgoingMessage",
    "obstacle": "send_error",
    "Waiting": "QueuedMessage",
    "Copying": "MessageMover",
    "complain": "print_error",
    "nobody_reads": "close_stdout",
    "shown": "safe_text",
    "harmless": "strip_control_chars",
    "Say": "Log",
    "say": "log",
    "left_out": "provider_gaps",
    "LEFT_OUT": "PROVIDER_GAPS",
    "Onlooker": "DryRunClients",
    "is_lost": "removed",
    "agreed": "confirm",
    "Live": "LiveVersion",
    "Moved": "VersionChange",
    "freeze": "stage",
    "UNASKED": "AUTO_TFVARS",
    "Board": "ReadingStore",
    "glyphs": "charset",
    "Seen": "CollectResult",
    "bins": "timeseries",
    "Question": "NamedQuery",
    "Listed": "ArchiveObject",
    "Fetched": "SyncResult",
    "Span": "TimeRange",
    "surroundings": "environment",
    "rivals": "baselines",
    "RIVALS": "BASELINES",
    "lay_out": "unpack",
    "Sink": "MockAws",
    "Taken": "Request",
    "Hosted": "WorkerProcess",
    "in_turn": "interleave",
    "tariff": "prices",
    "Course": "BurstResult",
    "Rig": "ChaosHarness",
    "spoilers": "faults",
    "raining": "microburst rules",
    "storm": "simulation",
    "Storm": "Simulation",
    "World": "Harness",
}
# Replaced as names of modules alone: as other names they are ordinary words.
REPLACED_MODULES = {
    "work": "results",
    "wire": "sqs_client",
    "packing": "batching",
    "running": "cli",
    "bodies": "payloads",
    "publish_batch": "ministack_iam",
    "ministack_main": "ministack_server",
    "asking": "prompts",
    "board": "reading_store",
    "news": "alert_panels",
    "picture": "screenshot",
    "figures": "values",
    "problems": "errors",
    "sink": "mock_aws",
    "parts": "microbenchmarks",
    "headline": "load_test",
    "making": "factories",
    "building": "factories",
}
_SKIPPED = {".venv", ".cache", ".git", "build", ".stack"}


@functools.cache
def files() -> list[Path]:
    """Every Python file of the project, tests included."""
    tops = [path for path in sorted(ROOT.iterdir()) if path.is_dir() and path.name not in _SKIPPED]
    return [path for top in tops for path in sorted(top.rglob("*.py"))]


def names_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The classes, functions, parameters, fields and constants that a file defines, and their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.lineno, node.target.id
    for node in tree.body:
        if isinstance(node, ast.Assign):
            yield from ((node.lineno, target.id) for target in node.targets if isinstance(target, ast.Name))


def test_no_class_function_parameter_or_constant_has_a_replaced_name() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {name} is now {REPLACED[name.lstrip('_')]}"
        for path in files()
        for line, name in names_in(ast.parse(path.read_text("utf-8")))
        if name.lstrip("_") in REPLACED and path != Path(__file__)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", sorted(REPLACED_MODULES.keys() | REPLACED.keys()))
def test_no_module_has_a_replaced_name(name: str) -> None:
    assert [str(path.relative_to(ROOT)) for path in files() if path.stem == name] == []
