"""Measure cold starts: the import of the function in a new interpreter with the emulator's packages."""

import compileall
import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools.benchmarks.designs import ORIGINAL, OURS, POWERTOOLS
from tools.benchmarks.measure import BYTECODE, SOURCE, compare
from tools.benchmarks.worker_process import function_environment
from tools.core.paths import EMULATOR_PYTHON

# VmHWM instead of ru_maxrss, because ru_maxrss includes the memory of the parent at the fork.
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
print(json.dumps({"import_ms": 1000 * wall, "import_cpu_ms": 1000 * cpu, "peak_mb": peak(), "bare_mb": bare}))
"""
# Clients need an endpoint; the import sends no request.
_UNUSED_ENDPOINT = "http://127.0.0.1:9"


def run(rounds: int = 11) -> dict[str, Any]:
    """Return milliseconds and MB by design, for zips of sources and for zips with bytecode.

    ``source`` is the cost of every cold start on AWS, because the code's directory is read-only there and
    bytecode cannot be cached. The runtime's own packages, such as boto3, have bytecode in both cases.
    """
    with tempfile.TemporaryDirectory() as temporary:
        unpacked = {}
        for design in (OURS, ORIGINAL, POWERTOOLS):
            for form in (SOURCE, BYTECODE):
                files = design.unpack(Path(temporary) / form / design.name)
                if form == BYTECODE:
                    compileall.compile_dir(files, quiet=2)
                unpacked[f"{design.name} {form}"] = files
        results: dict[str, Any] = {}
        for name, measured in compare(unpacked, rounds, _start).items():
            design_name, form = name.split()
            results.setdefault(design_name, {})[form] = measured
        return results


def _start(files: Path) -> dict[str, float]:
    process = subprocess.run(
        [str(EMULATOR_PYTHON), "-I", "-B", "-c", _SCRIPT, str(files)],
        env=function_environment(_UNUSED_ENDPOINT),
        capture_output=True,
        check=True,
    )
    measured: dict[str, float] = json.loads(process.stdout)
    return measured
