"""Open URLs with the standard library, so that an error response is closed before it is raised."""

import urllib.error
import urllib.request
from email.message import Message
from typing import IO, NoReturn


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
