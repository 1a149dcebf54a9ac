"""Nesting, the length of numbers and duplicate keys have limits, the same in every Python version."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import contract
from contract.limits import MAX_DEPTH, MAX_NUMBER_LENGTH, find_faults, may_break_limits
from tools.core.paths import ROOT

NOW = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
ACTIVITY = {
    "event_id": "e1", "event_type": "activity", "occurred_at": "2026-11-22T14:03:07Z", "customer_id": "c1",
    "session_id": "s1", "action": "page_view",
}  # fmt: skip
OTHER_PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def with_field(text: str) -> str:
    """A valid event with an unnamed field of this JSON text."""
    return json.dumps({**ACTIVITY, "x": "@"}).replace('"@"', text)


def broken(body: str) -> list[tuple[str, str]]:
    return [(violation.path, violation.rule) for violation in contract.read(body, NOW)[1]]


def nested(levels: int, opening: str = "[", closing: str = "]") -> str:
    return with_field(opening * (levels - 1) + "0" + closing * (levels - 1))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{ "a" : [', "]}]")])
def test_a_body_has_at_most_64_levels_of_which_the_event_is_the_first(opening: str, closing: str) -> None:
    each = opening.count("[") + opening.count("{")
    assert broken(with_field(opening * (63 // each) + "0" + closing * (63 // each))) == []
    assert broken(with_field(opening * (63 // each + 1) + "0" + closing * (63 // each + 1))) == [
        ("$", "max_depth")
    ]


def test_an_empty_container_is_a_level_too() -> None:
    assert broken(with_field("[" * 62 + "{}" + "]" * 62)) == []
    assert broken(with_field("[" * 63 + "{}" + "]" * 63)) == [("$", "max_depth")]


@pytest.mark.parametrize("sibling", ['{"a": 1}', "[1]", '{"a": {"b": 1}}', "[[], {}]"])
@pytest.mark.parametrize("deep_first", [False, True])
def test_the_limit_is_the_same_beside_many_other_containers(sibling: str, deep_first: bool) -> None:
    def beside(levels: int) -> str:
        # The event is level 1, the list of all is level 2.
        deep = "[" * (levels - 2) + "]" * (levels - 2)
        members = [deep, *[sibling] * 200] if deep_first else [*[sibling] * 200, deep]
        return with_field(f"[{', '.join(members)}]")

    assert broken(beside(64)) == []
    assert broken(beside(65)) == [("$", "max_depth")]


@pytest.mark.parametrize("levels", [65, 400, 985, 992, 1_100, 1_500, 5_000, 10_000, 100_000])
@pytest.mark.parametrize("rest", ["", "}", ', "y": NaN', "oops"])
def test_too_deep_is_one_violation_however_deep_and_whatever_else_is_wrong(levels: int, rest: str) -> None:
    body = nested(levels)
    assert broken(body[:-1] + rest + "}") == [("$", "max_depth")]
    assert broken("[" * levels) == [("$", "max_depth")]


def test_brackets_in_strings_are_no_nesting() -> None:
    assert broken(with_field(json.dumps('"[' * 500 + "\\"))) == []
    assert broken('{"a": "' + "[" * 500) == [("$", "json")]
    assert broken('{"a": "' + "[" * 500 + "\n" + "[" * 500) == [("$", "json")]


@pytest.mark.parametrize(
    "number",
    ["9" * 100, "-" + "9" * 99, "0." + "1" * 98, "1" + "0" * 49 + "e" + "0" * 48 + "1", "1e+" + "0" * 97],
)
def test_a_number_of_100_characters_is_allowed_and_one_more_is_not(number: str) -> None:
    assert len(number) == MAX_NUMBER_LENGTH
    for text, path in ((number, "$.x"), (f"[1, {number}]", "$.x[1]"), (f'{{"y": {number}}}', "$.x.y")):
        assert broken(with_field(text)) == []
        longer = text.replace(number, number.replace("1", "11", 1) if "1" in number else f"{number}9")
        assert broken(with_field(longer)) == [(path, "max_number_length")]


@pytest.mark.parametrize("number", ["9" * 5000, "1." + "0" * 5000, "1e" + "9" * 5000, "-" + "1" * 1_000_000])
def test_a_number_of_any_length_is_a_violation_and_no_crash(number: str) -> None:
    assert broken(with_field(f"[{number}]")) == [("$.x[0]", "max_number_length")]
    amounts = broken(
        json.dumps({**ACTIVITY, "event_type": "payment", "amount": 0}).replace(": 0}", f": {number}}}")
    )
    assert ("$.amount", "max_number_length") in amounts


def test_digits_in_strings_are_no_number() -> None:
    assert broken(with_field(json.dumps("9" * 5000))) == []


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": 1, "a": 1}', "$.x.a"),
        ('{"a" : 1, "b": {}, "a"\t:\n2}', "$.x.a"),
        ('[0, {"b": [{"c": 1, "c": 2}]}]', "$.x[1].b[0].c"),
        (r'{"a": 1, "\u0061": 2}', "$.x.a"),
        (r'{"a": "\u003a", "a": 2}', "$.x.a"),
        (r'{"a": "\u003A", "a": "x"}', "$.x.a"),
        ('{"": 1, "": 2}', "$.x."),
        ('{"a:b": 1, "a:b": 2}', "$.x.a:b"),
        ('{"a": "x:y", "a": "x:y:z"}', "$.x.a"),
        ('{"a": {"deep": [":"]}, "a": {}}', "$.x.a"),
        (r'{"\"a": "\\", "\"a": "\\\""}', '$.x."a'),
        (r'{"\ud800": 1, "\ud800": 2}', "$.x.\ud800"),
    ],
)
def test_a_key_that_an_object_has_twice_is_a_violation(text: str, path: str) -> None:
    assert broken(with_field(text)) == [(path, "duplicate_key")]


def test_a_key_that_several_objects_have_is_fine() -> None:
    assert broken(with_field('[{"a": 1, "b": "12:00"}, {"a": 1, "b": {"a": "urn:a:b,c"}}]')) == []
    assert broken(with_field(r'{"a:b": "\u003a", "c": "\":"}')) == []


def test_an_event_with_two_ids_is_rejected_under_none() -> None:
    body = json.dumps(ACTIVITY)[:-1] + ', "event_id": "e2"}'
    assert list(contract.read(body, NOW)[1]) == [("$.event_id", "duplicate_key", "is given more than once")]


def test_a_byte_order_mark_is_named() -> None:
    (violation,) = contract.read("\ufeff" + json.dumps(ACTIVITY), NOW)[1]
    assert violation.reason == "not JSON: it begins with a byte order mark (U+FEFF)"


def test_paths_of_senders_choice_are_cut() -> None:
    long = json.dumps("k" * 100_000)
    (violation,) = contract.read(with_field(f"{{{long}: 1, {long}: 2}}"), NOW)[1]
    assert len(violation.path) == 256


def test_two_bodies_are_the_same_up_to_the_deepest_allowed() -> None:
    assert contract.same_json(nested(MAX_DEPTH), nested(MAX_DEPTH).replace(": ", " :  "))
    assert not contract.same_json(nested(MAX_DEPTH), nested(MAX_DEPTH).replace("[0]", "[1]"))
    assert not contract.same_json(nested(MAX_DEPTH), nested(100_000))


scalars = st.sampled_from(["0", "1.5", '"a:b"', r'"\":"', r'"\u003a"', '"[{"', "true", "9" * 101, "1" * 60])
names = st.sampled_from(['"a"', r'"\u0061"', '"b"', '"a:"', '""'])
blanks = st.sampled_from(["", " ", "\n"])


def _object(members: list[tuple[str, str, str]]) -> str:
    return "{" + ",".join(f"{name}{blank}:{value}" for name, blank, value in members) + "}"


texts = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda values: f"[{','.join(values)}]")
        | st.lists(st.tuples(names, blanks, inner), max_size=4).map(_object)
    ),
    max_leaves=30,
)


def may_break(text: str) -> bool:
    objects: list[dict[str, Any]] = []

    def keep(members: dict[str, Any]) -> dict[str, Any]:
        objects.append(members)
        return members

    return may_break_limits(text.encode(), json.loads(text, object_hook=keep), objects)


@settings(max_examples=300, deadline=None)
@given(text=texts)
def test_the_cheap_counts_never_miss_what_a_scan_finds(text: str) -> None:
    repeated = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(members)) < len(members):
            repeated.append(members)
        return dict(members)

    json.loads(text, object_pairs_hook=pairs)
    faults = find_faults(text)
    assert bool(repeated) is any(fault.rule == "duplicate_key" for fault in faults)
    assert ("9" * 101 in text) is any(fault.rule == "max_number_length" for fault in faults)
    assert may_break(text) or not faults


@settings(max_examples=200, deadline=None)
@given(before=st.text("ab1:", max_size=40), digits=st.integers(90, 130), split=st.integers(0, 60))
def test_a_long_number_is_found_wherever_it_stands(before: str, digits: int, split: int) -> None:
    number = "7" * (digits - split) + ("." + "7" * (split - 1) if split > 1 else "7" * split)
    text = f"[{json.dumps(before)},{number}]"
    assert len(number) == digits
    assert may_break(text) or digits <= MAX_NUMBER_LENGTH


BODIES = [
    nested(64), nested(65), nested(985), nested(1_200), nested(5_000), nested(20_000),
    "[" * 2_000, "[" * 10**5,
    '{"a": NaN, "b": ' + "[" * 2_000, '{"a": {' * 500 + "oops", "oops" + "[" * 2_000, with_field("9" * 101),
    with_field("9" * 5_000), with_field("1e" + "9" * 30), with_field('{"a": 1, "a": 2.5}'),
    with_field("[1.5, 2.5, {}]"), with_field("NaN"), '{"a": 1,}', "[1,]", '{"a": "\\ud800"}', "\ufeff{}",
]  # fmt: skip
_VERDICTS = """
import json, sys
from datetime import UTC, datetime
sys.path.insert(0, sys.argv[1])
import contract
now = datetime(2026, 11, 22, 14, 4, tzinfo=UTC)
bodies = json.load(sys.stdin)
found = [contract.read(body, now)[1] for body in bodies]
print(json.dumps([[[one.path, one.rule] for one in violations] for violations in found]))
"""


def _interpreter(version: str) -> str | None:
    """A Python of this version: on PATH, or made by pyenv."""
    installed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for candidate in (*sorted(installed.glob(f"{version}.*/bin/python")), shutil.which(f"python{version}")):
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
            return str(candidate)
    return None


@pytest.mark.parametrize("version", OTHER_PYTHONS)
def test_every_python_has_the_same_verdicts(version: str) -> None:
    python = _interpreter(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    command = [python, "-I", "-c", _VERDICTS, str(ROOT / "lambda_src")]
    done = subprocess.run(command, input=json.dumps(BODIES), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    here = [[list(found) for found in broken(body)] for body in BODIES]
    assert json.loads(done.stdout) == here
