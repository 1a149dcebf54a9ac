"""Small file operations that more than one module needs."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.core.errors import StackError

# Longer than a first `make up` with everything downloaded; past it something hangs.
LOCK_WAIT_SECONDS = 180


def write_atomically(path: Path, text: str, *, private: bool = False) -> None:
    """Write ``text`` so that a reader sees the old file or the new one, never a part.

    A ``private`` file can be read by this user alone.
    """
    temporary = path.with_name(f".{path.name}.new")
    if private:
        temporary.touch()
        temporary.chmod(0o600)
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextmanager
def exclusive(path: Path, work: str) -> Iterator[None]:
    """Hold the lock file ``path``, waiting up to 3 minutes for whoever holds it now.

    ``work`` says in a few words what the holder is doing. Raises StackError when the wait was in vain.
    """
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    with path.open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise StackError(
                        f"Another command has been {work} for {LOCK_WAIT_SECONDS} s (it holds {path}). "
                        "Let it finish or stop it, then try again."
                    ) from None
                time.sleep(0.1)
        if not path.exists():
            raise StackError("The stack was removed while this waited for it. Start it with: make up")
        yield
