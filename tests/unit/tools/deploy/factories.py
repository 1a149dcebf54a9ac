"""Create environments, and AWS clients with canned answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tools.deploy.environment import Environment

ACCOUNT = "123456789012"


def environment(directory: Path, text: str = "", name: str = "dev") -> Environment:
    """Return the environment of this tfvars text."""
    file = directory / f"{name}.tfvars"
    file.write_text(f'environment = "{name}"\n{text}\n')
    return Environment.read(name, file, directory / "deploy")


def refusal(code: str, operation: str = "Call") -> ClientError:
    """An error as AWS answers it."""
    return ClientError({"Error": {"Code": code, "Message": code}}, operation)


class Session:
    """A boto3 session whose clients are given."""

    def __init__(self, **clients: Any) -> None:
        self._clients = clients

    def client(self, service: str, **_: Any) -> Any:
        return self._clients[service]
