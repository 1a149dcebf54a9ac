"""Sign the origins of copied messages, and check them, with the key that the function has."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from common.origin import ORIGIN_ATTRIBUTE, SIGNATURE_ATTRIBUTE, is_signed, sign
from tools.core.resources import Resources


class Origins:
    """Signs and checks origins. The key is read from the function when the first message needs it."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    @cached_property
    def key(self) -> str:
        """The function's key, or "" if it is a release that has none and accepts every origin."""
        return self._resources.function_variables().get("ORIGIN_KEY", "")

    def attributes(self, origin_id: str, content_hash: str) -> dict[str, Any]:
        """Return the message attributes of a copy."""
        values = {
            ORIGIN_ATTRIBUTE: origin_id,
            SIGNATURE_ATTRIBUTE: sign(self.key, origin_id, content_hash),
        }
        return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}

    def origin_of(self, attributes: Mapping[Any, Any], content_hash: str) -> str | None:
        """Return the origin that a message's attributes name with a valid signature, or None."""
        origin, signature = (
            (attributes.get(name) or {}).get("StringValue")
            for name in (ORIGIN_ATTRIBUTE, SIGNATURE_ATTRIBUTE)
        )
        if not origin or not signature:
            return None
        return origin if is_signed(self.key, origin, content_hash, signature) else None
