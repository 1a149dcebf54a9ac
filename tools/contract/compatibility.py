"""Compare two versions of the contract, keyword by keyword.

A change that accepts less breaks producers. One that accepts more breaks readers, who rely on the bound.
Every keyword that the compiler knows has a comparison, and a test holds both lists together.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Any, NamedTuple

from contract.checks import types_of
from tools.contract.schemas import Schema, branches, canonical, flatten

_EVENT_TYPE = "$.event_type"


class Effect(Enum):
    """Whom a change breaks."""

    COMPATIBLE = "compatible"
    PRODUCERS = "breaking for producers"
    READERS = "breaking for readers"


class Change(NamedTuple):
    """One difference: whom it breaks, where, the rule that says so, and what changed."""

    effect: Effect
    path: str
    rule: str
    what: str


@dataclass(frozen=True)
class Pair:
    """The two versions of a schema at one path, flat, and how to compare what lies below."""

    path: str
    old: Schema
    new: Schema
    keyword: str
    below: Callable[[str, Any, Any], Iterator[Change]]

    def change(self, effect: Effect, rule: str, what: str) -> Change:
        return Change(effect, self.path, rule, what)

    def values(self, default: Any = None) -> tuple[Any, Any]:
        return self.old.get(self.keyword, default), self.new.get(self.keyword, default)


Comparison = Callable[[Pair], Iterator[Change]]


def compare(old: Schema, new: Schema) -> list[Change]:
    """Return the differences between two versions of the contract."""
    open_pairs: set[tuple[str, str]] = set()

    def below(path: str, older: Any, newer: Any) -> Iterator[Change]:
        pair = canonical(older), canonical(newer)
        if pair in open_pairs:  # a schema that contains itself
            return
        open_pairs.add(pair)
        flat = flatten(old, older), flatten(new, newer)
        for keyword, comparison in COMPARISONS.items():
            if keyword in flat[0] or keyword in flat[1]:
                yield from comparison(Pair(path, *flat, keyword, below))
        open_pairs.discard(pair)

    return list(below("$", old, new))


def _annotation(pair: Pair) -> Iterator[Change]:
    return iter(())


def _bound(default: float, *, lower: bool) -> Comparison:
    def comparison(pair: Pair) -> Iterator[Change]:
        before, after = pair.values(default)
        if before != after:
            tighter = after > before if lower else after < before
            what = f"{pair.keyword} {_text(before)} is now {_text(after)}"
            effect, rule = _narrowed("bound", tighter=tighter)
            yield pair.change(effect, rule, what)

    return comparison


def _narrowed(name: str, *, tighter: bool) -> tuple[Effect, str]:
    return (Effect.PRODUCERS, f"{name} tightened") if tighter else (Effect.READERS, f"{name} loosened")


def _text(value: Any) -> str:
    return "none" if value in (None, inf, -inf) else f"{value}"


def _check(pair: Pair) -> Iterator[Change]:
    before, after = pair.values()
    what = f"{pair.keyword} {_text(before)} is now {_text(after)}"
    if before != after and after is not None:
        yield pair.change(*_narrowed("check", tighter=True), what)
    if before != after and before is not None:
        yield pair.change(*_narrowed("check", tighter=False), what)


def _type(pair: Pair) -> Iterator[Change]:
    before, after = ({*types_of(stated)} for stated in pair.values())
    for types in (before, after):
        if "number" in types:
            types.add("integer")
    yield from _values(pair, "type", before, after)


def _enum(pair: Pair) -> Iterator[Change]:
    before, after = ({canonical(value) for value in stated or ()} for stated in pair.values())
    old, new = pair.values()
    if old is None or new is None:
        yield from _check(pair)
    elif pair.path == _EVENT_TYPE and after > before:
        added = ", ".join(sorted(after - before))
        yield pair.change(
            Effect.COMPATIBLE, "event type added", f"{added}: readers ignore what they do not know"
        )
    else:
        yield from _values(pair, "enum", before, after)


def _values(pair: Pair, name: str, before: set[str], after: set[str]) -> Iterator[Change]:
    if gone := ", ".join(sorted(before - after)):
        yield pair.change(Effect.PRODUCERS, f"{name} narrowed", f"{gone} is no longer accepted")
    if added := ", ".join(sorted(after - before)):
        yield pair.change(Effect.READERS, f"{name} widened", f"{added} is now accepted")


def _required(pair: Pair) -> Iterator[Change]:
    before, after = (dict.fromkeys(names) for names in pair.values(()))
    for name in after:
        if name not in before:
            yield pair.change(Effect.PRODUCERS, "required field added", f"{name} is now required")
    for name in before:
        if name not in after:
            yield pair.change(Effect.READERS, "required field removed", f"{name} may now be missing")


def _properties(pair: Pair) -> Iterator[Change]:
    before, after = pair.values({})
    required = pair.new.get("required", ())
    for name in {**before, **after}:
        path = f"{pair.path}.{name}"
        if name in before and name in after:
            yield from pair.below(path, before[name], after[name])
        elif name in before:
            yield Change(Effect.READERS, path, "field removed", "its value may now be anything")
        elif name not in required:
            what = "a producer that sends another field of this name must rename it"
            yield Change(Effect.COMPATIBLE, path, "optional field added", what)


def _items(pair: Pair) -> Iterator[Change]:
    yield from pair.below(f"{pair.path}[]", *pair.values(True))


def _branches(pair: Pair) -> Iterator[Change]:
    before, after = branches(pair.old), branches(pair.new)
    # The branch of a type that only one version lists comes and goes with the type.
    types = {f"event_type {name}" for name in _event_types(pair.old) ^ _event_types(pair.new)}
    for when in dict.fromkeys([*before, *after]):
        if when not in types:
            older, newer = (
                _inherit(pair.old, before.get(when, True)),
                _inherit(pair.new, after.get(when, True)),
            )
            yield from pair.below(f"{when.removeprefix('event_type ')}: {pair.path}", older, newer)


def _event_types(schema: Schema) -> set[str]:
    names = schema.get("properties", {}).get("event_type", {}).get("enum", ())
    return {name for name in names if isinstance(name, str)}


def _inherit(parent: Schema, branch: Any) -> Any:
    """Return a branch with the type that the schema around it has checked."""
    return {"type": parent["type"], "allOf": [branch]} if "type" in parent else branch


def _rules(pair: Pair) -> Iterator[Change]:
    before, after = ({(rule["rule"], rule["field"]): rule for rule in rules} for rules in pair.values(()))
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        what = "rule {} of {}".format(*key)
        if old is None or new is None:
            yield pair.change(*_narrowed("rule", tighter=old is None), what)
        elif old != new:
            was, now = (
                float(rule.get("tolerance", rule.get("tolerance_seconds", inf))) for rule in (old, new)
            )
            what = f"{what}: tolerance {_text(was)} is now {_text(now)}"
            yield pair.change(*_narrowed("rule", tighter=now < was), what)


COMPARISONS: dict[str, Comparison] = {
    **dict.fromkeys(
        ["$schema", "$id", "$comment", "$defs", "title", "description", "x-version"], _annotation
    ),
    **dict.fromkeys(["default", "examples", "deprecated", "readOnly", "writeOnly"], _annotation),
    "type": _type,
    "enum": _enum,
    **dict.fromkeys(["const", "pattern", "format"], _check),
    **dict.fromkeys(["minLength", "minItems"], _bound(0, lower=True)),
    "minimum": _bound(-inf, lower=True),
    **dict.fromkeys(["maxLength", "exclusiveMaximum"], _bound(inf, lower=False)),
    **dict.fromkeys(["x-maxDecimals", "x-maxFractionDigits"], _bound(inf, lower=False)),
    "required": _required,
    "properties": _properties,
    "items": _items,
    "allOf": _branches,
    # `flatten` puts what $ref names beside it, and `branches` reads if and then with the others.
    **dict.fromkeys(["$ref", "if", "then"], _annotation),
    "x-rules": _rules,
}
