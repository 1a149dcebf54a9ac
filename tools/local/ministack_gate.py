"""The gate before MiniStack: it admits the stack's own key and the keys that MiniStack issued.

MiniStack accepts ``test`` and any 12 digits as root without verifying the signature, also with IAM enforced.
Other users of the machine and web pages in a browser reach 127.0.0.1 too. The gate runs in MiniStack's
process, so it imports the standard library alone. docs/adr/0033-gate-before-ministack.md gives the reasons.
"""

import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

Message = dict[str, Any]
Headers = list[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

HEALTH = "/_ministack/health"
_RUNNING = b'{"status": "running"}'
# The account id before the host is S3 Control's. A host that ends in a number is never a DNS name.
_HOST = re.compile(rb"(?:(?:\d{12}\.)?127\.0\.0\.1|localhost)(?::\d{1,5})?")
_SIGNED = re.compile(rb"AWS4-HMAC-SHA256 Credential=([^/]+)/")
_QUERY = ("x-amz-credential", "awsaccesskeyid")
# No bucket's name begins with an underscore.
_ADMIN = ("/_", "/health")
_CORS = b"access-control-"
_JSON = re.compile(rb"application/(?:x-amz-)?json")
_FOREIGN_HOST = "a foreign Host header"
_NO_KEY = "no credentials"
_FOREIGN_KEY = "a foreign key"
_NOT_ADMIN = "a key that is not the stack's own on a path of the emulator itself"
_REMEDY = (
    "This MiniStack admits only the key of its own stack, on 127.0.0.1. "
    'In the checkout that started it, type: eval "$(make env)"'
)


class Gate:
    """An ASGI application that hands admitted requests to ``application`` and answers all others with 403.

    ``key`` is the id of the stack's own access key. ``is_issued`` says whether MiniStack issued a key.
    """

    def __init__(self, application: Application, key: str, is_issued: Callable[[str], bool]) -> None:
        self._application = application
        self._key = key.encode()
        self._is_issued = is_issued
        self._logged: set[str] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one connection, as ASGI defines it."""
        if scope["type"] == "lifespan":
            await self._application(scope, receive, send)
            return
        reason = self._refusal(scope)
        if reason is None:
            await self._application(scope, receive, _without_cors(send))
        elif scope["type"] == "websocket":
            self._log(reason, scope)
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        elif reason == _NO_KEY and scope["path"] == HEALTH:
            await _answer(receive, send, 200, [(b"content-type", b"application/json")], _RUNNING)
        else:
            self._log(reason, scope)
            await _answer(receive, send, 403, *_error(scope, f"The request has {reason}. {_REMEDY}"))

    def _refusal(self, scope: Message) -> str | None:
        """Return why the request is refused, or None when it is admitted."""
        hosts = _values(scope, b"host")
        if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
            return _FOREIGN_HOST
        keys = _keys(scope)
        if not keys:
            return _NO_KEY
        # MiniStack chooses one of the keys that a request names, so each of them must be admitted.
        foreign = [key for key in keys if not hmac.compare_digest(key, self._key)]
        if not all(self._is_issued(key.decode("latin-1")) for key in foreign):
            return _FOREIGN_KEY
        return _NOT_ADMIN if foreign and scope["path"].startswith(_ADMIN) else None

    def _log(self, reason: str, scope: Message) -> None:
        """Log the first refusal for each reason."""
        if reason not in self._logged:
            self._logged.add(reason)
            request = f"{scope.get('method', 'WebSocket')} {scope['path'][:100]!a}"
            logging.getLogger("ministack.gate").warning(
                "refused %s, which has %s (logged once)", request, reason
            )


def _values(scope: Message, name: bytes) -> list[bytes]:
    """Return the values of a header, which ASGI names in lower case."""
    return [value for found, value in scope["headers"] if found == name]


def _keys(scope: Message) -> list[bytes]:
    """Return every key id that a request names, in header and query; b"" where one cannot be read."""
    signed = (_SIGNED.match(value) for value in _values(scope, b"authorization"))
    keys = [match[1] if match else b"" for match in signed]
    if query := scope["query_string"]:
        pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        keys += [value.split("/")[0].encode() for name, value in pairs if name.lower() in _QUERY]
    return keys


def _without_cors(send: Send) -> Send:
    """Return ``send`` without the headers that let web pages read an answer."""

    async def send_on(message: Message) -> None:
        if "headers" in message:
            headers = message["headers"]
            message["headers"] = [pair for pair in headers if not pair[0].lower().startswith(_CORS)]
        await send(message)

    return send_on


def _error(scope: Message, message: str) -> tuple[Headers, bytes]:
    """Return a refusal's headers and body, in the format that the SDK of the addressed service reads."""
    declared = b"".join(_values(scope, b"content-type"))
    # Lambda's paths begin with the date of its API.
    if _JSON.match(declared) or scope["path"].startswith("/20"):
        code = "UnrecognizedClientException"
        body = json.dumps({"__type": code, "message": message}).encode()
        return [(b"content-type", b"application/json"), (b"x-amzn-errortype", code.encode())], body
    text = f"<Code>InvalidClientTokenId</Code><Message>{message}</Message>"
    body = f"<ErrorResponse><Error><Type>Sender</Type>{text}</Error></ErrorResponse>".encode()
    return [(b"content-type", b"text/xml")], body


async def _answer(receive: Receive, send: Send, status: int, headers: Headers, body: bytes) -> None:
    # A client that still sends its body would see a closed connection instead of the answer.
    while (await receive()).get("more_body"):
        pass
    length = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})
