"""Edit Terraform text without moving a line."""

from pathlib import Path
from typing import Any

import hcl2
import pytest

from tools.local import hcl


def without(text: str, *names: str) -> str:
    """Return the text without those attributes and nested blocks of its only block."""
    (block,) = hcl.parse(text)
    return hcl.apply_edits(
        text, [hcl.Edit(text_range) for name in names for text_range in block.ranges(name)]
    )


def test_a_deletion_keeps_its_line_breaks_so_that_no_other_line_moves() -> None:
    text = 'resource "a" "b" {\n  keep = 1\n  gone = [\n    1,\n    2,\n  ]\n  last = 3\n}\n'
    assert without(text, "gone") == 'resource "a" "b" {\n  keep = 1\n  \n\n\n\n  last = 3\n}\n'


def test_a_nested_block_is_deleted_with_its_content() -> None:
    text = "a {\n  scaling {\n    inner { x = 1 }\n    # } not the end\n  }\n  keep = 1\n}\n"
    assert without(text, "scaling") == "a {\n  \n\n\n\n  keep = 1\n}\n"


def test_every_block_of_the_name_is_deleted() -> None:
    assert (
        without("a {\n  rule { x = 1 }\n  keep {}\n  rule { x = 2 }\n}\n", "rule")
        == "a {\n  \n  keep {}\n  \n}\n"
    )


def test_a_dynamic_block_is_deleted_by_the_name_of_its_generated_blocks() -> None:
    text = 'a {\n  dynamic "rule" {\n    for_each = x\n    content {}\n  }\n}\n'
    assert without(text, "rule") == "a {\n  \n\n\n\n}\n"


def test_only_direct_children_of_the_block_are_deleted() -> None:
    text = "a {\n  inner {\n    gone = 1\n  }\n  gone = 2\n}\n"
    assert without(text, "gone") == "a {\n  inner {\n    gone = 1\n  }\n  \n}\n"


def test_the_only_attribute_of_a_block_on_one_line_is_deleted() -> None:
    assert without('resource "a" "b" { gone = "}" }\n', "gone") == 'resource "a" "b" {  }\n'


def test_a_comment_beside_a_deletion_stays() -> None:
    text = "a {\n  # above\n  gone = [1] # beside\n  keep = 1 // why\n}\n"
    assert without(text, "gone") == "a {\n  # above\n   # beside\n  keep = 1 // why\n}\n"


def test_a_heredoc_is_deleted_whole_even_if_a_line_looks_like_its_end() -> None:
    text = "a {\n  gone = <<-EOT\n    }\n    gone = 1\n  EOT\n  keep = 1\n}\n"
    assert without(text, "gone") == "a {\n  \n\n\n\n  keep = 1\n}\n"


def test_a_kept_heredoc_is_unchanged() -> None:
    text = 'a {\n  gone = 1\n  keep = [<<EOT\n  "${x}" }\nEOT\n    , "b"]\n}\n'
    assert without(text, "gone") == text.replace("gone = 1", "")


@pytest.mark.parametrize(
    "value",
    [
        r'"\"${var.x}\" \\ }"',
        '"$${not} %%{this}"',
        '"${var.a == "}" ? "x" : "y"}"',
        "{ for k, v in var.m : k => { ok = v >= 1 } if v != null }",
        "[for x in var.l : x.y[0].z if x.ok]",
        "var.l[*].y.0",
        "1 + (\n    2\n  )",
        "var.a ? [\n    1] : null",
        "!true",
        "-1.5e3",
    ],
)
def test_values_of_every_kind_are_found_whole_and_kept_as_written(value: str) -> None:
    text = f"a {{\n  before = 1\n  x = {value}\n  after = 2\n}}\n"
    (block,) = hcl.parse(text)
    assert [attribute.value.strip() for attribute in block.attributes] == ["1", value, "2"]
    assert without(text, "before") == text.replace("before = 1", "")
    assert without(text, "x").count("\n") == text.count("\n")
    assert "after = 2" in without(text, "x")


def test_non_ascii_letters_do_not_shift_a_deletion() -> None:
    assert (
        without('a {\n  keep = "größer → ≥ 🙂"\n  gone = 1\n}\n', "gone")
        == 'a {\n  keep = "größer → ≥ 🙂"\n  \n}\n'
    )


def test_a_replacement_has_as_many_lines_as_the_old_value() -> None:
    text = "a {\n  x = [\n    1,\n  ] # why\n  keep = 1\n}\n"
    (block,) = hcl.parse(text)
    (text_range,) = block.ranges("x")
    assert hcl.apply_edits(text, [hcl.Edit(text_range, "x = 2")]) == "a {\n  x = 2\n\n # why\n  keep = 1\n}\n"


def test_an_extracted_block_keeps_its_line_numbers_and_gets_lines_at_its_end() -> None:
    text = 'first {\n}\nsecond "x" {\n  gone = 1\n  keep = 2 # why\n}\nthird {\n}\n'
    block = hcl.parse(text)[1]
    alone = hcl.extract(text, block.range, [hcl.Edit(block.ranges("gone")[0])], ["more = 3"])
    assert alone == '\n\nsecond "x" {\n  \n  keep = 2 # why\nmore = 3\n}\n'


@pytest.mark.parametrize(
    "text", ['a "b" {}\n', 'a "b" { x = 1 }\n', 'a "b" {\n}\n', 'a "b" {\n  x = 1\n  # last\n}\n']
)
def test_lines_can_be_added_to_a_block_of_any_shape(text: str) -> None:
    (block,) = hcl.parse(text)
    (longer,) = hcl.parse(hcl.extract(text, block.range, [], ["more = 3"]))
    assert [each.name for each in longer.attributes] == [*(each.name for each in block.attributes), "more"]


def test_a_block_becomes_an_object_with_lists_of_its_nested_blocks() -> None:
    (block,) = hcl.parse('a "b" {\n  x = var.x\n  rule { n = 1 }\n  rule { n = 2 }\n}\n')
    assert " ".join(hcl.to_object(block).split()) == "{ x = var.x rule = [{ n = 1 }, { n = 2 }] }"


def test_a_dynamic_block_becomes_the_list_that_it_generates() -> None:
    text = """a {
  rule { n = 1 }
  dynamic "rule" {
    for_each = var.rules
    content { n = rule.value }
  }
}
"""
    (block,) = hcl.parse(text)
    each = "[for key, value in var.rules : { key = key, value = value }]"
    wanted = f"{{ rule = concat([{{ n = 1 }}], [for rule in {each} : {{ n = rule.value }}]) }}"
    assert " ".join(hcl.to_object(block).split()) == wanted


def test_a_dynamic_block_under_another_name_is_refused() -> None:
    text = 'a {\n  dynamic "rule" {\n    for_each = x\n    iterator = each\n    content {}\n  }\n}\n'
    (block,) = hcl.parse(text)
    with pytest.raises(hcl.UnsupportedError, match='dynamic "rule"'):
        hcl.to_object(block)


def test_a_file_that_is_not_hcl_is_refused_with_its_line() -> None:
    with pytest.raises(hcl.UnsupportedError, match="line 2"):
        hcl.parse("a {\n  x = = 1\n}\n")


def test_an_empty_file_has_no_blocks() -> None:
    assert hcl.parse("") == ()
    assert hcl.parse("# nothing yet\n") == ()


@pytest.fixture
def reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that python-hcl2 read, from an empty cache on."""
    texts: list[str] = []
    read = hcl2.loads

    def loads(text: str, **options: Any) -> Any:
        texts.append(text)
        return read(text, **options)

    monkeypatch.setattr(hcl, "CACHE_DIR", tmp_path / "cache")
    monkeypatch.setattr(hcl2, "loads", loads)
    return texts


def test_a_text_is_read_once_and_a_changed_text_again(reads: list[str]) -> None:
    assert [hcl.load("a = 1"), hcl.load("a = 1"), hcl.load("a = 2")] == [{"a": 1}, {"a": 1}, {"a": 2}]
    assert reads == ["a = 1", "a = 2"]


def test_a_damaged_file_of_the_cache_is_made_again(reads: list[str], tmp_path: Path) -> None:
    hcl.load("a = 1")
    (file,) = (tmp_path / "cache" / "hcl").iterdir()
    file.write_text('{"a"')
    assert [hcl.load("a = 1"), hcl.load("a = 1")] == [{"a": 1}] * 2
    assert reads == ["a = 1"] * 2


def test_a_cache_that_cannot_be_written_is_done_without(reads: list[str], tmp_path: Path) -> None:
    (tmp_path / "cache").touch()
    assert hcl.load("a = 1") == {"a": 1}


def test_a_text_that_is_no_hcl_is_an_error_each_time(reads: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(hcl.UnsupportedError, match="python-hcl2 cannot read this"):
            hcl.load("a = = 1")
