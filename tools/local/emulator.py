"""The emulator of a stack: which one, and whether it is the one that was started."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.core.files import write_atomically
from tools.core.state import ACCESS_KEY

FILE = "emulator.json"
NAMES = {"ministack": "MiniStack", "localstack": "LocalStack"}


@dataclass(frozen=True)
class Emulator:
    """An emulator that was started for a stack, or that somebody else runs (kind ``endpoint``).

    ``name`` is the pid of MiniStack or the container of LocalStack; ``mark`` tells this start from any other
    that ever has the same name. Of an endpoint, ``name`` is the flavour: ``ministack`` or ``localstack``.
    ``access_key`` is the id of the root key that it admits.
    """

    kind: str
    endpoint: str
    port: int
    name: str
    mark: str
    access_key: str = field(default=ACCESS_KEY, repr=False)

    @property
    def title(self) -> str:
        """The emulator in a sentence: what it is and what to look it up by."""
        if self.kind == "endpoint":
            return f"{NAMES[self.name]} at {self.endpoint}"
        return f"{NAMES[self.kind]} ({'pid' if self.kind == 'ministack' else 'container'} {self.name})"

    @property
    def flavour(self) -> str:
        """Whose ways it has: ``ministack`` or ``localstack``."""
        return self.name if self.kind == "endpoint" else self.kind

    def save(self, state_dir: Path) -> None:
        """Write down what was started, so that a later command finds it."""
        write_atomically(state_dir / FILE, json.dumps(asdict(self), indent=2) + "\n", private=True)

    @classmethod
    def load(cls, state_dir: Path) -> "Emulator | None":
        """What was started last for the stack in ``state_dir``; it may have ended since."""
        try:
            return cls(**json.loads((state_dir / FILE).read_text(encoding="utf-8")))
        except (OSError, TypeError, ValueError):
            return None


def root_key(state_dir: Path) -> str:
    """Return the id of the root key that the emulator of the stack in ``state_dir`` admits."""
    started = Emulator.load(state_dir)
    return started.access_key if started else ACCESS_KEY
