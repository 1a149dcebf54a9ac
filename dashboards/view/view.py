"""What the user chose to see with keys: the help, one panel alone, a frozen screen."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

# In the order of their numbers.
PANEL_NAMES = ("queue", "throughput", "lambda", "dynamodb", "alerts", "alarms")
HELP = Path(__file__).with_name("help.txt").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class View:
    """What is on the screen. ``has_keys`` is False for a frame that is printed."""

    has_keys: bool = False
    shows_help: bool = False
    is_frozen: bool = False
    panel: str | None = None

    def after(self, key: str) -> Self:
        """Return the view after a key. Unknown keys change nothing, but close the help."""
        if key == " ":
            return replace(self, is_frozen=not self.is_frozen)
        if key == "?" or self.shows_help:
            return replace(self, shows_help=not self.shows_help)
        if key == "\x1b":
            return replace(self, panel=None)
        if key == "\t":
            cycle = (None, *PANEL_NAMES)
            return replace(self, panel=cycle[(cycle.index(self.panel) + 1) % len(cycle)])
        if key in "123456":
            chosen = PANEL_NAMES[int(key) - 1]
            return replace(self, panel=None if chosen == self.panel else chosen)
        return self
