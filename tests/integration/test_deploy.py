"""Deploy to an emulator with the code that deploys to AWS, as a user who has only the deployer's policy.

The emulator is separate and enforces IAM. Only the endpoint differs from AWS.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from contract import SCHEMA_VERSION
from tests.integration.conftest import OUTCOME_SECONDS, free_port
from tests.integration.test_pipeline import activity, event_id
from tests.waiting import eventually
from tools.core.resources import Resources
from tools.core.state import StackState
from tools.deploy import deployment_record, policy, receipt
from tools.deploy.__main__ import main
from tools.deploy.account import open_account
from tools.deploy.commands import DRIFT
from tools.deploy.environment import Environment
from tools.deploy.receipt import Receipt
from tools.local import build, ministack
from tools.local.build import Artifact

NAME = "rehearsal"
ACCOUNT = "000000000000"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
USER = "rt-pipeline-user"
TFVARS = f"""
environment         = "{NAME}"
allowed_account_ids = ["{ACCOUNT}"]
function_timeout    = 5
maximum_concurrency = 5
deletion_protection = false
refuse_plain_http   = false
"""

DENIED = re.compile("AccessDenied|AuthorizationError|not authorized|not allowed|Forbidden")

# Actions that the emulator or the old provider needs in another form than AWS.
EMULATOR_ACTIONS = [
    # It does not evaluate the resource of these calls, so only "*" allows them.
    *("dynamodb:ListTagsOfResource", "sns:ListTagsForResource", "cloudwatch:ListTagsForResource"),
    *("cloudwatch:PutDashboard", "cloudwatch:GetDashboard", "cloudwatch:DeleteDashboards"),
    *("cloudwatch:DeleteAlarms", "logs:DescribeLogGroups"),
    *("lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    # It checks calls about one alias or mapping as a listing.
    *("lambda:ListAliases", "lambda:ListEventSourceMappings"),
    # Provider 3.39 uses calls about log groups that AWS has since replaced.
    *("logs:ListTagsLogGroup", "logs:TagLogGroup"),
]


@dataclass
class Deployer:
    """A user of the emulator's account, with a directory of their own to deploy from."""

    root: StackState
    variables: Mapping[str, str]
    environment: Environment
    monkeypatch: pytest.MonkeyPatch

    def may(self, statements: list[dict[str, Any]]) -> None:
        """Let the user do this, and what the emulator calls otherwise."""
        words = {"Effect": "Allow", "Action": EMULATOR_ACTIONS, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [*statements, words]}
        self.root.client("iam").put_user_policy(
            UserName=USER, PolicyName="deployer", PolicyDocument=json.dumps(document)
        )

    def runs(self, command: str, **variables: str) -> int:
        """Run a command as the user; its exit status."""
        with self.monkeypatch.context() as patch:
            for name, value in {**self.variables, **variables}.items():
                patch.setenv(name, value)
            patch.delenv("AWS_PROFILE", raising=False)
            return main([command])

    def bootstrap(self) -> int:
        """Make the bucket and the boundary as the account's owner; the exit status."""
        return self.runs("bootstrap", AWS_ACCESS_KEY_ID=self.root.access_key, AWS_SECRET_ACCESS_KEY="test")

    def client(self, service: str) -> Any:
        """Return a client with the user's keys."""
        return open_account(self.environment, self.variables).client(service)

    def record(self) -> deployment_record.DeploymentRecord:
        """What the last deploy left for the next."""
        return deployment_record.load(self.environment, open_account(self.environment, self.variables))

    def live(self) -> str:
        """The version that the alias of the processor points to."""
        function = self.record().outputs["function_name"]
        alias = self.root.client("lambda").get_alias(FunctionName=function, Name="live")
        return str(alias["FunctionVersion"])

    def schema_version_that_runs(self) -> str:
        """Send an event and see which version of the contract it was held against."""
        outputs, body = self.record().outputs, activity()
        queue, table, sent = outputs["queue_url"], outputs["table_name"], event_id(body)
        self.root.client("sqs").send_message(QueueUrl=queue, MessageBody=body)
        dynamodb = self.root.client("dynamodb")

        def stored() -> Any:
            return dynamodb.get_item(TableName=table, Key={"event_id": {"S": sent}}).get("Item")

        item = eventually(stored, within=OUTCOME_SECONDS, what="the event is stored")
        return str(item["schema_version"]["S"])

    def rows(self) -> dict[str, int]:
        """How many items each table holds."""
        tables = [value for name, value in self.record().outputs.items() if name.endswith("table_name")]
        dynamodb = self.root.client("dynamodb")
        return {table: dynamodb.scan(TableName=table, Select="COUNT")["Count"] for table in tables}


@pytest.fixture(scope="module")
def deployer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployer]:
    """A deployer in an account where the bucket of states is, and nothing else."""
    directory = tmp_path_factory.mktemp("rehearsal")
    tfvars = directory / "rehearsal.tfvars"
    tfvars.write_text(TFVARS)
    emulator = ministack.start(directory, free_port(), {})
    patch = pytest.MonkeyPatch()
    try:
        root = StackState(emulator.endpoint, "us-east-1", "ministack", {}, access_key=emulator.access_key)
        iam = root.client("iam")
        iam.create_user(UserName=USER)
        key = iam.create_access_key(UserName=USER)["AccessKey"]
        variables = {
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            "ENV": NAME,
            "VAR_FILE": str(tfvars),
            "DEPLOY_DIR": str(directory / "deploy"),
            "AUTO_APPROVE": "1",
        }
        patch.setattr(receipt, "PATH", directory / "receipt.json")
        environment = Environment.read(NAME, tfvars, directory / "deploy")
        made = Deployer(root, variables, environment, patch)
        made.may(policy.document(environment, ACCOUNT)["Statement"])
        assert made.bootstrap() == 0
        yield made
    finally:
        patch.undo()
        ministack.stop(emulator, directory)


@pytest.fixture
def other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Turns the processor's source, as it is built, into one whose contract has another version."""

    def turn(version: str) -> None:
        contract = tmp_path / version / "contract"
        shutil.copytree(build.PACKAGES["contract"], contract)
        schema = contract / "event.schema.json"
        said = f'"x-version": "{SCHEMA_VERSION}"'
        schema.write_text(schema.read_text().replace(said, f'"x-version": "{version}"'))
        packages = {**build.PACKAGES, "contract": contract}
        artifact = Artifact(tmp_path / version / "lambda.zip", packages)
        monkeypatch.setitem(build.ARTIFACTS, "lambda_zip", artifact)

    return turn


def was_tested() -> None:
    """Write a receipt for the checkout as it is."""
    now = receipt.fingerprint()
    Receipt(
        zips=now.zips,
        config=now.config,
        target="a test",
        terraform="",
        provider="",
        tests={"passed": 1},
        time="2026-11-23T00:00:00+00:00",
        commit="",
        tree_dirty=False,
    ).save()


@pytest.mark.timeout(1200)
def test_from_an_empty_account_to_a_pipeline_and_back(
    deployer: Deployer, other_code: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    # An untested checkout is refused, and nothing is deployed.
    assert deployer.runs("deploy") == 1
    assert "There is no receipt" in capsys.readouterr().out
    assert deployer.runs("rollback") == 1
    assert "is not deployed" in capsys.readouterr().err

    was_tested()
    assert deployer.runs("plan") == 0
    assert "0 changed, 0 replaced, 0 destroyed" in capsys.readouterr().out
    assert deployer.runs("deploy") == 0, capsys.readouterr().err
    assert "Smoke test passed" in capsys.readouterr().out
    assert deployer.record().forced == []
    iam = deployer.root.client("iam")
    for role in iam.list_roles()["Roles"]:
        described = iam.get_role(RoleName=role["RoleName"])["Role"]
        assert described["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    assert deployer.live() == "1"
    assert set(deployer.rows().values()) == {0}, "the smoke test left something behind"
    assert deployer.runs("drift") == 0
    assert "equals the config" in capsys.readouterr().out
    assert deployer.schema_version_that_runs() == SCHEMA_VERSION

    # The other commands find it.
    capsys.readouterr()
    assert deployer.runs("env") == 0
    lines = capsys.readouterr().out.splitlines()
    exports = dict(line.removeprefix("export ").split("=", 1) for line in lines if line.startswith("export "))
    assert Resources.find(exports).table_name == "rt-pipeline-rehearsal-events"

    # What its policy does not say, the deployer may not do.
    check_denied_without("Queues", deployer, "plan", capsys)
    check_denied_without("SmokeTestSends", deployer, "smoke", capsys)
    check_denied_without("TablesAndSmokeTestReads", deployer, "smoke", capsys)

    # Other code than was tested is refused by name, and forced only on the record.
    other_code("9.9.9")
    assert deployer.runs("deploy") == 1
    assert "the zip of lambda_zip has changed" in capsys.readouterr().out
    assert deployer.live() == "1"
    assert deployer.runs("deploy", FORCE="1") == 0, capsys.readouterr().err
    assert "the zip of lambda_zip has changed" in deployer.record().forced[0]
    assert deployer.live() == "2"
    assert deployer.schema_version_that_runs() == "9.9.9"

    # Back, in seconds: the alias moves, the old code runs, and drift says so.
    capsys.readouterr()
    assert deployer.runs("rollback") == 0
    said = capsys.readouterr().out
    assert "processor 2 -> 1" in said
    (seconds,) = re.findall(r"Rolled back in ([\d.]+) s", said)
    assert float(seconds) < 10
    assert deployer.live() == "1"
    assert deployer.schema_version_that_runs() == SCHEMA_VERSION
    assert deployer.runs("rollback", VERSION="7") == 2
    assert "VERSION is one of: 1, 2" in capsys.readouterr().err

    # That it went back is named, and so is what somebody changed by hand.
    queue = deployer.record().outputs["queue_url"]
    attributes = {"VisibilityTimeout": "31"}
    deployer.root.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes=attributes)
    capsys.readouterr()
    assert deployer.runs("drift", JSON="1") == DRIFT
    printed = capsys.readouterr()
    said, document = printed.err, json.loads(printed.out)
    assert (document["environment"], document["differs"]) == ("rt-pipeline-rehearsal", True)
    assert "aws_sqs_queue.events" in {change["address"] for change in document["changes"]}
    # The old provider's stand-in names the call that is missing, a current provider the argument.
    assert "FunctionVersion 2" in said or "aws_lambda_alias.processor_live (function_version)" in said
    assert "aws_sqs_queue.events (visibility_timeout_seconds)" in said

    # Gone only when its name is typed and nothing protects it.
    assert deployer.runs("destroy", CONFIRM="prod") == 1
    assert "nothing was removed" in capsys.readouterr().err
    protected = deployer.environment.directory / "protected.tfvars"
    protected.write_text(TFVARS.replace("deletion_protection = false", "deletion_protection = true"))
    assert deployer.runs("destroy", CONFIRM=NAME, VAR_FILE=str(protected)) == 1
    assert "deletion_protection = false; then make deploy-aws" in capsys.readouterr().err
    assert deployer.runs("destroy", CONFIRM=NAME) == 0, capsys.readouterr().err
    assert deployer.root.client("lambda").list_functions()["Functions"] == []
    assert deployer.root.client("sqs").list_queues().get("QueueUrls", []) == []
    assert deployer.root.client("dynamodb").list_tables()["TableNames"] == []


BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/rt-pipeline-{NAME}-boundary-us-east-1"
OWN_ROLE = f"rt-pipeline-{NAME}-admin"
EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:user/{USER}", f"arn:aws:iam::{ACCOUNT}:root"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@pytest.fixture
def own_role(deployer: Deployer) -> Iterator[Any]:
    """The deployer's IAM client, and a role that trusts the deployer and is allowed everything."""
    iam = deployer.client("iam")
    made = {"RoleName": OWN_ROLE, "AssumeRolePolicyDocument": TRUST, "PermissionsBoundary": BOUNDARY}
    iam.create_role(**made)
    iam.put_role_policy(RoleName=OWN_ROLE, PolicyName="all", PolicyDocument=EVERYTHING)
    yield iam
    iam.delete_role_policy(RoleName=OWN_ROLE, PolicyName="all")
    iam.delete_role(RoleName=OWN_ROLE)


def test_a_role_of_the_deployers_own_is_no_administrator(deployer: Deployer, own_role: Any) -> None:
    arn = own_role.get_role(RoleName=OWN_ROLE)["Role"]["Arn"]
    # AWS lets the deployer in, because the trust names the user; MiniStack asks for sts:AssumeRole besides.
    keys = deployer.root.client("sts").assume_role(RoleArn=arn, RoleSessionName="admin")["Credentials"]
    session = boto3.session.Session(
        keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
    )
    iam = session.client("iam", endpoint_url=deployer.root.endpoint)
    for refused in (
        partial(iam.create_user, UserName="more"),
        partial(iam.attach_user_policy, UserName=USER, PolicyArn=ADMINISTRATOR),
        partial(iam.create_policy_version, PolicyArn=BOUNDARY, PolicyDocument=EVERYTHING, SetAsDefault=True),
    ):
        check_denied(refused)


def test_no_escalation_of_the_deployer_is_let_through(deployer: Deployer, own_role: Any) -> None:
    for refused in (
        partial(own_role.create_role, RoleName=f"{OWN_ROLE}-2", AssumeRolePolicyDocument=TRUST),
        partial(
            own_role.create_role,
            RoleName=f"{OWN_ROLE}-2",
            AssumeRolePolicyDocument=TRUST,
            PermissionsBoundary=ADMINISTRATOR,
        ),
        partial(own_role.delete_role_permissions_boundary, RoleName=OWN_ROLE),
        partial(own_role.put_role_permissions_boundary, RoleName=OWN_ROLE, PermissionsBoundary=ADMINISTRATOR),
        partial(own_role.attach_role_policy, RoleName=OWN_ROLE, PolicyArn=ADMINISTRATOR),
        partial(own_role.update_assume_role_policy, RoleName=OWN_ROLE, PolicyDocument=TRUST),
        partial(
            own_role.create_policy_version,
            PolicyArn=BOUNDARY,
            PolicyDocument=EVERYTHING,
            SetAsDefault=True,
        ),
        partial(own_role.put_user_policy, UserName=USER, PolicyName="all", PolicyDocument=EVERYTHING),
        partial(own_role.create_access_key, UserName=USER),
    ):
        check_denied(refused)


def test_a_role_without_the_boundary_gets_no_policy(deployer: Deployer) -> None:
    name = f"{OWN_ROLE}-old"
    root = deployer.root.client("iam")
    root.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam = deployer.client("iam")
    put = partial(iam.put_role_policy, RoleName=name, PolicyName="all", PolicyDocument=EVERYTHING)
    try:
        check_denied(put)
        # An environment of before gets the boundary first, and then the policy.
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=BOUNDARY)
        put()
        iam.delete_role_policy(RoleName=name, PolicyName="all")
    finally:
        root.delete_role(RoleName=name)


def test_a_boundary_that_was_changed_is_brought_back_by_bootstrap(deployer: Deployer) -> None:
    iam = deployer.root.client("iam")
    iam.create_policy_version(PolicyArn=BOUNDARY, PolicyDocument=EVERYTHING, SetAsDefault=True)
    assert deployer.bootstrap() == 0
    current = iam.get_policy(PolicyArn=BOUNDARY)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=BOUNDARY, VersionId=current)["PolicyVersion"]["Document"]
    assert "Queues" in json.dumps(document)


def check_denied(call: Callable[[], Any]) -> None:
    with pytest.raises(ClientError) as refused:
        call()
    assert refused.value.response["Error"]["Code"] == "AccessDenied", call


@pytest.mark.parametrize(("sid", "command"), [("FindState", "plan"), ("State", "plan")])
def test_without_any_single_statement_of_the_policy_it_is_denied(
    deployer: Deployer, sid: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_denied_without(sid, deployer, command, capsys)


def check_denied_without(
    sid: str, deployer: Deployer, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    statements = policy.document(deployer.environment, ACCOUNT)["Statement"]
    without = [statement for statement in statements if statement["Sid"] != sid]
    assert len(without) == len(statements) - 1
    capsys.readouterr()
    deployer.may(without)
    try:
        assert deployer.runs(command) == 1
    finally:
        deployer.may(statements)
    said = capsys.readouterr().err
    assert DENIED.search(said), said
