"""``PART=2/3``: several machines share the work of a command."""

import re
import zlib
from argparse import ArgumentTypeError
from dataclasses import dataclass
from typing import Self

MOST_PARTS = 1000


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the work: the second of three is ``Share(2, 3)``."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def index(self) -> int:
        """Return the number counted from 0."""
        return self.number - 1

    @property
    def is_first(self) -> bool:
        """Whether it does what only one machine may do."""
        return self.number == 1

    def has(self, name: str) -> bool:
        """Return whether this share has a name: each share has as many, and the same on every machine."""
        return self.of == 1 or part_of(name, self.of) == self.index

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse ``2/3``: the second of three parts."""
        match = re.fullmatch("([0-9]{1,4})/([0-9]{1,4})", text)
        part = cls(int(match[1]), int(match[2])) if match else cls(0)
        if not 1 <= part.number <= part.of <= MOST_PARTS:
            raise ArgumentTypeError(f"{text!r} is not a part such as 2/3, with at most {MOST_PARTS:,} parts")
        return part


WHOLE = Share()


def part_of(name: str, parts: int) -> int:
    """Return the part of a name, counted from 0."""
    return zlib.crc32(name.encode(errors="replace")) % parts
