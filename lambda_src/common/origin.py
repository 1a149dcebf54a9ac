"""The origin of a copied message: the id under which its original was sent.

The tools sign it with a key that senders cannot read, so that a sender cannot claim one (docs/adr/0034).
"""

import hashlib
import hmac

ORIGIN_ATTRIBUTE = "origin_message_id"
SIGNATURE_ATTRIBUTE = "origin_signature"


def sign(key: str, message_id: str, content_hash: str) -> str:
    """Return the signature (hex) of a copy that has this origin and this content."""
    signed = f"{message_id}\n{content_hash}".encode("utf-8", "surrogatepass")
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()


def is_signed(key: str, message_id: str, content_hash: str, signature: str) -> bool:
    """Whether a signature was made by `sign` with this key. Without a key, none is valid."""
    expected = sign(key, message_id, content_hash)
    return bool(key) and hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
