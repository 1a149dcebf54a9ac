"""File operations that several modules need."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.core.errors import ToolError

# Longer than a first `make up` that downloads everything.
LOCK_WAIT_SECONDS = 180


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that readers see the old content or the new content, never a part."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextmanager
def exclusive(path: Path, activity: str) -> Iterator[None]:
    """Hold the lock file ``path``. Wait up to 3 minutes for another process to release it.

    ``activity`` says what the lock's holder does, for the error message. Raises ToolError.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ToolError(
                        f"Another command has been {activity} for {LOCK_WAIT_SECONDS} s (it holds {path}). "
                        "Let it finish or stop it, then try again."
                    ) from None
                time.sleep(0.1)
        if not path.exists():
            raise ToolError("The stack was removed while this command waited for it. Start it with: make up")
        yield
