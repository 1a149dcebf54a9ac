"""Use an emulator that the user runs, without starting or stopping it."""

import http.client
import json
import os
import urllib.parse
import urllib.request
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.http import direct_opener, split_address
from tools.core.state import ACCESS_KEY, KEY_PREFIX, naming
from tools.local.emulator import Emulator

# MiniStack also serves LocalStack's health page, so its own is requested first.
HEALTH = {"ministack": "/_ministack/health", "localstack": "/_localstack/health"}


def join(endpoint: str, state_dir: Path) -> Emulator:
    """Save the emulator at ``endpoint`` for the stack of ``state_dir``, and return it. Raises ToolError."""
    flavour = flavour_of(endpoint)
    port = urllib.parse.urlsplit(endpoint).port or 80
    # The key of a MiniStack that another checkout started, but never a key of the user's own.
    exported = os.environ.get("AWS_ACCESS_KEY_ID", "")
    access_key = exported if exported.startswith(KEY_PREFIX) else ACCESS_KEY
    emulator = Emulator("endpoint", endpoint, port, flavour, "", access_key)
    emulator.save(state_dir)
    return emulator


def flavour_of(endpoint: str) -> str:
    """Return ``ministack`` or ``localstack``, whichever answers. Raises ToolError if neither does."""
    parts = split_address(endpoint)
    if parts is None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ToolError(
            f"ENDPOINT={endpoint} is not an emulator's address. Write it like http://127.0.0.1:4566"
        )
    for flavour in HEALTH:
        if version(endpoint, flavour) is not None:
            return flavour
    raise ToolError(
        f"No emulator answers on {endpoint}: neither MiniStack nor LocalStack.\n"
        "Start one there, or omit ENDPOINT, and make starts one."
    )


def version(endpoint: str, flavour: str, access_key: str = "", seconds: float = 5) -> str | None:
    """Return the version of the emulator if this flavour answers, or None.

    A MiniStack of ours tells it to those who name the ``access_key`` that it admits.
    """
    opener = direct_opener()
    opener.addheaders = list(naming(access_key).items()) if access_key else []
    try:
        with opener.open(endpoint.rstrip("/") + HEALTH[flavour], timeout=seconds) as answer:
            return str(json.load(answer).get("version", "?"))
    except (OSError, ValueError, AttributeError, RecursionError, http.client.HTTPException):
        return None  # also where another program listens, such as a database


def is_running(emulator: Emulator) -> bool:
    """Return whether an emulator of that flavour still answers."""
    return health(emulator) is not None


def health(emulator: Emulator) -> str | None:
    """Return the version that the emulator reports, or None."""
    return version(emulator.endpoint, emulator.name)
