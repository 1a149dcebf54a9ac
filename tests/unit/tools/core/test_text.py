from __future__ import annotations

import pytest

from tools.core.console import pad, safe_text
from tools.core.text import escape_html, format_bytes, indent_lines, strip_control_chars


@pytest.mark.parametrize(
    "char",
    [
        *("\n", "\r", "\t", "\0", "\x1b", "\x7f", "\x85", "\x9b"),
        *("\u2028", "\u2029", "\u200b", "\u200d", "\u202e", "\u2066", "\ufeff", "\u00ad"),
        *("\ue000", "\U000f0000", "\U000e0041", "\u0378", "\ud800", "\uffff"),
    ],
)
def test_a_character_without_a_shape_is_shown_escaped(char: str) -> None:
    shown = strip_control_chars(f"a{char}b")
    assert (
        shown == f"a\\{'u' if ord(char) < 0x10000 else 'U'}{ord(char):0{4 if ord(char) < 0x10000 else 8}x}b"
    )
    assert safe_text(f"a{char}b").plain == shown
    assert char == "\n" or char not in escape_html(f"a{char}b")


@pytest.mark.parametrize("text", ["größer", "a\u00a0b\u3000c", "e\u0301", "\u4f60\u597d", "\U0001f600", ""])
def test_other_text_is_shown_as_it_is(text: str) -> None:
    assert strip_control_chars(text) == text


def test_lines_of_a_message_cannot_be_taken_for_other_output() -> None:
    assert indent_lines("failed:\nwhy\x1b") == "failed:\n  why\\u001b"


@pytest.mark.parametrize("text", ["ab", "\u4f60", "\U0001f600", "e\u0301x", "\u200d"])
def test_columns_stay_aligned_next_to_wide_and_combining_characters(text: str) -> None:
    assert safe_text(pad(text, 10)).cell_len == safe_text(pad(text, 10, right=True)).cell_len == 10


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (2048, "2.0 KB"), (5 * 2**30, "5.00 GB")]
)
def test_bytes_are_printed_with_a_unit(count: int, text: str) -> None:
    assert format_bytes(count) == text
