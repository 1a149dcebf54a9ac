"""The state of a stack that is up: ``stack.json`` in its state directory."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from tools.core.errors import ToolError
from tools.core.files import write_atomically

FILE = "stack.json"
# The root credentials of LocalStack, and of a MiniStack that others started.
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105

# Begins the id of the key that a MiniStack of ours admits. tflocal would change an id that begins with A.
KEY_PREFIX = "RTPIPELINE"

# Terraform's outputs by the variables that they are exported as.
ENVIRONMENT_OUTPUTS = {
    output.upper(): output
    for output in (
        *("queue_url", "dlq_url", "table_name", "rejected_table_name", "duplicates_table_name"),
        *("alerts_topic_arn", "ops_topic_arn", "function_name", "payload_bucket"),
    )
}
# Empty where the stack has no archive.
ARCHIVE_OUTPUTS = {
    output.upper(): output
    for output in ("archiver_function_name", "archive_bucket", "archive_failures_queue_url")
}
# Exported as 1 on a LocalStack that rewrites message bodies, as 0 on every other emulator.
BODIES_REWRITTEN = "BODIES_REWRITTEN"


def naming(access_key: str) -> dict[str, str]:
    """Return the header that names a key to MiniStack's own pages, which need no signature."""
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={access_key}/"}


@dataclass(frozen=True)
class StackState:
    """A stack that Terraform has created.

    ``outputs`` are Terraform's outputs by name; ``emulator`` is ``ministack`` or ``localstack``. On AWS
    ``emulator`` and ``endpoint`` are empty, and boto3 finds the credentials.
    ``bodies_kept`` is False on a LocalStack that rewrites message bodies (tools/local/message_bodies.py).
    ``access_key`` is the id of the emulator's root key; who knows it controls the emulator.
    """

    endpoint: str
    region: str
    emulator: str
    outputs: dict[str, Any]
    bodies_kept: bool = True
    access_key: str = field(default=ACCESS_KEY, repr=False)

    def __post_init__(self) -> None:
        texts = (self.endpoint, self.region, self.emulator, self.access_key)
        if not (isinstance(self.outputs, dict) and all(isinstance(text, str) for text in texts)):
            raise TypeError("its values have other types")

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read the state of the stack in ``directory``. Raises ToolError if no stack is up."""
        try:
            return cls(**json.loads((directory / FILE).read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ToolError("No stack is up. Start one with: make up") from None
        except (TypeError, ValueError, RecursionError) as error:
            raise ToolError(
                f"{directory / FILE} cannot be read ({error}). Start over with: make down up"
            ) from error

    def save(self, directory: Path) -> None:
        """Write the state into ``directory``."""
        write_atomically(directory / FILE, json.dumps(asdict(self), indent=2) + "\n", private=True)

    @property
    def name(self) -> str:
        """Return the prefix of the names of all its resources (terraform/locals.tf)."""
        return str(self.outputs["function_name"]).removesuffix("-processor")

    def environment(self) -> dict[str, str]:
        """Return the environment variables that direct AWS clients and the tools to this stack.

        Raises ToolError if an older checkout created the stack without one of the outputs.
        """
        missing = [output for output in ENVIRONMENT_OUTPUTS.values() if output not in self.outputs]
        if missing:
            raise ToolError(
                f"The stack has no output {', '.join(missing)}. Bring it up to date with: make up"
            )
        emulator = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            # Said in either case, so that it replaces what another stack exported.
            BODIES_REWRITTEN: str(int(not self.bodies_kept)),
        }
        return {
            **(emulator if self.endpoint else {}),
            # The SDKs of Node and Java read only AWS_REGION.
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            **{name: str(self.outputs[output]) for name, output in ENVIRONMENT_OUTPUTS.items()},
            **{name: str(self.outputs.get(output, "")) for name, output in ARCHIVE_OUTPUTS.items()},
        }

    def client(self, service: str) -> Any:
        """Return a boto3 client for this stack. On an emulator it ignores AWS settings of the environment."""
        # Imported here because boto3 takes 0.4 s, and `make env` does not need it.
        import boto3

        from tools.core.aws import create_client, create_session

        credentials = (self.access_key, SECRET_KEY) if self.endpoint else None
        session = boto3.session.Session(
            botocore_session=create_session(self.endpoint or None, self.region, credentials)
        )
        return create_client(session, service, self.endpoint or None)
