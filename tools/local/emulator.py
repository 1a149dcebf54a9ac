"""The emulator of a stack, saved in its state directory."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tools.core.files import write_atomically
from tools.core.state import ACCESS_KEY

FILE = "emulator.json"
NAMES = {"ministack": "MiniStack", "localstack": "LocalStack"}


@dataclass(frozen=True)
class Emulator:
    """An emulator that was started for a stack, or that the user runs (kind ``endpoint``).

    ``name`` is the pid of MiniStack or the container of LocalStack, and ``mark`` identifies this start of it.
    For an endpoint, ``name`` is the flavour: ``ministack`` or ``localstack``. ``access_key`` is the
    id of the root key that it admits.
    """

    kind: str
    endpoint: str
    port: int
    name: str
    mark: str
    access_key: str = field(default=ACCESS_KEY, repr=False)

    @property
    def title(self) -> str:
        """The emulator's product and pid, container or address, for messages."""
        if self.kind == "endpoint":
            return f"{NAMES[self.name]} at {self.endpoint}"
        return f"{NAMES[self.kind]} ({'pid' if self.kind == 'ministack' else 'container'} {self.name})"

    @property
    def flavour(self) -> str:
        """The product: ``ministack`` or ``localstack``."""
        return self.name if self.kind == "endpoint" else self.kind

    def save(self, state_dir: Path) -> None:
        """Save the emulator, so that later commands find it."""
        write_atomically(state_dir / FILE, json.dumps(asdict(self), indent=2) + "\n", private=True)

    @classmethod
    def load(cls, state_dir: Path) -> "Emulator | None":
        """Return the emulator last started for the stack in ``state_dir``, or None. It may have stopped."""
        try:
            emulator = cls(**json.loads((state_dir / FILE).read_text(encoding="utf-8")))
        except (OSError, TypeError, ValueError, RecursionError):
            return None
        return emulator if emulator._is_whole() else None

    def _is_whole(self) -> bool:
        texts = (self.kind, self.endpoint, self.name, self.mark, self.access_key)
        if not isinstance(self.port, int) or not all(isinstance(text, str) for text in texts):
            return False
        return {"endpoint": self.name in NAMES, "ministack": self.name.isdecimal()}.get(
            self.kind, self.kind == "localstack"
        )


def root_key(state_dir: Path) -> str:
    """Return the id of the root key that the emulator of the stack in ``state_dir`` admits."""
    started = Emulator.load(state_dir)
    return started.access_key if started else ACCESS_KEY
