"""The permissions boundary of an environment's roles, which the account's owner makes at bootstrap.

A role can do no more than its boundary allows, whatever policy it gets. The deployer may create and change
roles only with this boundary (deployer-policy.json), and may not change the boundary.
"""

import json

from botocore.exceptions import ClientError

from tools.core.aws_errors import code_of
from tools.deploy import policy
from tools.deploy.account import Account
from tools.deploy.environment import Environment
from tools.local import ministack_iam


def bootstrap(environment: Environment, account: Account) -> bool:
    """Create the boundary, or bring it up to date. Return whether it was new."""
    document = policy.document(environment, account.id, policy.BOUNDARY)
    if account.endpoint:
        document["Statement"] += ministack_iam.mirrored(document)
    text, arn = json.dumps(document), policy.boundary_arn(environment, account.id)
    iam = account.client("iam")
    try:
        iam.create_policy(PolicyName=policy.boundary_name(environment), PolicyDocument=text)
        return True
    except ClientError as error:
        if code_of(error) != "EntityAlreadyExists":
            raise
    current = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    if iam.get_policy_version(PolicyArn=arn, VersionId=current)["PolicyVersion"]["Document"] != document:
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=text, SetAsDefault=True)
        # IAM keeps five versions at most.
        iam.delete_policy_version(PolicyArn=arn, VersionId=current)
    return False
