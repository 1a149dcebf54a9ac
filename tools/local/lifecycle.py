"""Bring a stack up and down."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tools.core.errors import ToolError, UsageError
from tools.core.files import exclusive, require_space
from tools.core.log import Log, labelled
from tools.core.paths import DEFAULT_STATE_DIR
from tools.core.state import FILE as STATE_FILE
from tools.core.state import StackState
from tools.core.text import quote
from tools.local import emulators, message_bodies, ministack_iam, terraform
from tools.local import endpoint as endpoints
from tools.local.build import ARTIFACTS, build_all
from tools.local.emulator import FILE as EMULATOR_FILE
from tools.local.emulator import NAMES, Emulator
from tools.local.status import hung

DEFAULT_REGION = "us-east-1"
# Marks a directory that `down` may remove, and holds its path.
MARKER = "made-by-make-up"
# What commands write there without a stack: runs of the producer, and queues of make alerts.
OF_COMMANDS = ("manifests", "alert-queues")
# Of the holder of the lock.
ACTIVITY = "running make up or make down on this stack"


def up(
    state_dir: Path = DEFAULT_STATE_DIR,
    port: int | None = None,
    emulator: str = "auto",
    overrides: Mapping[str, object] | None = None,
    emulator_environment: Mapping[str, str] | None = None,
    log: Log = print,
    endpoint: str | None = None,
) -> StackState:
    """Bring up the stack of ``state_dir``, or update it if it runs. Raises ToolError with a remedy.

    ``port`` is by default the last one here, else 4566. ``overrides`` are Terraform variables that override
    ``terraform/env/local.tfvars``. MiniStack passes the ``emulator_environment`` on to the function, so that
    ``AWS_ENDPOINT_URL`` can send its calls to a fault proxy; for LocalStack it has the variables of
    docker-compose.yml. ``endpoint`` is a running emulator, which ``down`` leaves running; it excludes
    ``port`` and ``emulator``. Beside other stacks there, give a ``name_prefix``. After an error a started
    emulator stays up, so that its log can be read and a second attempt is quick.
    """
    # Imported here because it needs boto3, and `make down` does not.
    from tools.local import shortcut

    state_dir = Path(os.path.realpath(state_dir))
    for directory in (state_dir, Path(tempfile.gettempdir())):
        require_space(directory)
    _claim(state_dir)
    with exclusive(state_dir / "lock", ACTIVITY):
        if copied_from(state_dir):
            (state_dir / EMULATOR_FILE).unlink()
        (state_dir / MARKER).write_text(str(state_dir), errors="surrogateescape")
        running = _running(state_dir, port, emulator, endpoint, log)
        if running is None and endpoint is not None:
            running = endpoints.join(endpoint, state_dir)
            log(labelled("emulator", f"{running.title}, already running"))
        elif running is None:
            running = _start(state_dir, port, emulator, emulator_environment or {}, log)
        zips = build_all()
        for variable, digest in zips.items():
            path = ARTIFACTS[variable].path
            log(labelled(path.stem, f"{path.stat().st_size / 1024:.0f} KB, sha256 {digest}"))
        variables = dict(overrides or {})
        inputs = shortcut.inputs(running, variables)
        state = shortcut.up(state_dir, inputs, zips, log)
        if state is None:
            shortcut.forget(state_dir)
            state = _apply(state_dir, running, variables, log)
            shortcut.remember(state_dir, inputs, zips, state.client)
    return state


def _claim(state_dir: Path) -> None:
    """Make the directory, which `down` removes. Raises UsageError if it holds files of others."""
    state_dir.mkdir(parents=True, exist_ok=True)
    foreign = next((path.name for path in state_dir.iterdir() if path.name not in OF_COMMANDS), None)
    if foreign is not None and not (state_dir / MARKER).exists():
        raise UsageError(
            f"{state_dir} holds other files ({foreign}), which make down would remove.",
            "STACK_DIR names a directory of the stack alone, for example STACK_DIR=~/rt-pipeline-stack",
        )
    # Terraform and tflocal write the emulator's key into files of their own.
    state_dir.chmod(0o700)
    (state_dir / MARKER).touch()


def copied_from(state_dir: Path) -> str:
    """Return the directory of the stack if its files are here because the directory was copied, or ""."""
    try:
        origin = (state_dir / MARKER).read_text(errors="surrogateescape")
        notes = [Path(directory, EMULATOR_FILE).read_bytes() for directory in (state_dir, origin)]
        return "" if state_dir.samefile(origin) or notes[0] != notes[1] else origin
    except (OSError, ValueError):
        return ""


def _apply(state_dir: Path, running: Emulator, variables: Mapping[str, object], log: Log) -> StackState:
    region = str(variables.get("region", DEFAULT_REGION))
    outputs = terraform.apply(state_dir, running.endpoint, region, variables, log)
    state = StackState(running.endpoint, region, running.flavour, outputs, access_key=running.access_key)
    if running.flavour == "ministack":
        ministack_iam.mirror(state.client("iam"), state.name)
    if not message_bodies.are_kept(state.endpoint, state.emulator, state.client):
        state = replace(state, bodies_kept=False)
        log(labelled("bodies", f"{message_bodies.NOT_COMPARED}; {message_bodies.REMEDY}"))
    state.save(state_dir)
    return state


def down(state_dir: Path = DEFAULT_STATE_DIR) -> str:
    """Remove the stack of ``state_dir`` and all its files. Return what was done, or "" if there was no stack.

    Raises ToolError if the emulator cannot be removed; the state is then kept.
    """
    # rmtree refuses a link.
    state_dir = Path(os.path.realpath(state_dir))
    if not (state_dir / MARKER).exists():
        return ""
    done = "removed"
    with exclusive(state_dir / "lock", ACTIVITY):
        started = Emulator.load(state_dir)
        if started is None and (state_dir / EMULATOR_FILE).exists():
            raise ToolError(
                f"{state_dir / EMULATOR_FILE} is damaged, so it is not known which emulator to stop.",
                f"Stop it: `pgrep -f {shlex.quote(str(state_dir))}` finds MiniStack, `docker ps` LocalStack. "
                "Then delete the file and type: make down",
            )
        if origin := copied_from(state_dir):
            done = f"removed this copy of the files of {origin}, whose stack runs on"
        elif started is not None and started.kind == "endpoint":
            _leave(started, state_dir)
        elif started is not None:
            done = _stop(started, state_dir)
        shutil.rmtree(state_dir)
    return done


def _stop(started: Emulator, state_dir: Path) -> str:
    """Stop the emulator and return what was done. Raises ToolError if it still runs."""
    ran = emulators.is_running(started)
    emulators.stop(started, state_dir)
    if emulators.is_running(started):
        raise ToolError(f"{started.title} on port {started.port} cannot be stopped. Stop it, then: make down")
    return "removed" if ran else f"{started.title} had already ended; removed the files that it left"


def _running(
    state_dir: Path, port: int | None, requested: str, endpoint: str | None, log: Log
) -> Emulator | None:
    """Return the emulator started here if it runs, or None. Raises ToolError if another is requested."""
    if endpoint is not None and (port is not None or requested != "auto"):
        raise ToolError(f"ENDPOINT={endpoint} names a running emulator: omit PORT and EMULATOR.")
    started = Emulator.load(state_dir)
    if started is None:
        return None
    if endpoint not in (None, started.endpoint):
        raise ToolError(f"This checkout's stack is on {started.title}, not on {endpoint}. First: make down")
    if not emulators.is_running(started):
        if started.kind == "endpoint":
            raise ToolError(
                f"{started.title} does not answer. Start it and try again. If it no longer exists: "
                f"rm -r {quote(str(state_dir))}"
            )
        log(labelled("emulator", f"{started.title} stopped since the last make up, and lost its content"))
        return None
    if emulators.health(started) is None:
        raise hung(started)
    if port not in (None, started.port) or requested not in ("auto", started.kind):
        raise ToolError(
            f"This checkout's stack already runs: {started.title} on port {started.port}. First: make down"
        )
    log(labelled("emulator", f"{started.title} runs on {started.endpoint}"))
    return started


def _leave(joined: Emulator, state_dir: Path) -> None:
    if not emulators.is_running(joined):
        raise ToolError(
            f"{joined.title} does not answer, so its resources cannot be destroyed.\n"
            f"Start it and try again. If it no longer exists: rm -r {quote(str(state_dir))}"
        )
    terraform.destroy(state_dir, joined.endpoint)


def _start(state_dir: Path, port: int | None, requested: str, extra: Mapping[str, str], log: Log) -> Emulator:
    previous = Emulator.load(state_dir)
    if previous is not None:
        # It may have left Lambda workers or a stopped container.
        emulators.stop(previous, state_dir)
    for name in (EMULATOR_FILE, STATE_FILE):
        (state_dir / name).unlink(missing_ok=True)
    terraform.forget(state_dir)
    kind, reason = emulators.choose(requested)
    port = port or (previous.port if previous else emulators.DEFAULT_PORT)
    started = emulators.start(kind, state_dir, port, extra)
    version = emulators.health(started)
    log(labelled("emulator", f"{NAMES[kind]} {version} on {started.endpoint} ({reason})"))
    if requested == "auto":
        log(labelled("", emulators.OTHER_CHOICE[kind]))
    return started
