"""The body of an event back, byte for byte, wherever its payload lies."""

from __future__ import annotations

from collections.abc import Callable

from botocore.exceptions import ClientError

from storage.payload import decode_payload
from tools.core.aws_errors import code_of
from tools.core.errors import OpsError
from tools.core.resources import Resources
from tools.core.tables import Item

# What `unpack` needs of an item.
ATTRIBUTES = ("payload", "payload_key", "payload_encoding")


class BodyLost(OpsError):
    """A payload cannot be had back: its object is gone, or it is damaged."""


def fetcher(resources: Resources) -> Callable[[str], bytes]:
    """A function that reads an object of the payload bucket; it raises BodyLost when there is none."""
    s3 = resources.client("s3")

    def fetch(key: str) -> bytes:
        try:
            data: bytes = s3.get_object(Bucket=resources.payload_bucket, Key=key)["Body"].read()
        except ClientError as error:
            if code_of(error) != "NoSuchKey":
                raise
            raise BodyLost(
                f"its payload is gone: s3://{resources.payload_bucket}/{key} does not exist"
            ) from None
        return data

    return fetch


def body_of(item: Item, fetch: Callable[[str], bytes]) -> bytes:
    """The body that an item of the events or the rejected table stands for, as it was sent.

    Raises BodyLost, saying why, when it cannot be had back.
    """
    try:
        return decode_payload(item, fetch)
    except KeyError as missing:
        raise BodyLost(f"its item has no {missing}") from None
    except ValueError as error:
        raise BodyLost(str(error)) from None
