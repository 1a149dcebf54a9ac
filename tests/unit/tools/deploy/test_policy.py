"""The text of the deployer's policy."""

import json
from pathlib import Path

import pytest

from tests.iam import allows
from tests.unit.tools.deploy.factories import ACCOUNT, environment
from tools.deploy.__main__ import main
from tools.deploy.policy import ATHENA, BOUNDARY, KMS, MAX_CHARACTERS, TEMPLATE, document

# Statements that AWS does not allow to limit. tools/deploy/policy.py gives the reasons.
ON_EVERYTHING = {
    *("FeedFunctions", "HaveNoName"),
    # Refuses.
    "RolesOnlyWithBoundary",
}
BOUNDARY_ARN = f"arn:aws:iam::{ACCOUNT}:policy/rt-pipeline-dev-boundary-us-east-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/rt-pipeline-dev-processor-us-east-1"
WITH_BOUNDARY = {"iam:PermissionsBoundary": BOUNDARY_ARN}
WITH_ANOTHER = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/anything"}
TO_LAMBDA = {"iam:PassedToService": "lambda.amazonaws.com"}


@pytest.fixture
def statements(tmp_path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = document(environment(tmp_path), ACCOUNT)["Statement"]
    return found


@pytest.mark.parametrize("template", [TEMPLATE, ATHENA, KMS, BOUNDARY])
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
            listing = statement["Sid"] == "ReadAndTagMappings"
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


def test_the_keys_policy_is_limited_to_the_key_and_the_environments_logs(tmp_path: Path) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd"
    use, logs = document(environment(tmp_path, f'kms_key_arn = "{key}"'), ACCOUNT, KMS)["Statement"]
    assert use["Resource"] == key
    assert logs["Resource"].endswith(":log-group:/aws/lambda/rt-pipeline-dev-*")
    assert "*" not in json.dumps([use["Action"], logs["Action"]])


def test_without_a_key_there_is_no_policy_for_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "dev.tfvars").write_text('environment = "dev"\nallowed_account_ids = ["123456789012"]\n')
    assert main(["plan", "--policy", "--kms", "--var-file", str(tmp_path / "dev.tfvars")]) == 2
    assert "kms_key_arn" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("action", "context", "allowed"),
    [
        ("iam:CreateRole", {}, False),
        ("iam:CreateRole", WITH_ANOTHER, False),
        ("iam:CreateRole", WITH_BOUNDARY, True),
        # The boundary of the role that the policy is written into.
        ("iam:PutRolePolicy", {}, False),
        ("iam:PutRolePolicy", WITH_ANOTHER, False),
        ("iam:PutRolePolicy", WITH_BOUNDARY, True),
        # Roles that were made before there was a boundary get it; none loses it.
        ("iam:PutRolePermissionsBoundary", WITH_BOUNDARY, True),
        ("iam:PutRolePermissionsBoundary", WITH_ANOTHER, False),
        ("iam:DeleteRolePermissionsBoundary", WITH_BOUNDARY, False),
        ("iam:AttachRolePolicy", WITH_BOUNDARY, False),
        ("iam:UpdateAssumeRolePolicy", WITH_BOUNDARY, False),
        ("iam:PassRole", TO_LAMBDA, True),
        ("iam:PassRole", {}, False),
        ("iam:PassRole", {"iam:PassedToService": "ec2.amazonaws.com"}, False),
    ],
)
def test_a_role_is_made_and_changed_only_within_the_boundary(
    statements: list[dict[str, object]], action: str, context: dict[str, str], allowed: bool
) -> None:
    assert allows(statements, action, ROLE, context) is allowed


@pytest.mark.parametrize("action", ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy"])
@pytest.mark.parametrize("context", [{}, WITH_ANOTHER], ids=["none", "another"])
def test_no_other_policy_of_the_deployer_lifts_the_boundary(
    statements: list[dict[str, object]], action: str, context: dict[str, str]
) -> None:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert not allows([*statements, everything], action, ROLE, context)
    assert allows([*statements, everything], action, ROLE, WITH_BOUNDARY)


@pytest.mark.parametrize("role", ["rt-pipeline-dev-admin", "rt-pipeline-prod-processor-us-east-1", "admin"])
def test_no_role_but_the_functions_is_passed(statements: list[dict[str, object]], role: str) -> None:
    assert not allows(statements, "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/{role}", TO_LAMBDA)


@pytest.mark.parametrize(
    "action",
    [
        *("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy", "iam:CreatePolicy"),
        *("iam:CreateUser", "iam:PutUserPolicy", "iam:AttachUserPolicy", "iam:CreateAccessKey"),
        *("iam:CreateLoginProfile", "iam:AddUserToGroup", "iam:DeleteUserPermissionsBoundary"),
        *("sts:AssumeRole", "lambda:AddPermission", "lambda:InvokeFunction"),
    ],
)
def test_the_deployer_cannot_change_the_boundary_nor_make_users(
    statements: list[dict[str, object]], action: str
) -> None:
    for resource in (BOUNDARY_ARN, ROLE, f"arn:aws:iam::{ACCOUNT}:user/rt-pipeline-user"):
        assert not allows(statements, action, resource, WITH_BOUNDARY)


def test_a_mapping_is_read_without_asking_for_its_function(statements: list[dict[str, object]]) -> None:
    # The condition would refuse it once the function is gone, and so block refresh and destroy.
    mapping = f"arn:aws:lambda:us-east-1:{ACCOUNT}:event-source-mapping:1"
    assert allows(statements, "lambda:GetEventSourceMapping", mapping)
    assert not allows(statements, "lambda:DeleteEventSourceMapping", mapping)


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
