"""Objects that are removed whole: claim checks, and results of Athena."""

from botocore.exceptions import ClientError

from storage.attributes import PAYLOAD, PAYLOAD_ENCODING
from storage.keys import PAYLOAD_PREFIX
from storage.payload import MAX_BODY_BYTES, decode_payload
from tools.core.aws_errors import code_of
from tools.ops.erase import versions
from tools.ops.erase.matching import Relation
from tools.ops.erase.search import Search
from tools.ops.erase.versions import Version

# Large bodies are never compressed with a dictionary.
_ENCODINGS = ("zstd", "zlib", "identity")
_CHUNK, _OVERLAP = 1024 * 1024, 4096


class _Objects:
    """Versions of objects of one bucket."""

    def __init__(self, search: Search, bucket: str) -> None:
        self._search, self._bucket = search, bucket
        self._s3 = search.resources.client("s3")
        self._found: list[Version] = []

    def erase(self) -> None:
        """Delete the versions."""
        for version in self._found:
            versions.delete(self._s3, self._bucket, version)


class ClaimChecks(_Objects):
    """Payloads in S3. Their keys have the hashes of the bodies; one that no line names is read."""

    title = "payload objects"

    def __init__(self, search: Search) -> None:
        super().__init__(search, search.resources.payload_bucket)

    def find(self) -> int:
        """Find the versions. Return their number."""
        for version in versions.list_versions(self._s3, self._bucket, PAYLOAD_PREFIX):
            content_hash = version.key.rpartition("/")[2].partition(".")[0]
            if not self._search.share.has(content_hash):
                continue
            if content_hash in self._search.content_hashes:
                self._found.append(version)
            elif content_hash not in self._search.bodies_in_use:
                self._read(version)
        return len(self._found)

    def _read(self, version: Version) -> None:
        stored = self._s3.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version_id)
        data = stored["Body"].read(MAX_BODY_BYTES + 1)
        for encoding in _ENCODINGS:
            try:
                body = decode_payload({PAYLOAD: data, PAYLOAD_ENCODING: encoding}, lambda _key: b"")
            except ValueError:
                continue
            relation = self._search.customer.relation(body)
            if relation is Relation.OWN:
                self._found.append(version)
            elif relation is Relation.MENTION:
                self._search.mention(version.key, self.title)
            return
        self._search.problems[f"s3://{self._bucket}/{version.key}: it is no payload"] = None


class AthenaResults(_Objects):
    """Results of queries that have the id anywhere."""

    title = "Athena results"

    def __init__(self, search: Search) -> None:
        # The names differ in this word (terraform/payloads.tf, terraform/analytics.tf).
        parts = search.resources.payload_bucket.rpartition("-payloads-")
        super().__init__(search, f"{parts[0]}-athena-{parts[2]}")

    def find(self) -> int:
        """Find the results. Return their number."""
        try:
            self._s3.head_bucket(Bucket=self._bucket)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchBucket"):
                return 0  # Athena is off
            raise
        listed = versions.list_versions(self._s3, self._bucket)
        self._found = [each for each in listed if self._search.share.has(each.key) and self._is_in(each)]
        return len(self._found)

    def _is_in(self, version: Version) -> bool:
        stored = self._s3.get_object(Bucket=self._bucket, Key=version.key, VersionId=version.version_id)
        end = ""
        for chunk in stored["Body"].iter_chunks(_CHUNK):
            text = end + chunk.decode("utf-8", "replace")
            if self._search.customer.in_text(text):
                return True
            end = text[-_OVERLAP:]
        return False
