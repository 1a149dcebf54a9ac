"""Names of the attributes that items have beside the columns of `storage.columns`.

A name is data: changing one needs a migration.
"""

import re
from collections.abc import Mapping
from typing import Any

# Of several tables.
EVENT_ID = "event_id"
MESSAGE_ID = "message_id"
CONTENT_HASH = "content_hash"
EXPIRES_AT = "expires_at"
# The id that an unsigned message names as its origin; at most 100 characters.
CLAIMED_ORIGIN = "claimed_origin_id"
# The alert that is stored with the item and not yet published; removed when SNS has accepted it.
ALERT_PENDING = "alert_pending"

# The payload (see `storage.payload`).
PAYLOAD = "payload"
PAYLOAD_KEY = "payload_key"
PAYLOAD_ENCODING = "payload_encoding"
PAYLOAD_BYTES = "payload_bytes"

# Partition keys of the listing indexes: events by type, large orders, newest rejections.
TYPE_SHARD = "type_bucket"
LARGE_ORDER_SHARD = "large_bucket"
REJECTED_SHARD = "bucket"

# Of rejected events: what the index of the newest rejections shows. The summary is the list of the first
# reasons; older items have one string.
SUMMARY = "summary"
RULES = "rules"

# The kinds of rejection.
INVALID_EVENT = "invalid_event"
EVENT_ID_CONFLICT = "event_id_conflict"
REJECTION_KINDS = (INVALID_EVENT, EVENT_ID_CONFLICT)

# Of duplicates.
STORED_CONTENT_HASH = "stored_content_hash"
RECORDED_AT = "recorded_at"


_WHOLE_NUMBER = re.compile("-?[0-9]{1,38}")


def text(item: Mapping[str, Mapping[str, Any]], name: str) -> str | None:
    """Return a string attribute, or None if the item has none."""
    value = _value(item, name, "S")
    return value if isinstance(value, str) else None


def required(item: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """Return a string attribute. Raises ValueError if the item has none."""
    value = text(item, name)
    if not value:
        raise ValueError(f"its item has no {name} of type S")
    return value


def texts(item: Mapping[str, Mapping[str, Any]], name: str) -> list[str]:
    """Return the strings of a list attribute. A single string counts as a list of one."""
    members = _value(item, name, "L")
    if not isinstance(members, list):
        members = [item[name]] if name in item else []
    found = [text({name: member}, name) for member in members]
    return [each for each in found if each is not None]


def number(item: Mapping[str, Mapping[str, Any]], name: str) -> int:
    """Return a whole-number attribute, or 0 if the item has none."""
    value = _value(item, name, "N")
    return int(value) if isinstance(value, str) and _WHOLE_NUMBER.fullmatch(value) else 0


def flag(item: Mapping[str, Mapping[str, Any]], name: str) -> bool:
    """Return a boolean attribute, or False if the item has none."""
    return _value(item, name, "BOOL") is True


def _value(item: Mapping[str, Mapping[str, Any]], name: str, kind: str) -> Any:
    # An item that was written by hand may have anything under a name.
    value = item.get(name)
    return value.get(kind) if isinstance(value, Mapping) else None
