"""Two versions of the contract are compared keyword by keyword, and the new number says what breaks."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import contract
from contract.compiler import compile_schema
from contract.keywords import _KEYWORDS
from tools.contract import __main__ as command
from tools.contract import schemas
from tools.contract.compatibility import COMPARISONS, Change, Effect, compare
from tools.core.errors import ToolError

NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
PRODUCERS, READERS, COMPATIBLE = Effect.PRODUCERS, Effect.READERS, Effect.COMPATIBLE
Edit = Callable[[dict[str, Any]], Any]


def test_every_keyword_of_the_compiler_has_a_comparison() -> None:
    assert COMPARISONS.keys() == _KEYWORDS.keys()


def order(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"]["order"]
    return found


def add_refund(schema: dict[str, Any]) -> None:
    schema["properties"]["event_type"]["enum"].append("refund")
    when = {"properties": {"event_type": {"const": "refund"}}, "required": ["event_type"]}
    schema["allOf"].append({"if": when, "then": {"type": "object", "required": ["refund_id"]}})


# How a version differs from the one before, whom that breaks, and the rule; then those of the way back.
EDITS: list[tuple[Edit, list[tuple[Effect, str]], list[tuple[Effect, str]]]] = [
    (lambda s: s.update(title="x", description="y"), [], []),
    (lambda s: order(s)["properties"].update(coupon={"type": "string"}),
     [(COMPATIBLE, "optional field added")], [(READERS, "field removed")]),
    (lambda s: order(s)["required"].append("coupon"),
     [(PRODUCERS, "required field added")], [(READERS, "required field removed")]),
    (lambda s: s["$defs"]["payment"]["properties"]["method"]["enum"].remove("card"),
     [(PRODUCERS, "enum narrowed")], [(READERS, "enum widened")]),
    (lambda s: s["properties"]["customer_id"].update(maxLength=64),
     [(PRODUCERS, "bound tightened")], [(READERS, "bound loosened")]),
    (lambda s: s["properties"]["customer_id"].update(minLength=2),
     [(PRODUCERS, "bound tightened")], [(READERS, "bound loosened")]),
    (lambda s: order(s)["properties"]["items"].update(minItems=0),
     [(READERS, "bound loosened")], [(PRODUCERS, "bound tightened")]),
    (lambda s: s["$defs"]["amount"].update({"x-maxDecimals": 2}),
     [(PRODUCERS, "bound tightened")] * 2, [(READERS, "bound loosened")] * 2),
    (lambda s: s["$defs"]["item"]["properties"]["quantity"].update(type="number"),
     [(READERS, "type widened")], [(PRODUCERS, "type narrowed")]),
    (lambda s: s["properties"]["occurred_at"].pop("format"),
     [(PRODUCERS, "check tightened"), (READERS, "check loosened")],
     [(PRODUCERS, "check tightened"), (READERS, "check loosened")]),
    (lambda s: s["properties"]["customer_id"].update(pattern="^c"),
     [(PRODUCERS, "check tightened")], [(READERS, "check loosened")]),
    (lambda s: s["x-rules"][0].update(tolerance_seconds=60),
     [(PRODUCERS, "rule tightened")], [(READERS, "rule loosened")]),
    (lambda s: order(s).pop("x-rules"), [(READERS, "rule loosened")], [(PRODUCERS, "rule tightened")]),
    (add_refund, [(COMPATIBLE, "event type added")], [(PRODUCERS, "enum narrowed")]),
    # What other keywords imply changes no verdict.
    (lambda s: s["properties"]["occurred_at"].pop("pattern"), [], []),
    (lambda s: [s["$defs"]["currency"].pop(name) for name in ("minLength", "maxLength")], [], []),
    (lambda s: [s["$defs"][name].pop("type") for name in ("order", "payment", "activity")], [], []),
]  # fmt: skip


def found(old: Any, new: Any) -> list[tuple[Effect, str]]:
    return sorted(((c.effect, c.rule) for c in compare(old, new)), key=lambda one: (one[0].value, one[1]))


@pytest.mark.parametrize(("edit", "there", "back"), EDITS)
def test_a_change_breaks_producers_or_readers_by_a_rule(
    edit: Edit, there: list[tuple[Effect, str]], back: list[tuple[Effect, str]]
) -> None:
    changed = copy.deepcopy(contract.SCHEMA)
    edit(changed)
    compile_schema(changed)
    assert found(contract.SCHEMA, changed) == there
    assert found(changed, contract.SCHEMA) == back


_values: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1, 2, -1, "", "a", "b", "ab", "abc", "2026-11-22T14:03:07Z", [], [0], ["a", 3]]
) | st.dictionaries(st.sampled_from("pq"), st.sampled_from([0, 1, "a", "abc", []]))
_leaves = st.fixed_dictionaries({}, optional={
    "type": st.sampled_from(["string", "number", "integer", "object", ["string", "null"]]),
    "enum": st.lists(st.sampled_from([0, 1, "a", "ab"]), max_size=3),
    "const": st.sampled_from([0, "a"]),
    "minLength": st.integers(0, 2), "maxLength": st.integers(0, 2), "pattern": st.sampled_from(["^a", "b$"]),
    "minimum": st.integers(-1, 2), "exclusiveMaximum": st.integers(0, 3), "minItems": st.integers(0, 2),
    "format": st.just("date-time"),
})  # fmt: skip
_pattern_width = st.just({"pattern": "^[a]{2}$"})
_schemas = st.recursive(
    _leaves | _pattern_width | st.booleans(),
    lambda below: st.fixed_dictionaries(
        {"properties": st.fixed_dictionaries({"p": below, "q": below})},
        optional={
            "type": st.just("object"),
            "required": st.lists(st.sampled_from("pq"), unique=True),
            "items": below,
            "allOf": st.lists(below | st.fixed_dictionaries({"if": below, "then": below}), max_size=2),
        },
    ),
    max_leaves=6,
)


def accepts(schema: Any, value: Any) -> bool:
    violations = contract.Violations()
    compile_schema(schema)(value, (), violations, NOW)
    return not violations


@settings(max_examples=200, deadline=None)
@example(
    old={"properties": {}, "type": "object"},
    new={"properties": {}, "type": "object", "allOf": [{"type": "string"}]},
    values=[{}],
)
@example(old={"maxLength": 2}, new={"maxLength": 2, "allOf": [{"maxLength": 1}]}, values=["ab"])
@example(old={"const": 1}, new={"const": 1, "allOf": [{"const": 2}]}, values=[1])
@example(old={"pattern": "a"}, new={"pattern": "a", "allOf": [{"pattern": "b"}]}, values=["a"])
@example(old={"items": {}}, new={"items": {}, "allOf": [{"items": {"minimum": 1}}]}, values=[[0]])
@example(old={"items": {"minimum": 0}}, new={"items": {}, "allOf": [{"items": {}}]}, values=[[-1]])
@example(
    old={"if": True, "then": {}, "allOf": [{"$ref": "#/$defs/one"}], "$defs": {"one": {"if": True}}},
    new={"if": True, "allOf": [{"$ref": "#/$defs/one"}], "$defs": {"one": {"if": True, "then": False}}},
    values=[1],
)
@given(old=_schemas, new=_schemas, values=st.lists(_values, min_size=5, max_size=20))
def test_no_value_changes_its_verdict_without_a_change_that_says_so(old: Any, new: Any, values: Any) -> None:
    changes = compare(old, new)
    effects = {change.effect for change in changes}
    if any(change.rule == "optional field added" for change in changes):
        effects.add(PRODUCERS)  # for a producer that sends another field of this name
    for value in values:
        if accepts(old, value) and not accepts(new, value):
            assert PRODUCERS in effects, value
        if accepts(new, value) and not accepts(old, value):
            assert READERS in effects, value


def test_a_schema_that_contains_itself_is_compared() -> None:
    old = {"properties": {"child": {"$ref": "#"}}, "required": ["n"]}
    assert {*found(old, {**old, "required": ["n", "m"]})} == {(PRODUCERS, "required field added")}


def test_the_pattern_for_other_validators_is_the_one_that_the_format_implies() -> None:
    assert contract.SCHEMA["properties"]["occurred_at"]["pattern"] == schemas.RFC3339_PATTERN


@pytest.mark.parametrize(
    ("effect", "new", "problem"),
    [
        (None, (2, 1, 0), None),
        (None, (2, 0, 9), "lower"),
        (COMPATIBLE, (2, 1, 1), "minor"),
        (COMPATIBLE, (2, 2, 0), None),
        (READERS, (2, 2, 0), "major"),
        (PRODUCERS, (3, 0, 0), None),
    ],
)
def test_the_version_says_what_a_change_breaks(
    effect: Effect | None, new: tuple[int, int, int], problem: str | None
) -> None:
    changes = [Change(effect, "$", "", "")] if effect else []
    said = command.version_problem(changes, (2, 1, 0), new)
    assert (said is None) if problem is None else (problem in str(said))


def test_a_file_is_compared_and_a_breaking_change_without_a_major_version_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = command.SCHEMA.read_text("utf-8")
    monkeypatch.setenv("AGAINST", str(tmp_path / "old.json"))
    (tmp_path / "old.json").write_text(text)
    assert command.main() == 0
    (tmp_path / "old.json").write_text(text.replace('"maxLength": 64', '"maxLength": 65'))
    assert command.main() == 1
    said = capsys.readouterr()
    assert "breaking for producers  activity: $.action" in said.out
    assert "major version" in said.err
    (tmp_path / "old.json").write_text(text.replace('"maxLength": 64', '"uniqueItems": true'))
    assert command.main() == 1
    assert "uniqueItems" in capsys.readouterr().err
    for schema in (b"\xff\xfe", b'{"x-version": 5}', b"[]"):
        (tmp_path / "old.json").write_bytes(schema)
        assert command.main() == 1
        assert "is no schema of the contract" in capsys.readouterr().err
    (tmp_path / "old.json").write_text(text.replace('"enum": ["order", ', '"enum": ["order", {}, '))
    assert command.main() == 1


def test_without_git_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolError, match="git, which reads"):
        command.read_schema("main")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not on PATH")
@pytest.mark.parametrize("against", ["no-such-branch", "--output=x"])
def test_what_is_no_commit_is_refused(against: str) -> None:
    with pytest.raises(ToolError, match="neither"):
        command.read_schema(against)
