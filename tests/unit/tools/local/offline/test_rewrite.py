"""Rewrite config text for the old provider."""

import pytest

from tools.local.hcl import UnsupportedError
from tools.local.offline.provider_gaps import API_CALL, ProviderGap, Unreadable
from tools.local.offline.rewrite import CARRIER_FILE, REQUIREMENT_FILE, Rewritten, rewrite

ENDPOINT = "http://127.0.0.1:4566"
NEW_ARGUMENT = ProviderGap("aws_thing", "new", "nothing: it is the default")
SET_LATER = ProviderGap("aws_thing", "later", API_CALL)
NARROWED = ProviderGap("aws_thing", "size", API_CALL, in_config="1")
NEW_RESOURCE = ProviderGap("aws_new_thing", None, "nothing: it is the default")
NEW_RESOURCE_SET_LATER = ProviderGap("aws_new_thing", None, API_CALL)


def rewritten(text: str, *provider_gaps: ProviderGap, unreadable: tuple[Unreadable, ...] = ()) -> Rewritten:
    files = {"main.tf": text, "provider.tf": 'provider "aws" {\n}\n'}
    return rewrite(files, ENDPOINT, provider_gaps, unreadable)


def said(result: Rewritten, file: str) -> str:
    """The text of a file with all white space as one space."""
    return " ".join(result.files[file].split())


def test_a_listed_argument_is_deleted() -> None:
    result = rewritten('resource "aws_thing" "x" {\n  new = 1\n  old = 2\n}\n', NEW_ARGUMENT)
    assert result.files["main.tf"] == 'resource "aws_thing" "x" {\n  \n  old = 2\n}\n'
    assert result.used == {NEW_ARGUMENT}


def test_an_unknown_argument_that_is_not_listed_stays() -> None:
    text = 'resource "aws_thing" "x" {\n  new  = 1\n  nwe  = 2\n}\n'
    assert "nwe  = 2" in rewritten(text, NEW_ARGUMENT).files["main.tf"]


def test_an_argument_of_that_name_in_another_resource_stays() -> None:
    text = 'resource "aws_other" "x" {\n  new = 1\n}\n\ndata "aws_thing" "x" {\n  new = 1\n}\n'
    result = rewritten(text, NEW_ARGUMENT)
    assert result.files["main.tf"] == text
    assert result.used == set()


def test_terraform_evaluates_the_values_that_an_api_call_sets() -> None:
    result = rewritten('resource "aws_thing" "x" {\n  later = var.a\n}\n', SET_LATER)
    assert "later" not in result.files["main.tf"]
    assert said(result, CARRIER_FILE) == (
        'resource "terraform_data" "provider_gaps" { '
        'input = [{ type = "aws_thing" id = aws_thing.x.id values = { later = var.a } }] }'
    )


def test_a_value_that_only_the_call_can_know_is_not_evaluated() -> None:
    entry = ProviderGap("aws_thing", "version", API_CALL, in_config='"0"', evaluated=False)
    result = rewritten('resource "aws_thing" "x" {\n  version = aws_other.y.version\n}\n', entry)
    assert "values = { }" in said(result, CARRIER_FILE)
    assert "aws_other" not in "".join(result.files.values())


def test_the_provider_reads_no_credentials_from_a_file_and_checks_the_account_unless_it_is_root() -> None:
    files = {"provider.tf": 'provider "aws" {\n}\n'}
    as_root = rewrite(files, ENDPOINT, (), ()).files["provider.aws.tf"]
    as_somebody = rewrite(files, ENDPOINT, (), (), as_root=False).files["provider.aws.tf"]
    assert "skip_requesting_account_id" in as_root
    assert "skip_requesting_account_id" not in as_somebody
    for line in ("access_key", "secret_key"):
        assert line not in as_root + as_somebody


def test_a_validated_argument_gets_another_value_until_the_api_call() -> None:
    text = 'locals {\n}\nresource "aws_thing" "x" {\n  size = var.size\n  old  = 2\n}\n'
    result = rewritten(text, NARROWED)
    assert result.files["main.tf"] == "locals {\n}\n\n\n\n\n"
    assert result.files["main.aws_thing.x.tf"] == (
        '\n\nresource "aws_thing" "x" {\n  size = 1\n  old  = 2\nlifecycle {\nignore_changes = [size]\n}\n}\n'
    )
    assert "values = { size = var.size }" in said(result, CARRIER_FILE)


def test_a_resource_without_a_narrowed_argument_gets_it() -> None:
    result = rewritten('resource "aws_thing" "x" {\n}\n', NARROWED)
    assert said(result, "main.aws_thing.x.tf") == (
        'resource "aws_thing" "x" { size = 1 lifecycle { ignore_changes = [size] } }'
    )
    assert "values = { }" in said(result, CARRIER_FILE)


def test_a_listed_resource_is_removed_from_every_depends_on_too() -> None:
    waiting = 'resource "aws_other" "y" {\n  depends_on = [\n    aws_a.b,\n    %s\n    aws_c.d,\n  ]\n}\n'
    text = 'resource "aws_new_thing" "x" {\n  a = 1\n}\n' + waiting % "aws_new_thing.x,#"
    assert rewritten(text, NEW_RESOURCE).files["main.tf"] == "\n\n\n" + waiting % "#"


def test_a_resource_with_the_same_prefix_stays_in_depends_on() -> None:
    text = 'resource "aws_new_thing" "x" {\n}\noutput "o" {\n  depends_on = [%s]\n}\n'
    result = rewritten(text % "aws_new_thing.x2, aws_new_thing.x", NEW_RESOURCE)
    assert "depends_on = [aws_new_thing.x2, ]" in result.files["main.tf"]


def test_a_reference_to_a_removed_resource_stays_for_terraform_to_refuse() -> None:
    text = 'resource "aws_new_thing" "x" {\n}\noutput "o" {\n  value = aws_new_thing.x.id\n}\n'
    assert "aws_new_thing.x.id" in rewritten(text, NEW_RESOURCE).files["main.tf"]


def test_all_arguments_of_a_resource_are_evaluated_if_an_api_call_replaces_it() -> None:
    text = (
        'resource "aws_new_thing" "x" {\n  name = "n"\n  rule {\n    on = true\n  }\n'
        "  lifecycle {\n    prevent_destroy = true\n  }\n  depends_on = [aws_other.y]\n}\n"
    )
    assert said(rewritten(text, NEW_RESOURCE_SET_LATER), CARRIER_FILE) == (
        'resource "terraform_data" "provider_gaps" { '
        'input = [{ type = "aws_new_thing" id = null values = { name = "n" rule = [{ on = true }] } }] }'
    )


def test_every_call_of_the_provider_goes_to_the_endpoint() -> None:
    result = rewritten("")
    for service in ("sqs", "lambda", "cloudwatchlogs", "sts", "cloudwatchevents"):
        assert f' {service} = "{ENDPOINT}" ' in said(result, "provider.aws.tf")
    assert 'version = "3.39.0"' in result.files[REQUIREMENT_FILE]


def test_a_config_that_does_not_configure_the_provider_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="provider"):
        rewrite({"main.tf": 'resource "aws_thing" "x" {\n}\n'}, ENDPOINT, (), ())


def test_a_second_provider_under_an_alias_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="twice"):
        rewrite({"main.tf": 'provider "aws" {\n}\nprovider "aws" {\n  alias = "b"\n}\n'}, ENDPOINT, (), ())


def test_a_false_difference_is_ignored() -> None:
    result = rewritten('resource "aws_thing" "x" {\n}\n', unreadable=(Unreadable("aws_thing", "state"),))
    assert said(result, "main.aws_thing.x.tf") == (
        'resource "aws_thing" "x" { lifecycle { ignore_changes = [state] } }'
    )


def test_an_unreadable_resource_is_replaced_only_with_its_definition() -> None:
    text = 'resource "aws_thing" "x" {\n  a = 1\n}\n'
    result = rewritten(text, unreadable=(Unreadable("aws_thing", None),))
    assert said(result, "main.aws_thing.x.tf") == (
        'resource "aws_thing" "x" { a = 1 lifecycle { ignore_changes = all '
        "replace_triggered_by = [terraform_data.aws_thing_x] } }"
    )
    assert 'resource "terraform_data" "aws_thing_x" { input = { a = 1 } }' in said(result, CARRIER_FILE)


def test_values_that_are_set_later_are_evaluated_for_each_instance() -> None:
    counted = 'resource "aws_thing" "x" {\n  count = var.n\n  later = count.index\n}\n'
    assert said(rewritten(counted, SET_LATER), CARRIER_FILE) == (
        'resource "terraform_data" "provider_gaps" { input = concat([], '
        "[for count in [for index in range(var.n) : { index = index }] : "
        '{ type = "aws_thing" id = aws_thing.x[count.index].id values = { later = count.index } }]) }'
    )
    each = 'resource "aws_thing" "x" {\n  for_each = var.m\n  later = each.value\n}\n'
    assert said(rewritten(each, SET_LATER), CARRIER_FILE) == (
        'resource "terraform_data" "provider_gaps" { input = concat([], '
        "[for each in [for key, value in var.m : { key = key, value = value }] : "
        '{ type = "aws_thing" id = aws_thing.x[each.key].id values = { later = each.value } }]) }'
    )


def test_each_unreadable_instance_is_replaced_only_with_its_own_definition() -> None:
    text = 'resource "aws_thing" "x" {\n  count = var.n\n  a = count.index\n}\n'
    result = rewritten(text, unreadable=(Unreadable("aws_thing", None),))
    assert "replace_triggered_by = [terraform_data.aws_thing_x[count.index]]" in said(
        result, "main.aws_thing.x.tf"
    )
    assert 'resource "terraform_data" "aws_thing_x" { count = var.n input = { a = count.index } }' in said(
        result, CARRIER_FILE
    )


def test_a_resource_with_its_own_lifecycle_block_is_refused() -> None:
    text = 'resource "aws_thing" "x" {\n  lifecycle {\n    ignore_changes = [tags]\n  }\n}\n'
    with pytest.raises(UnsupportedError, match=r"aws_thing\.x"):
        rewritten(text, NARROWED)


def test_a_file_that_cannot_be_read_is_named_with_its_line() -> None:
    with pytest.raises(UnsupportedError, match=r"main\.tf, line 1"):
        rewritten("resource {{\n")
