"""The names and the endpoint of a pipeline, and boto3 clients with bounded timeouts."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from tools.core.aws import create_client, create_session, is_aws
from tools.core.errors import ToolError
from tools.core.paths import CACHE_DIR, DEFAULT_STATE_DIR
from tools.core.state import ARCHIVE_OUTPUTS, BODIES_REWRITTEN, ENVIRONMENT_OUTPUTS, StackState, naming


@dataclass(frozen=True)
class Resources:
    """A running pipeline.

    ``endpoint`` is None on AWS. ``source`` says where the names come from. ``credentials`` is None if boto3
    searches for them (environment, profile, role). ``state_dir`` holds the manifests of runs. The names of
    the archive are empty if the pipeline has none. ``bodies_kept`` is False on a LocalStack that rewrites
    message bodies, never on AWS. ``attempts`` is how often a client tries a call.
    """

    region: str
    queue_url: str
    dlq_url: str
    table_name: str
    rejected_table_name: str
    duplicates_table_name: str
    alerts_topic_arn: str
    ops_topic_arn: str
    function_name: str
    payload_bucket: str
    archiver_function_name: str = ""
    archive_bucket: str = ""
    archive_failures_queue_url: str = ""
    endpoint: str | None = None
    bodies_kept: bool = True
    source: str = "the environment"
    state_dir: Path = DEFAULT_STATE_DIR
    credentials: tuple[str, str] | None = field(default=None, repr=False)
    attempts: int = 4
    validates: bool = True
    clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service; later calls return the same client.

        Call this in the main thread first: threads may share a client, but not create clients concurrently.
        """
        if service not in self.clients:
            import boto3

            session = boto3.session.Session(
                botocore_session=create_session(self.endpoint, self.region, self.credentials)
            )
            # Standard mode waits up to 1, 2 and 4 s, so an endpoint that is down is reported within seconds.
            retries = {"mode": "standard", "total_max_attempts": self.attempts}
            settings = {"max_pool_connections": 16, "parameter_validation": self.validates}
            self.clients[service] = create_client(
                session, service, self.endpoint, retries=retries, **settings
            )
        return self.clients[service]

    def function_variables(self) -> dict[str, str]:
        """Return the environment variables that the function has."""
        functions = self.client("lambda")
        configuration = functions.get_function_configuration(FunctionName=self.function_name)
        return dict((configuration.get("Environment") or {}).get("Variables") or {})

    @property
    def own_key(self) -> dict[str, str]:
        """Return the header that MiniStack's own pages require, if the credentials are known."""
        return naming(self.credentials[0]) if self.credentials else {}

    @property
    def queue_name(self) -> str:
        """Return the name of the events queue."""
        return queue_name(self.queue_url)

    @property
    def query_cache(self) -> Path:
        """Return the directory of downloaded archive objects.

        make down removes what came from the local stack, make clean what came from an account.
        """
        return (self.state_dir if self.endpoint else CACHE_DIR) / "archive"

    @property
    def quiet_seconds(self) -> float:
        """Return how long the queue's counters must be zero before the queue counts as drained.

        An emulator counts exactly. On AWS the counters are approximate and lag (SQS developer guide,
        "Configuring queues: approximate number of messages").
        """
        return 1.0 if self.endpoint else 15.0

    @property
    def archiving_seconds(self) -> float:
        """Return how long archiving an event may take before the event counts as missing.

        On AWS, Lambda collects batches for a minute and retries failed ones with growing pauses. The alarm
        archiver_behind has the same threshold.
        """
        return 60.0 if self.endpoint else 900.0

    @property
    def scan_segments(self) -> int:
        """Return the number of segments of a parallel scan.

        More segments would take read capacity from the pipeline. An emulator answers one request at a time.
        """
        return 1 if self.endpoint else 4

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return the pipeline whose names are exported (`make env`), else the local stack in ``STACK_DIR``.

        Raises ToolError if there is neither.
        """
        state_dir = Path(environment.get("STACK_DIR") or DEFAULT_STATE_DIR)
        if not environment.get("QUEUE_URL"):
            return cls.of_stack(state_dir)
        missing = [name for name in (*ENVIRONMENT_OUTPUTS, "AWS_DEFAULT_REGION") if not environment.get(name)]
        if missing:
            raise ToolError(
                f"QUEUE_URL is exported, but {', '.join(missing)} is not: the pipeline is incomplete.",
                "Export all names: eval $(make env). For the local stack: unset QUEUE_URL",
            )
        return cls._named(environment, state_dir)

    @classmethod
    def of_stack(cls, state_dir: Path) -> Self:
        """Return the local stack of a state directory. Raises ToolError if no stack is up."""
        try:
            exports = StackState.load(state_dir).environment()
        except ToolError as error:
            raise ToolError(str(error), 'For a pipeline on AWS: eval "$(make -s env-aws ENV=dev)"') from None
        return replace(cls._named(exports, state_dir), source=str(state_dir))

    @classmethod
    def _named(cls, exports: Mapping[str, str], state_dir: Path) -> Self:
        names: dict[str, Any] = {attribute: exports[name] for name, attribute in ENVIRONMENT_OUTPUTS.items()}
        names |= {attribute: exports.get(name, "") for name, attribute in ARCHIVE_OUTPUTS.items()}
        endpoint = exports.get("AWS_ENDPOINT_URL") or None
        # Otherwise create_session finds the credentials: on AWS, and temporary ones (ASIA) with their token.
        key, secret = exports.get("AWS_ACCESS_KEY_ID", ""), exports.get("AWS_SECRET_ACCESS_KEY", "")
        is_known = not is_aws(endpoint) and key and secret and key[:4] != "ASIA"
        return cls(
            **names,
            region=exports["AWS_DEFAULT_REGION"],
            endpoint=endpoint,
            credentials=(key, secret) if is_known else None,
            bodies_kept=exports.get(BODIES_REWRITTEN) != "1" or is_aws(endpoint),
            state_dir=state_dir,
        )


def queue_name(queue_url: str) -> str:
    """Return the name of a queue: the last part of its URL, because the host may differ."""
    return queue_url.rstrip("/").rsplit("/", 1)[-1]


def require_archive(resources: Resources) -> None:
    """Raise ToolError if the pipeline has no archive."""
    if not resources.archive_bucket:
        raise ToolError(
            "This pipeline has no archive.", "Set the Terraform variable archive to true, then: make up"
        )
