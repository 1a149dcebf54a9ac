"""Run MiniStack with a batching window for streams, as a script of MiniStack's own interpreter.

MiniStack polls streams and queues in one thread, so that each message would wait for the archiver, which
never happens on AWS. Here a second thread polls the streams once a second, which fills batches like a
batching window. This script imports nothing of this project, because its interpreter has only MiniStack.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

_SECONDS = 1.0


def poll_forever(poll: Callable[[], Any]) -> None:
    """Poll once per batching window for ever. Errors are logged."""
    while True:
        time.sleep(_SECONDS)
        try:
            poll()
        except Exception:
            logging.getLogger("ministack.streams").exception("polling the streams failed")


def main() -> None:
    """Run MiniStack until it is stopped."""
    from ministack import app
    from ministack.services import lambda_svc

    # If MiniStack renames this function, the start fails instead of the archive staying empty.
    poll = lambda_svc._poll_dynamodb_streams
    lambda_svc._poll_dynamodb_streams = lambda: False
    threading.Thread(target=poll_forever, args=(poll,), daemon=True).start()
    app.main()


if __name__ == "__main__":
    main()
