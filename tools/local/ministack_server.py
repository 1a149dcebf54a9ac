"""Run MiniStack behind the gate, with a batching window for streams, by MiniStack's own interpreter.

MiniStack polls streams and queues in one thread, so that each message would wait for the archiver, which
never happens on AWS. Here a second thread polls the streams once a second, which fills batches like a
batching window. MiniStack counts only the records of a batch; here a batch also ends at 6 MB, as on AWS.
This script imports nothing of this project but the gate, because its interpreter has only MiniStack.
"""

import functools
import importlib.util
import json
import logging
import os
import secrets
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SECONDS = 1.0
# The records of a batch, in JSON (Lambda developer guide, "Lambda quotas": invocation payload).
_MAX_BATCH_BYTES = 6 * 1024 * 1024
_GATE = Path(__file__).with_name("ministack_gate.py")


def poll_forever(poll: Callable[[], Any], batches: "Batches") -> None:
    """Poll once per batching window for ever, or at once if a batch was full. Errors are logged."""
    while True:
        if not batches.full:
            time.sleep(_SECONDS)
        batches.full = False
        try:
            poll()
        except Exception:
            logging.getLogger("ministack.streams").exception("polling the streams failed")


class Batches:
    """Ends batches of stream records where Lambda does. ``full`` is whether a batch since had more."""

    def __init__(self, read: Callable[..., list[dict[str, Any]]]) -> None:
        self._read = read
        self.full = False

    def __call__(self, table: str, position: int, limit: int, **more: Any) -> list[dict[str, Any]]:
        """Return the records of a batch: at least one, if there are any."""
        records = self._read(table, position, limit, **more)
        size = 0
        for count, record in enumerate(records):
            size += len(json.dumps(record))
            if size > _MAX_BATCH_BYTES and count:
                self.full = True
                return records[:count]
        return records


def salted(credentials: Callable[[dict[str, Any]], dict[str, str]]) -> Callable[..., dict[str, str]]:
    """Return MiniStack's maker of a function's session credentials, with keys that cannot be computed.

    MiniStack derives key, secret and token from the names of the function and its role, which can be guessed.
    """
    salt = secrets.token_hex(32)

    def make(config: dict[str, Any]) -> dict[str, str]:
        # Of the role's ARN only the last part is used for anything but the derivation.
        made = credentials({**config, "Role": f"{salt}/{config.get('Role', '').rpartition('/')[2]}"})
        # Without AUTH it makes no session, and the key would be the account's number, which the gate refuses.
        if made.get("AWS_ACCESS_KEY_ID", "").isdigit():
            made["AWS_ACCESS_KEY_ID"] = os.environ["AWS_ACCESS_KEY_ID"]
        return made

    return make


def is_issued(key: str) -> bool:
    """Return whether MiniStack issued this key: for a session, or as a user's access key."""
    from ministack.services import iam, sts

    return key in sts._sessions or any(key == known for _, known in iam._access_keys.to_dict())


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


def start_without_botocore() -> None:
    """Let a worker import botocore only if its function does.

    MiniStack imports it into each worker, to count nested invocations, and takes half of a worker's start for
    it. Our functions do not invoke others.
    """
    from ministack.core import lambda_runtime

    script = lambda_runtime._PYTHON_WORKER_SCRIPT
    lambda_runtime._PYTHON_WORKER_SCRIPT = script.replace("\n    _ms_install_invoke_depth()\n", "\n")


def remember() -> None:
    """Let MiniStack work out once what is the same for each part of a request.

    To look up permissions it decodes a request to DynamoDB four times. Of a transaction, it checks the
    permission and the syntax of the condition for each item.
    """
    from ministack.core import iam_actions
    from ministack.services import dynamodb

    # The functions of this module only read what is decoded.
    decode = functools.lru_cache(1)(json.loads)
    iam_actions.json = types.SimpleNamespace(**{**vars(json), "loads": decode})
    checks = iam_actions.dynamodb_transaction_checks
    iam_actions.dynamodb_transaction_checks = lambda *request: list(dict.fromkeys(checks(*request)))
    dynamodb._condition_syntax_error = functools.lru_cache(dynamodb._condition_syntax_error)


def main() -> None:
    """Run MiniStack until it is stopped."""
    from ministack import app
    from ministack.core import lambda_runtime
    from ministack.services import dynamodb, lambda_svc

    # If MiniStack renames these functions, the start fails instead of the archive staying empty.
    batches = Batches(dynamodb.stream_records_since)
    dynamodb.stream_records_since = batches
    poll = lambda_svc._poll_dynamodb_streams
    lambda_svc._poll_dynamodb_streams = lambda: False
    evaluate_boundaries()
    start_without_botocore()
    remember()
    threading.Thread(target=poll_forever, args=(poll, batches), daemon=True).start()
    make = salted(lambda_runtime.execution_credentials)
    lambda_runtime.execution_credentials = lambda_svc.execution_credentials = make
    # The key that MiniStack's environment names is root's.
    app.app = _gate()(app.app, os.environ["AWS_ACCESS_KEY_ID"], is_issued)
    # It is the stack's directory, which MiniStack's own command line does not know.
    del sys.argv[1:]
    app.main()


def _gate() -> Any:
    """Return the class Gate. This directory is not on the path of MiniStack's interpreter (-P)."""
    spec = importlib.util.spec_from_file_location("ministack_gate", _GATE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Gate


if __name__ == "__main__":
    main()
