"""MiniStack with a batching window for streams, and with conditions on permissions boundaries.

Run as a script, by MiniStack's own interpreter.

MiniStack invokes a stream's function in the one thread that also feeds queues to functions, and with whatever
has come since it last looked: some ten records, while no message is delivered. Each message would wait for
the archiver, which on AWS it never does. Here streams have a thread of their own, which looks once a second,
so that a batch fills as it does in a batching window. Imports nothing of this project: the interpreter holds
MiniStack alone.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

_SECONDS = 1.0


def apart(poll: Callable[[], Any]) -> None:
    """Poll for ever, once in a batching window, whatever a round comes to."""
    while True:
        time.sleep(_SECONDS)
        try:
            poll()
        except Exception:
            logging.getLogger("ministack.streams").exception("polling the streams failed")


def evaluate_boundaries() -> None:
    """Let policies use the condition key iam:PermissionsBoundary, which MiniStack does not know.

    AWS fills it with the boundary that a request names, or else with the one of the role that it is about.
    """
    from ministack.core import iam_actions
    from ministack.services import iam

    plain = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, parameters: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = plain(service, action, body, parameters)
        if service == "iam":
            role = iam._roles.get(iam._p(parameters, "RoleName")) or {}
            boundary = iam._p(parameters, "PermissionsBoundary") or role.get("PermissionsBoundary")
            found |= {"iam:PermissionsBoundary": boundary} if boundary else {}
        return found

    iam_actions.request_tag_context = context


def main() -> None:
    """Run MiniStack until it is ended."""
    from ministack import app
    from ministack.services import lambda_svc

    # A name that MiniStack no longer has fails here, at once, and not as an archive that stays empty.
    poll = lambda_svc._poll_dynamodb_streams
    lambda_svc._poll_dynamodb_streams = lambda: False
    evaluate_boundaries()
    threading.Thread(target=apart, args=(poll,), daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
