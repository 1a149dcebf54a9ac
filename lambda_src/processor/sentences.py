"""The sentence that people get of an alert, by e-mail and by SMS.

Its template is a format string over the fields of the alert. Values come from senders, so they are cut, and
characters that could forge a line or cost a second SMS are replaced.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

# GSM 03.38, the basic table without line breaks: 160 of these characters are one SMS.
_GSM7 = frozenset(
    "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà" + string.digits + string.ascii_letters
)
_SIMILAR = str.maketrans("[]{}\\|~^`", "()()//--'")
_SMS_LENGTH = 160
# Of a value. In an SMS every value of a sentence finds room; an e-mail has the longest id whole.
_SMS_VALUE, _EMAIL_VALUE = 40, 256


def email_sentence(template: str, fields: Mapping[str, Any]) -> str:
    """Return the sentence on one line, without invisible characters."""
    return _fill(template, fields, _printable, _EMAIL_VALUE)


def sms_sentence(template: str, fields: Mapping[str, Any]) -> str:
    """Return the sentence in at most 160 characters of GSM-7."""
    return _cut(_fill(template, fields, _gsm7, _SMS_VALUE), _SMS_LENGTH)


def _fill(template: str, fields: Mapping[str, Any], clean: Callable[[str], str], limit: int) -> str:
    return _Formatter(clean, limit).vformat(template, (), fields)


class _Formatter(string.Formatter):
    def __init__(self, clean: Callable[[str], str], limit: int) -> None:
        self._clean = clean
        self._limit = limit

    def format_field(self, value: Any, format_spec: str) -> str:
        text = _money(value) if format_spec == "money" else str(value)
        # Cut first: a value may be long.
        return self._clean(_cut(text, self._limit))


def _money(amount: str) -> str:
    """Return ``1250.5`` as ``1,250.50``: people read at least two decimals."""
    whole, _, decimals = f"{Decimal(amount):,f}".partition(".")
    return f"{whole}.{decimals:0<2}"


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."


def _printable(text: str) -> str:
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _gsm7(text: str) -> str:
    return "".join(c if c in _GSM7 else "?" for c in text.translate(_SIMILAR))
