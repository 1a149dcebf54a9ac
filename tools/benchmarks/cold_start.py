"""Cold start: importing the function in a fresh interpreter, as the emulator's Lambda workers do."""

from __future__ import annotations

import compileall
import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.benchmarks.designs import ORIGINAL, OURS, POWERTOOLS
from tools.benchmarks.hosting import environment
from tools.benchmarks.measure import in_turn, spread
from tools.core.paths import EMULATOR_PYTHON

# VmHWM rather than getrusage's ru_maxrss, which begins with what the parent had when it forked.
_SCRIPT = """
import json, sys, time
def peak():
    try:
        lines = open("/proc/self/status").read().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    except OSError:
        import resource
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 / 1024
bare = peak()
wall, cpu = time.perf_counter(), time.process_time()
sys.path.insert(0, sys.argv[1])
import processor.handler
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"wall": wall, "cpu": cpu, "peak_mb": peak(), "bare_mb": bare}))
"""
# An address that nothing is sent to: making a client needs one, importing calls nobody.
_NOWHERE = "http://127.0.0.1:9"

SOURCE, BYTECODE = "source", "bytecode"


def run(rounds: int = 11) -> dict[str, Any]:
    """Milliseconds and MB by design, for the zip as it is and with its bytecode beside it.

    ``source`` is what a zip of sources costs at every cold start on AWS, where the code's directory cannot be
    written to; ``bytecode`` is what is left when the zip brings that too.
    The runtime's own packages, boto3 among them, have their bytecode in both.
    """
    with tempfile.TemporaryDirectory() as temporary:
        prepared = []
        for design in (OURS, ORIGINAL, POWERTOOLS):
            for form in (SOURCE, BYTECODE):
                files = design.lay_out(Path(temporary) / form / design.name)
                if form == BYTECODE:
                    compileall.compile_dir(files, quiet=2)
                prepared.append((design.name, form, files))
        results = in_turn(prepared, rounds, lambda one, _: _start(one[2]))
    found: dict[str, Any] = {}
    for (name, form, _), measured in zip(prepared, results, strict=True):
        found.setdefault(name, {})[form] = _summary(measured)
    return found


def _start(files: Path) -> dict[str, float]:
    done = subprocess.run(
        [str(EMULATOR_PYTHON), "-I", "-B", "-c", _SCRIPT, str(files)],
        env=environment(_NOWHERE),
        capture_output=True,
        check=True,
    )
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _summary(measured: Sequence[dict[str, float]]) -> dict[str, Any]:
    return {
        "import_ms": spread([1000 * one["wall"] for one in measured]),
        "import_cpu_ms": spread([1000 * one["cpu"] for one in measured]),
        "peak_mb": spread([one["peak_mb"] for one in measured]),
        "bare_mb": spread([one["bare_mb"] for one in measured]),
    }
