"""Read addresses and open URLs with the standard library.

An error response is closed before it is raised.
"""

import urllib.error
import urllib.request
from email.message import Message
from typing import IO, NoReturn
from urllib.parse import SplitResult, urlsplit


def split_address(address: str) -> SplitResult | None:
    """Return the parts of an HTTP address, or None if the text is not one."""
    try:
        parts = urlsplit(address)
        is_usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port such as 99999, or half of an IPv6 address
        return None
    return parts if is_usable and address.isprintable() else None


class _ClosedErrors(urllib.request.HTTPDefaultErrorHandler):
    def http_error_default(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, hdrs: Message
    ) -> NoReturn:
        error = urllib.error.HTTPError(req.full_url, code, msg, hdrs, fp)
        # Python 3.14 warns about an error that is caught and never closed.
        error.close()
        raise error


def opener() -> urllib.request.OpenerDirector:
    """Return an opener that uses the environment's proxy."""
    return urllib.request.build_opener(_ClosedErrors)


def direct_opener() -> urllib.request.OpenerDirector:
    """Return an opener without a proxy, because HTTP_PROXY does not reach an emulator on 127.0.0.1."""
    return urllib.request.build_opener(_ClosedErrors, urllib.request.ProxyHandler({}))
