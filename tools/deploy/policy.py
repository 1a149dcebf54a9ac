"""Fill in the deployer's IAM policy, which allows only plan, deploy, smoke test, rollback, drift and destroy.

`deployer-policy.json` has placeholders for the account and the names. tests/integration/test_deploy.py runs
all commands as a user who has only this policy. The account's owner creates the state bucket, which the
policy does not allow (`make deploy-aws ARGS=--bootstrap`).

docs/deploy.md lists the statements that no emulator tests.
"""

import functools
import json
from pathlib import Path
from string import Template
from typing import Any

import botocore.session
from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.deploy.account import Account
from tools.deploy.environment import Environment
from tools.local import ministack_iam

TEMPLATE = Path(__file__).with_name("deployer-policy.json")
# The additional policy for `athena = true`: both exceed the size of one managed policy.
ATHENA = Path(__file__).with_name("athena-policy.json")
# The additional policy for `kms_key_arn`.
KMS = Path(__file__).with_name("kms-policy.json")
# The permissions boundary of the functions' roles: all that they do, on the environment's things.
BOUNDARY = Path(__file__).with_name("boundary-policy.json")
# IAM's limit for a managed policy, white space not counted (IAM user guide, "IAM and AWS STS quotas").
MAX_CHARACTERS = 6144


def boundary_name(environment: Environment) -> str:
    """Return the name of the permissions boundary. It has the region, because policies are global."""
    return f"{environment.full_name}-boundary-{environment.region}"


def boundary_arn(environment: Environment, account_id: str) -> str:
    """Return the ARN of the permissions boundary, whether it exists or not."""
    return f"arn:{_partition(environment.region)}:iam::{account_id}:policy/{boundary_name(environment)}"


def document(environment: Environment, account_id: str, template: Path = TEMPLATE) -> dict[str, Any]:
    """Return the policy for deploying one environment, with `ATHENA` or `KMS` an additional one.

    With `BOUNDARY`, return the permissions boundary.
    """
    text = Template(template.read_text(encoding="utf-8")).substitute(
        partition=_partition(environment.region),
        boundary=boundary_arn(environment, account_id),
        account=account_id,
        region=environment.region,
        name=environment.full_name,
        environment=environment.name,
        catalog=f"{environment.full_name}_archive".replace("-", "_"),
        kms_key=environment.kms_key_arn or "",
        state_bucket=f"{environment.name_prefix}-state-{account_id}-{environment.region}",
    )
    policy: dict[str, Any] = json.loads(text)
    return policy


def create_boundary(environment: Environment, account: Account) -> bool:
    """Create the permissions boundary, or bring it up to date. Return whether it is new.

    A role can do no more than its boundary allows, whatever policy it gets. The account's owner creates it.
    The deployer may change roles only with this boundary, and may not change the boundary.
    """
    wanted = document(environment, account.id, BOUNDARY)
    if account.endpoint:
        wanted["Statement"] += ministack_iam.mirrored(wanted)
    text, arn = json.dumps(wanted), boundary_arn(environment, account.id)
    iam = account.client("iam")
    try:
        iam.create_policy(PolicyName=boundary_name(environment), PolicyDocument=text)
        return True
    except ClientError as error:
        if code_of(error) != "EntityAlreadyExists":
            raise
    current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    if iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"] != wanted:
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
        # IAM keeps five versions at most.
        iam.delete_policy_version(PolicyArn=arn, VersionId=current)
    return False


@functools.cache
def _partition(region: str) -> str:
    return str(botocore.session.Session().get_partition_for_region(region))
