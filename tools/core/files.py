"""File operations that several modules need."""

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tools.core.errors import ToolError

# A stack with some thousand events needs less.
_MIN_FREE_MB = 50
# Longer than a first `make up` that downloads everything.
LOCK_WAIT_SECONDS = 180


def write_atomically(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file so that readers see the old content or the new content, never a part.

    Only this user can read a ``private`` file.
    """
    temporary = path.with_name(f".{path.name}.new")
    if private:
        temporary.touch()
        temporary.chmod(0o600)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def write_private(path: Path, text: str) -> None:
    """Write a file that holds customers' data: only this user may read it."""
    # A new file, because the mode of an old one stays. A device such as /dev/stdout remains what it is.
    if path.is_file():
        path.unlink()
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)


def require_space(directory: Path) -> None:
    """Raise ToolError if the disk of a directory, which need not exist yet, is full."""
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free // 2**20
    if free < _MIN_FREE_MB:
        raise ToolError(
            f"The disk of {directory} is full: {free:,} MB free.", f"Free at least {_MIN_FREE_MB} MB there."
        )


@contextmanager
def exclusive(path: Path, activity: str) -> Iterator[None]:
    """Hold the lock file ``path``. Say so at once if another process holds it, and wait up to 3 minutes.

    ``activity`` says what the lock's holder does. Raises ToolError.
    """
    with path.open("a") as file:
        if not _lock(file):
            print(
                f"Another command is {activity}. Waiting for it, {LOCK_WAIT_SECONDS} s at most.",
                file=sys.stderr,
                flush=True,
            )
            deadline = time.monotonic() + LOCK_WAIT_SECONDS
            while not _lock(file):
                if time.monotonic() > deadline:
                    raise ToolError(
                        f"Another command has been {activity} for {LOCK_WAIT_SECONDS} s (it holds {path}). "
                        "Let it finish or stop it, then try again."
                    )
                time.sleep(0.1)
        # A removed file may have been made again and locked by a third command.
        if not path.exists() or not os.path.samestat(path.stat(), os.fstat(file.fileno())):
            raise ToolError("The stack was removed while this command waited for it. Start it with: make up")
        yield


def _lock(file: IO[str]) -> bool:
    """Return whether the file could be locked now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
