"""What the user chose to see with keys: the help, one panel alone, a frozen screen."""

from dataclasses import dataclass, replace
from typing import Self

from dashboards.values import DASH

# In the order of their numbers.
PANEL_NAMES = ("queue", "throughput", "lambda", "dynamodb", "alerts", "alarms")
HELP = f"""\
Keys
  ?          this help
  space      freezes the screen, and continues
  1 to 6     enlarge a panel; again: all panels
  Tab        enlarges the next panel
  Esc        all panels
  q, Ctrl-C  quit

Signs
  ▲          a problem
  {DASH}          not available; the reason follows where it fits
  ≤          at most
  gap        of a chart: no data; a thin line is zero
  not bold   values: old, because their source fails
  border     the source of the values, or its error"""


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
