"""Random cases for the fuzz tests: the same on every machine, or as long and from where a run says.

``FUZZ_SECONDS=600 FUZZ_SEED=20261126 make test ARGS=-mfuzz`` is the nightly job's: 600 seconds for each
test. A failure names the seed of its case, and ``FUZZ_SEED`` of that number begins with it.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

SECONDS = float(os.environ.get("FUZZ_SECONDS") or 0)
SEED = int(os.environ.get("FUZZ_SEED") or 16)
# Characters with a meaning for a shell, make, a terminal, rich, HTML, CSV or a pattern.
_SPECIAL = (
    "\n\r\t\0\x1b\x7f\x9b \"'`$\\#=+-@;,|&<>()[]{}*?!~%^:/.\u2028\u2029\u202e\u200d\ufeff\ue000\u0301\u00ad"
)
_WIDE = "\u4f60\u597d\U0001f600\U0001f1e9\u0e33\uff21"


def seeds(cases: int) -> Iterator[int]:
    """Yield a seed for each of so many cases, and more until the time is over."""
    deadline = time.monotonic() + SECONDS
    for seed in count(SEED):
        if seed >= SEED + cases and time.monotonic() >= deadline:
            break
        yield seed


@contextmanager
def case(seed: int) -> Iterator[random.Random]:
    """Give a case its random numbers, and name its seed if it fails."""
    try:
        yield random.Random(seed)
    except BaseException as error:
        error.add_note(f"To repeat it: FUZZ_SEED={seed}")
        raise


def text(numbers: random.Random, longest: int = 30) -> str:
    """Return text of any characters that UTF-8 can hold, special ones above all."""
    return "".join(_character(numbers) for _ in range(numbers.randint(1, longest)))


def _character(numbers: random.Random) -> str:
    kind = numbers.random()
    if kind < 0.4:
        return numbers.choice(_SPECIAL)
    if kind < 0.6:
        return chr(numbers.randint(0x20, 0x7E))
    if kind < 0.7:
        return numbers.choice(_WIDE)
    code = numbers.randint(0, 0x10FFFF - 0x800)
    return chr(code + 0x800 if code >= 0xD800 else code)
