"""Define the characters that the screen is drawn with: Unicode, or ASCII for terminals without it."""

from dataclasses import dataclass

from rich.text import Text

from dashboards.values import DASH

_ASCII_FOR = str.maketrans({DASH: "-", "≤": "<", "·": "|", "…": "~", "✓": "+", "▲": "!", "│": "|", "┤": "+"})


@dataclass(frozen=True, slots=True)
class Charset:
    """The characters of bars and borders.

    ``bars`` are the fractions of a full cell in ascending order; ``zero`` marks a value of zero.
    """

    bars: str
    zero: str
    corners: str
    horizontal: str
    vertical: str
    is_ascii: bool

    def encode(self, line: Text) -> Text:
        """Return the line in characters that the terminal can show, one for one."""
        if self.is_ascii and not line.plain.isascii():
            line.plain = line.plain.translate(_ASCII_FOR).encode("ascii", "replace").decode()
        return line


UNICODE = Charset("▁▂▃▄▅▆▇█", "▁", corners="╭╮╰╯", horizontal="─", vertical="│", is_ascii=False)
ASCII = Charset(".:#", "_", corners="++++", horizontal="-", vertical="|", is_ascii=True)
