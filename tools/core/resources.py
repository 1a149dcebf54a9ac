"""Where the pipeline is: its names, its endpoint, and clients that give up in bounded time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

from tools.core.errors import OpsError, StackError
from tools.core.paths import DEFAULT_STATE_DIR
from tools.core.state import ARCHIVE_OUTPUTS, BODIES_REWRITTEN, ENVIRONMENT_OUTPUTS, StackState

# A call that hangs is given up after 5 + 30 s; long polls last 20 s at most. Standard mode waits up to 1, 2
# and 4 s between attempts, so an endpoint that is down is reported within seconds.
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 4},
    max_pool_connections=16,
)
# An emulator is reached directly, whatever proxy the environment names, and knows no bucket host names.
_EMULATOR = Config(proxies={}, s3={"addressing_style": "path"})
# An endpoint may be AWS's own: a region's, a VPC's.
_AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu", ".api.aws")


@dataclass(frozen=True)
class Resources:
    """A running pipeline.

    ``endpoint`` is None on AWS. ``source`` says where the names come from, ``credentials`` is None for
    boto3's own search (environment, profile, role). ``state_dir`` is where manifests of runs are kept. The
    names of the archive are empty where there is none. ``bodies_kept`` is False on a LocalStack that rewrites
    message bodies, never on AWS.
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
    clients: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made once.

        Ask for it in the main thread before handing it to others: boto3's clients may be shared between
        threads, but not made in several at once.
        """
        if service not in self.clients:
            key, secret = self.credentials or (None, None)
            session = boto3.session.Session(
                aws_access_key_id=key, aws_secret_access_key=secret, region_name=self.region
            )
            config = _CONFIG.merge(_EMULATOR) if self.endpoint else _CONFIG
            self.clients[service] = session.client(service, endpoint_url=self.endpoint, config=config)
        return self.clients[service]

    @property
    def queue_name(self) -> str:
        """The events queue's name: the last part of its URL, whatever host the URL names."""
        return self.queue_url.rstrip("/").rsplit("/", 1)[-1]

    @property
    def settle_seconds(self) -> float:
        """How long the queue's counters must read zero before it counts as drained.

        An emulator counts exactly. On AWS the counters are approximate and lag (SQS developer guide,
        "Configuring queues: approximate number of messages").
        """
        return 1.0 if self.endpoint else 15.0

    @property
    def archiving_seconds(self) -> float:
        """How long an event may be on its way from its table to the archive before it counts as missing.

        On AWS the archiver's batches fill for a minute, and a batch that fails comes again with growing
        pauses; the alarm archiver_behind rings after as long as this. An emulator archives at once.
        """
        return 60.0 if self.endpoint else 900.0

    @property
    def scan_segments(self) -> int:
        """Into how many segments the scan of a table pays to be parted.

        Enough for AWS to answer several 1 MB pages at once; more would take capacity from the pipeline. An
        emulator answers one at a time, and for each page of a segment looks at every item of the table.
        """
        return 1 if self.endpoint else 4

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> Resources:
        """The pipeline whose names are exported (`make env`), else the local stack in ``STACK_DIR``.

        Raises OpsError when there is neither.
        """
        state_dir = Path(environment.get("STACK_DIR") or DEFAULT_STATE_DIR)
        if not environment.get("QUEUE_URL"):
            return cls.of_stack(state_dir)
        missing = [name for name in (*ENVIRONMENT_OUTPUTS, "AWS_DEFAULT_REGION") if not environment.get(name)]
        if missing:
            raise OpsError(
                f"QUEUE_URL is exported, but {', '.join(missing)} is not: half a pipeline is named.",
                "eval $(make env) exports them all; unset QUEUE_URL goes back to the local stack.",
            )
        return cls._named(environment, state_dir)

    @classmethod
    def of_stack(cls, state_dir: Path) -> Resources:
        """The local stack whose state directory this is. Raises OpsError when none is up there."""
        try:
            exports = StackState.load(state_dir).environment()
        except StackError as error:
            raise OpsError(str(error), 'For a pipeline on AWS: eval "$(make -s env-aws ENV=dev)"') from None
        except KeyError as missing:
            raise OpsError(
                f"The stack in {state_dir} has no output {missing}.", "make up applies Terraform again."
            ) from None
        # On AWS there are none: boto3 searches for itself.
        key, secret = exports.get("AWS_ACCESS_KEY_ID"), exports.get("AWS_SECRET_ACCESS_KEY")
        credentials = (key, secret) if key and secret else None
        return replace(cls._named(exports, state_dir), source=str(state_dir), credentials=credentials)

    @classmethod
    def _named(cls, exports: Mapping[str, str], state_dir: Path) -> Resources:
        names: dict[str, Any] = {attribute: exports[name] for name, attribute in ENVIRONMENT_OUTPUTS.items()}
        names |= {attribute: exports.get(name, "") for name, attribute in ARCHIVE_OUTPUTS.items()}
        return cls(
            **names,
            region=exports["AWS_DEFAULT_REGION"],
            endpoint=exports.get("AWS_ENDPOINT_URL") or None,
            bodies_kept=exports.get(BODIES_REWRITTEN) != "1" or _is_aws(exports.get("AWS_ENDPOINT_URL")),
            state_dir=state_dir,
        )


def require_archive(resources: Resources) -> None:
    """Raises OpsError where the pipeline has no archive."""
    if not resources.archive_bucket:
        raise OpsError(
            "This pipeline has no archive.", "The Terraform variable archive brings it; make up applies it."
        )


def _is_aws(endpoint: str | None) -> bool:
    host = urlsplit(endpoint or "").hostname or ""
    return not endpoint or host.endswith(_AWS_DOMAINS)
