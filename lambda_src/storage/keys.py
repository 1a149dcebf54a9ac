"""Keys: of payload objects in S3, and of the partitions of the listing indexes."""

# Partitions of a listing index (by type, large orders, newest rejections). One partition takes 1,000 write
# units a second (DynamoDB developer guide, "Partitions and data distribution") (docs/adr/0016).
SHARDS = 8

LARGE_ORDERS = "large"
REJECTED = "rejected"

PAYLOAD_PREFIX = "payloads/"


def shard_key(name: str, content_hash: str) -> str:
    """Return the partition of a listing index that an item belongs to: ``order#5``."""
    return f"{name}#{int(content_hash[:8], 16) % SHARDS}"


def shard_keys(name: str) -> list[str]:
    """Return all partitions of a name, in order: ``order#0`` to ``order#7``."""
    return [f"{name}#{number}" for number in range(SHARDS)]


def payload_key(content_hash: str, encoding: str, *, rejected: bool) -> str:
    """Return the S3 key of a payload. It is made of the content's hash, so that a second write is harmless.

    Items of earlier versions name objects of zlib. A copy in another encoding must not replace those.

    Rejected payloads have a prefix of their own because they expire with their item (terraform/payloads.tf).
    """
    suffix = "" if encoding == "zlib" else f".{encoding}"
    return f"{PAYLOAD_PREFIX}{'rejected/' if rejected else ''}{content_hash}{suffix}"
