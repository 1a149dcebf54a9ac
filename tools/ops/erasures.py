"""The records of `make erase`, in the payload bucket. They have no personal data.

`make verify` counts a message of a run as erased if a record names its message id.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Self

from producer.manifest import SentRun
from storage.timestamps import iso_millis
from tools.core import archive_objects
from tools.core.errors import ToolError
from tools.core.resources import Resources

# Beside the payloads: that bucket exists without an archive, too, and the functions cannot write here.
PREFIX = "erasures/"


@dataclass(frozen=True)
class Erasure:
    """One erasure: a random id, who started it and when, and what was found by place."""

    resources: Resources
    erasure_id: str
    started_at: str
    started_by: str
    counts: Mapping[str, int]

    @classmethod
    def start(cls, resources: Resources, counts: Mapping[str, int]) -> Self:
        """Begin an erasure, as the user of these credentials."""
        caller = resources.client("sts").get_caller_identity()["Arn"]
        return cls(resources, str(uuid.uuid4()), iso_millis(datetime.now(UTC)), caller, counts)

    def save(self, message_ids: Iterable[str]) -> None:
        """Write the record, or replace it."""
        record = {
            "erasure_id": self.erasure_id,
            "started_at": self.started_at,
            "started_by": self.started_by,
            "found": dict(self.counts),
            "message_ids": sorted(message_ids),
        }
        self.resources.client("s3").put_object(
            Bucket=self.resources.payload_bucket,
            Key=f"{PREFIX}{self.started_at[:10]}-{self.erasure_id}.json",
            Body=json.dumps(record, indent=1).encode() + b"\n",
            ContentType="application/json",
        )


def message_ids(resources: Resources) -> frozenset[str]:
    """Return the message ids that all records name. Raises ToolError if a record is damaged."""
    s3, bucket = resources.client("s3"), resources.payload_bucket
    found: set[str] = set()
    for entry in archive_objects.listed(s3, bucket, PREFIX):
        try:
            record = json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
            found.update(str(message_id) for message_id in record["message_ids"])
        except (KeyError, RecursionError, TypeError, ValueError) as error:
            raise ToolError(
                f"s3://{bucket}/{entry['Key']} is no record of make erase: {error!r}",
                "Restore an older version of it, or delete it: make verify then reports the messages that it "
                "named as lost.",
            ) from None
    return frozenset(found)


def without_erased(run: SentRun, erased: frozenset[str]) -> SentRun:
    """Return a run without the messages that were erased. Its field ``erased`` counts them."""
    kept = tuple(message for message in run.messages if message.message_id not in erased)
    return replace(run, messages=kept, erased=len(run.messages) - len(kept))
