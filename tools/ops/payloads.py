"""Read the body of an item, byte for byte as it was sent, from DynamoDB or S3."""

from collections.abc import Callable

from botocore.exceptions import ClientError

from storage.attributes import PAYLOAD, PAYLOAD_ENCODING, PAYLOAD_KEY
from storage.payload import MAX_BODY_BYTES, decode_payload
from tools.core.aws_errors import code_of
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.core.tables import Item

# The attributes that `read_body` needs.
ATTRIBUTES = (PAYLOAD, PAYLOAD_KEY, PAYLOAD_ENCODING)


class PayloadError(ToolError):
    """The payload of an item is damaged, or its object is missing."""


def fetcher(resources: Resources) -> Callable[[str], bytes]:
    """Return a function that reads an object of the payload bucket. It raises PayloadError."""
    s3 = resources.client("s3")

    def fetch(key: str) -> bytes:
        try:
            body = s3.get_object(Bucket=resources.payload_bucket, Key=key)["Body"]
            data: bytes = body.read(MAX_BODY_BYTES + 1)
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            raise PayloadError(
                f"its payload is missing: s3://{resources.payload_bucket}/{key} does not exist"
            ) from None
        return data

    return fetch


def read_body(item: Item, fetch: Callable[[str], bytes]) -> bytes:
    """Return the body of a stored or rejected item as it was sent. Raises PayloadError."""
    try:
        return decode_payload(item, fetch)
    except KeyError as missing:
        raise PayloadError(f"its item has no {missing}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise PayloadError(str(error)) from None
