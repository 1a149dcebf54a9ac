"""The text of the deployer's policy."""

import json
from pathlib import Path

import pytest

from tests.unit.tools.deploy.factories import ACCOUNT, environment
from tools.deploy.__main__ import main
from tools.deploy.policy import ATHENA, MAX_CHARACTERS, TEMPLATE, document

# Statements that AWS does not allow to limit. tools/deploy/policy.py gives the reasons.
ON_EVERYTHING = {"FeedFunctions", "CompositeAlarms", "SubscriptionsHaveNoName"}


@pytest.fixture
def statements(tmp_path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = document(environment(tmp_path), ACCOUNT)["Statement"]
    return found


@pytest.mark.parametrize("template", [TEMPLATE, ATHENA])
def test_it_fits_into_a_managed_policy(tmp_path: Path, template: Path) -> None:
    longest = environment(tmp_path, 'name_prefix = "a234567890123456789012"\nregion = "ap-southeast-7"')
    text = json.dumps(document(longest, ACCOUNT, template), separators=(",", ":"))
    assert len(text) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_it_names_things_in_the_partition_of_the_region(tmp_path: Path, region: str, partition: str) -> None:
    text = json.dumps(document(environment(tmp_path, f'region = "{region}"'), ACCOUNT))
    assert text.count("arn:") == text.count(f"arn:{partition}:")


def test_every_action_is_named_in_full(statements: list[dict[str, object]]) -> None:
    assert "*" not in json.dumps([statement["Action"] for statement in statements])


def test_all_other_statements_are_limited_to_the_environments_names(
    statements: list[dict[str, object]],
) -> None:
    for statement in statements:
        resources = statement["Resource"]
        for resource in [resources] if isinstance(resources, str) else list(resources):  # type: ignore[call-overload]
            named = "rt-pipeline-dev-" in resource or f"rt-pipeline-state-{ACCOUNT}" in resource
            listing = statement["Sid"] in ("FindLogGroups", "TagMappings")
            assert named or listing or statement["Sid"] in ON_EVERYTHING, statement


def test_athenas_policy_is_limited_to_the_environments_catalog_and_workgroup(tmp_path: Path) -> None:
    catalog, workgroup = document(environment(tmp_path), ACCOUNT, ATHENA)["Statement"]
    start = f"arn:aws:glue:us-east-1:{ACCOUNT}:"
    whole, *narrow = catalog["Resource"]
    # To make a database in a catalog is an action on the catalog too.
    assert whole == f"{start}catalog"
    assert all("rt_pipeline_dev_archive" in resource for resource in narrow)
    assert workgroup["Resource"] == f"arn:aws:athena:us-east-1:{ACCOUNT}:workgroup/rt-pipeline-dev-*"
    assert "*" not in json.dumps([catalog["Action"], workgroup["Action"]])


def test_roles_are_passed_to_lambda_only(statements: list[dict[str, object]]) -> None:
    (passing,) = [statement for statement in statements if statement["Action"] == ["iam:PassRole"]]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}


def test_mappings_are_limited_to_their_functions(statements: list[dict[str, object]]) -> None:
    (feeding,) = [statement for statement in statements if statement["Sid"] == "FeedFunctions"]
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:rt-pipeline-dev-*"
    assert feeding["Condition"] == {"ArnLike": {"lambda:FunctionArn": function}}


def test_only_the_lock_and_the_record_of_the_state_may_be_deleted(
    statements: list[dict[str, object]],
) -> None:
    (unlock,) = [statement for statement in statements if statement["Sid"] == "UnlockState"]
    bucket = f"arn:aws:s3:::rt-pipeline-state-{ACCOUNT}-us-east-1"
    assert unlock["Resource"] == [f"{bucket}/dev/terraform.tfstate.tflock", f"{bucket}/dev/deployed.json"]


def test_plan_prints_the_policy_instead_when_asked(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "dev.tfvars").write_text('environment = "dev"\nallowed_account_ids = ["123456789012"]\n')
    assert main(["plan", "--policy", "--var-file", str(tmp_path / "dev.tfvars")]) == 0
    assert json.loads(capsys.readouterr().out)["Version"] == "2012-10-17"
