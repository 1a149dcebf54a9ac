"""Chooses between the emulators, and finds out what became of the one that was started."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from tools.core.errors import StackError
from tools.local import endpoint, localstack, ministack, processes
from tools.local.emulator import Emulator

KINDS: dict[str, ModuleType] = {"ministack": ministack, "localstack": localstack, "endpoint": endpoint}
# An endpoint is joined, not started.
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
# What the other choice would bring, and how to type it.
LOCALSTACK_BRINGS = (
    f"LocalStack (Docker, {localstack.PULL_SIZE}) runs functions in AWS's Lambda image, enforces no IAM: "
    "make down up EMULATOR=localstack"
)
MINISTACK_BRINGS = "MiniStack starts in a second and enforces IAM: make down up EMULATOR=ministack"


def choose(wanted: str) -> tuple[str, str]:
    """Return the kind to start for ``auto``, ``localstack`` or ``ministack``, and why.

    ``auto`` never pulls an image; ``localstack`` does where it has to. Raises StackError for any other word,
    and where LocalStack is asked for and cannot be had.
    """
    if wanted not in CHOICES:
        raise StackError(f"EMULATOR={wanted} is not known. It is one of: {', '.join(CHOICES)}")
    if wanted == "ministack":
        return wanted, "as asked"
    if wanted == "localstack":
        problem = localstack.no_engine() or localstack.no_compose()
        if problem is not None:
            raise StackError(
                f"LocalStack cannot be used: {problem}. Without Docker: make up EMULATOR=ministack"
            )
        localstack.pull()
        return wanted, "as asked"
    problem = localstack.not_ready()
    if problem is None:
        return "localstack", "auto: Docker answers and has the image"
    return "ministack", f"auto: {problem}"


def start(kind: str, state_dir: Path, port: int, extra_environment: Mapping[str, str]) -> Emulator:
    """Start an emulator and wait until it is healthy. Raises StackError, naming who holds a taken port."""
    if not processes.port_is_free(port):
        raise StackError(ministack.port_taken(port))
    emulator: Emulator = KINDS[kind].start(state_dir, port, extra_environment)
    return emulator


def is_running(emulator: Emulator) -> bool:
    """Whether the very emulator that was started still runs."""
    return bool(KINDS[emulator.kind].is_running(emulator))


def health(emulator: Emulator) -> str | None:
    """The version that the emulator answers with, or None if it does not answer."""
    version: str | None = KINDS[emulator.kind].health(emulator)
    return version


def last_lines(emulator: Emulator, state_dir: Path) -> str:
    """The end of the emulator's log; nothing of one that was not started here."""
    if emulator.kind == "endpoint":
        return ""
    return str(KINDS[emulator.kind].last_lines(state_dir, LOG_LINES))


def stop(emulator: Emulator, state_dir: Path) -> None:
    """End the emulator and all that it started. Nothing happens if it has ended already."""
    KINDS[emulator.kind].stop(emulator, state_dir)
