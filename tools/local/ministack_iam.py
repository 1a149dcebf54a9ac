"""One permission that MiniStack asks for under another name than AWS.

AWS grants SNS's PublishBatch by ``sns:Publish`` (SNS developer guide, "Amazon SNS API permissions: Actions
and resources reference") and knows no action ``sns:PublishBatch``; MiniStack asks for that one. The config
says what AWS needs. Here each statement of a role that allows ``sns:Publish`` is repeated for the other name,
on the same resources: a role without the permission on AWS is without it here too.
"""

import json
from typing import Any

SUFFIX = "-publish-batch"
ON_AWS = "sns:Publish"
ON_MINISTACK = "sns:PublishBatch"


def mirror(iam: Any, stack: str) -> None:
    """Bring the mirrored policies of a stack's roles in line with what their own policies allow now.

    ``stack`` is what all names of the stack begin with: the emulator may hold other people's roles.
    """
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            if role["RoleName"].startswith(stack):
                mirror_role(iam, role["RoleName"])


def mirror_role(iam: Any, role: str) -> None:
    """Do so for one role."""
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    for name in (name for name in names if not name.endswith(SUFFIX)):
        document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        statements = mirrored(document)
        if statements:
            text = json.dumps({**document, "Statement": statements})
            iam.put_role_policy(RoleName=role, PolicyName=name + SUFFIX, PolicyDocument=text)
        elif name + SUFFIX in names:
            iam.delete_role_policy(RoleName=role, PolicyName=name + SUFFIX)


def mirrored(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a policy that allow ``sns:Publish``, for MiniStack's name of it."""
    return [
        {**{key: value for key, value in statement.items() if key != "Sid"}, "Action": ON_MINISTACK}
        for statement in document["Statement"]
        if ON_AWS in statement.get("Action", [])
    ]


def remove_mirrored(iam: Any, role: str) -> None:
    """Remove a role's mirrored policies: Terraform, which does not know them, cannot delete the role else."""
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        if name.endswith(SUFFIX):
            iam.delete_role_policy(RoleName=role, PolicyName=name)
