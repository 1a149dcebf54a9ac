r"""Translates the regular expressions of JSON Schema (ECMA 262, Unicode mode) into Python's.

The two differ: in Python ``$`` also matches before a last line break, ``\d`` and ``\w`` match every alphabet,
``.`` matches a carriage return, and ``[]`` does not end. What has no equal in Python is refused.
"""

from __future__ import annotations

import re

# ECMA 262's WhiteSpace and LineTerminator, and all other characters, both as the inside of a class.
_SPACE = r"\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NOT_SPACE = (
    r"\0-\x08\x0e-\x1f!-\x9f\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    r"\u3001-\ufefe\uff00-\U0010ffff"
)
_FLAGS = re.VERBOSE | re.DOTALL | re.ASCII
_ESCAPE = r"""
    \\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})
    | \\u\{(?P<point>[0-9a-fA-F]+)\}
    | \\c(?P<control>[A-Za-z])
    | \\(?P<space>[sS])
    | \\(?P<literal>[\^$\\.*+?()\[\]{}|/])
    | (?P<same>\\(?:[dDwWtnvfr]|0(?!\d)|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}))
"""
_OUTSIDE_CLASS = re.compile(
    rf"""{_ESCAPE}
    | \\k<(?P<name>\w+)>
    | \(\?<(?P<named>[A-Za-z_]\w*)>
    | (?P<empty>\[\^?\])
    | (?P<repeat>(?:[*+?]|\{{\d+(?:,\d*)?\}})\??)
    | (?P<other>\\[bB] | \\[1-9]\d* | \(\?(?:[:=!]|<[=!]) | \((?!\?) | \[\^? | [^\\?*+{{}}\[\](])
    """,
    _FLAGS,
)
_IN_CLASS = re.compile(rf"{_ESCAPE} | \\(?P<hyphen>-) | (?P<end>\]) | (?P<other>[^\\])", _FLAGS)


class UntranslatedPattern(ValueError):
    """The pattern is not of ECMA 262, or Python has nothing equal; the message says which part."""


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of JSON Schema. Raises UntranslatedPattern."""
    try:
        # ASCII makes \d, \w and \b mean what ECMA 262 says; \s is translated, because there it is Unicode's.
        return re.compile(_python(pattern), re.ASCII)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        raise UntranslatedPattern(f"the pattern {pattern[:80]} ({error})") from None


def _python(pattern: str) -> str:
    parts: list[str] = []
    in_class = repeated = False
    at = 0
    while at < len(pattern):
        token = (_IN_CLASS if in_class else _OUTSIDE_CLASS).match(pattern, at)
        kind = token.lastgroup if token else None
        if token is None or kind is None or (kind == "repeat" and repeated):
            raise UntranslatedPattern(f"{pattern[at : at + 8]} at character {at}")
        parts.append(_translated(kind, token, in_class=in_class))
        in_class = (in_class and kind != "end") or (not in_class and token[0] in ("[", "[^"))
        repeated = kind == "repeat"
        at = token.end()
    return "".join(parts)


def _translated(kind: str, token: re.Match[str], *, in_class: bool) -> str:
    text = token[0]
    if kind == "low":
        high, low = int(token["high"], 16), int(token["low"], 16)
        return re.escape(chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF)))
    if kind == "point":
        return re.escape(chr(int(token["point"], 16)))
    if kind == "control":
        return f"\\x{ord(token['control']) % 32:02x}"
    if kind == "name":
        return f"(?P={token['name']})"
    if kind == "named":
        return f"(?P<{token['named']}>"
    if kind == "space":
        inside = _SPACE if token["space"] == "s" else _NOT_SPACE
        return inside if in_class else f"[{inside}]"
    if kind == "empty":
        return "(?!)" if text == "[]" else "(?s:.)"
    if in_class:
        # Python warns of these in a class, because it may give them a meaning one day.
        return f"\\{text}" if text in "[&~|" else text
    return {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]"}.get(text, text)
