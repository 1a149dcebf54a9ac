"""Grant the permission that MiniStack requires under another name than AWS.

On AWS ``sns:Publish`` also allows PublishBatch (SNS developer guide, "Amazon SNS API permissions: Actions and
resources reference"). MiniStack requires ``sns:PublishBatch``, which AWS does not know. So each statement of
a role that allows ``sns:Publish`` is copied for the other name, with the same resources.
"""

import json
from typing import Any

SUFFIX = "-publish-batch"
ON_AWS = "sns:Publish"
ON_MINISTACK = "sns:PublishBatch"


def mirror(iam: Any, stack: str) -> None:
    """Update the copied policies of a stack's roles.

    ``stack`` is the prefix of the stack's names, because the emulator may contain roles of other stacks.
    """
    for page in iam.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            if role["RoleName"].startswith(stack):
                mirror_role(iam, role["RoleName"])


def mirror_role(iam: Any, role: str) -> None:
    """Update the copied policies of one role."""
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
    """Remove a role's copied policies, which would prevent Terraform from deleting the role."""
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        if name.endswith(SUFFIX):
            iam.delete_role_policy(RoleName=role, PolicyName=name)
