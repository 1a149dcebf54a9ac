"""Evaluates an IAM policy as AWS does, for what no emulator can show: some operators, no variables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any


def allows(
    statements: Iterable[Mapping[str, Any]],
    action: str,
    resource: str,
    context: Mapping[str, str] | None = None,
) -> bool:
    """Return whether a statement allows the request and none denies it.

    Raises KeyError for an unknown operator.
    """
    effects = {
        statement["Effect"]
        for statement in statements
        if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _listed(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in _listed(statement["Resource"]))
        and _met(statement.get("Condition", {}), context or {})
    }
    return effects == {"Allow"}


def _met(conditions: Mapping[str, Mapping[str, Any]], context: Mapping[str, str]) -> bool:
    # A key that the request does not have matches only a negated operator.
    operators = {
        "StringEquals": lambda value, expected: value in expected,
        "StringNotEquals": lambda value, expected: value not in expected,
        "ArnLike": lambda value, expected: (
            value is not None and any(fnmatchcase(value, pattern) for pattern in expected)
        ),
    }
    return all(
        operators[operator](context.get(key), _listed(expected))
        for operator, keys in conditions.items()
        for key, expected in keys.items()
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
