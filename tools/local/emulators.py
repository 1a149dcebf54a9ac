"""Choose, start, check and stop an emulator of any kind."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from tools.core.errors import ToolError
from tools.local import endpoint, localstack, ministack, processes
from tools.local.emulator import Emulator

KINDS: dict[str, ModuleType] = {"ministack": ministack, "localstack": localstack, "endpoint": endpoint}
# A running emulator is given by ENDPOINT, not by EMULATOR.
CHOICES = ("auto", "ministack", "localstack")
DEFAULT_PORT = 4566
# For each kind that auto may choose: what the other would bring, and how to type it.
OTHER_CHOICE = {
    "ministack": (
        f"LocalStack (Docker, {localstack.PULL_SIZE}) runs functions in AWS's Lambda image, enforces no IAM: "
        "make down up EMULATOR=localstack"
    ),
    "localstack": "MiniStack starts in a second and enforces IAM: make down up EMULATOR=ministack",
}
LOG_LINES = 500


def choose(requested: str) -> tuple[str, str]:
    """Return the kind to start for ``auto``, ``localstack`` or ``ministack``, and the reason.

    ``localstack`` pulls the image if needed; ``auto`` never does. Raises ToolError for any other word, and
    if LocalStack is requested but cannot be used.
    """
    if requested not in CHOICES:
        raise ToolError(f"EMULATOR={requested} is not known. It is one of: {', '.join(CHOICES)}")
    if requested == "ministack":
        return requested, "EMULATOR=ministack"
    if requested == "localstack":
        problem = localstack.no_engine() or localstack.no_compose()
        if problem is not None:
            raise ToolError(
                f"LocalStack cannot be used: {problem}. Without Docker: make up EMULATOR=ministack"
            )
        localstack.pull()
        return requested, "EMULATOR=localstack"
    problem = localstack.not_ready()
    if problem is None:
        return "localstack", "auto: Docker answers and has the image"
    return "ministack", f"auto: {problem}"


def start(kind: str, state_dir: Path, port: int, extra_environment: Mapping[str, str]) -> Emulator:
    """Start an emulator and wait until it is healthy. Raises ToolError if the port is taken."""
    if not processes.port_is_free(port):
        raise ToolError(ministack.port_taken(port))
    emulator: Emulator = KINDS[kind].start(state_dir, port, extra_environment)
    return emulator


def is_running(emulator: Emulator) -> bool:
    """Return whether the emulator still runs, and was not restarted."""
    return bool(KINDS[emulator.kind].is_running(emulator))


def health(emulator: Emulator) -> str | None:
    """Return the version that the emulator reports, or None if it does not answer."""
    version: str | None = KINDS[emulator.kind].health(emulator)
    return version


def last_lines(emulator: Emulator, state_dir: Path) -> str:
    """Return the last lines of the emulator's log, or nothing for an endpoint."""
    if emulator.kind == "endpoint":
        return ""
    return str(KINDS[emulator.kind].last_lines(state_dir, LOG_LINES))


def stop(emulator: Emulator, state_dir: Path) -> None:
    """Stop the emulator and all that it started. A stopped emulator is ignored."""
    KINDS[emulator.kind].stop(emulator, state_dir)
