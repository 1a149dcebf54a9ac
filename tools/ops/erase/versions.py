"""Every version of the objects of a bucket."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Version(NamedTuple):
    """A version of an object. Without versioning its id is ``null``, and the ETag tells contents apart."""

    key: str
    version_id: str
    etag: str
    is_latest: bool
    storage_class: str


def list_versions(s3: Any, bucket: str, prefix: str = "") -> Iterator[Version]:
    """Yield the versions of all objects, also of deleted ones."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Versions", ()):
            yield Version(
                entry["Key"],
                entry["VersionId"],
                entry["ETag"],
                entry["IsLatest"],
                entry.get("StorageClass") or "STANDARD",
            )


def delete(s3: Any, bucket: str, version: Version) -> None:
    """Delete a version for good, which leaves no delete marker."""
    s3.delete_object(Bucket=bucket, Key=version.key, VersionId=version.version_id)
