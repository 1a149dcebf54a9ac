"""Text from outside, made safe for a terminal and HTML; commands that keep it byte for byte; quantities."""

import html
import shlex
import string
import unicodedata

_PLAIN = string.ascii_letters + string.digits + " -_.:/"


def strip_control_chars(text: str, keep: str = "") -> str:
    """Replace every character that has no shape of its own by a visible escape, except those in ``keep``.

    That is what could forge a line, move the cursor or turn the text's direction: controls, line separators,
    format characters, private use, surrogates and code points without a character.
    """
    if text.isprintable():
        return text
    return text.translate({ord(char): _escape(char) for char in {*text} - {*keep} if not _is_visible(char)})


def escape_html(text: str) -> str:
    """Return text from outside for an HTML page: without markup and invisible characters."""
    return html.escape(strip_control_chars(text, keep="\n"))


def indent_lines(text: str, indent: str = "  ") -> str:
    """Return a message of several lines. All but the first are indented, so that none looks like output."""
    return f"\n{indent}".join(map(strip_control_chars, text.split("\n")))


def format_millis(millis: int) -> str:
    """Return a duration: ``12 ms``, ``4.1 s``, ``7.9 h``, ``3.0 d``."""
    if abs(millis) < 1_000:
        return f"{millis} ms"
    for unit, size in (("s", 1_000), ("min", 60_000), ("h", 3_600_000)):
        if abs(millis) < 120 * size:
            return f"{millis / size:.1f} {unit}"
    return f"{millis / 86_400_000:,.1f} d"


def format_bytes(count: float) -> str:
    """Return a number of bytes with a unit, in powers of 1,024."""
    for unit in ("B", "KB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.2f} GB"


def make_command(target: str, **variables: str) -> str:
    """Return a command to type: ``make get EVENT_ID=order-1``. The values reach the program byte for byte.

    make strips blanks from the start of a value on its command line, but not from the environment.
    """
    words = {name: f"{name}={quote(value)}" for name, value in variables.items()}
    before = [words[name] for name, value in variables.items() if value[:1].isspace()]
    after = [words[name] for name, value in variables.items() if not value[:1].isspace()]
    return " ".join([*before, "make", target, *after])


def quote(text: str) -> str:
    """Return text as one word of a shell. Invisible characters become octal escapes (bash, zsh, ksh)."""
    if text == strip_control_chars(text):
        return shlex.quote(text)
    encoded = text.encode("utf-8", "surrogateescape")
    return "$'" + "".join(chr(byte) if chr(byte) in _PLAIN else f"\\{byte:03o}" for byte in encoded) + "'"


def _is_visible(char: str) -> bool:
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
