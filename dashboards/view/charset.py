"""The characters that pictures are made of, for terminals that have them and for those that have ASCII."""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from dashboards.values import DASH

_PLAIN = str.maketrans({DASH: "-", "≤": "<", "·": "|", "…": "~", "✓": "+", "▲": "!", "│": "|", "┤": "+"})


@dataclass(frozen=True, slots=True)
class Glyphs:
    """``bars`` are the parts of a full cell, from the least to the whole; ``none`` stands for zero."""

    bars: str
    none: str
    corners: str
    across: str
    side: str
    is_ascii: bool

    def of(self, line: Text) -> Text:
        """The line in characters that the terminal's encoding has, one for one."""
        if self.is_ascii and not line.plain.isascii():
            line.plain = line.plain.translate(_PLAIN).encode("ascii", "replace").decode()
        return line


UNICODE = Glyphs("▁▂▃▄▅▆▇█", "▁", corners="╭╮╰╯", across="─", side="│", is_ascii=False)
ASCII = Glyphs(".:#", "_", corners="++++", across="-", side="|", is_ascii=True)
