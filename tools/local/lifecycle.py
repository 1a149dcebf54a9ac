"""Brings a stack up and down."""

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from tools.core.errors import StackError
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

DEFAULT_REGION = "us-east-1"
# Says that `down` may remove the whole directory.
MARKER = "made-by-make-up"


def up(
    state_dir: Path = DEFAULT_STATE_DIR,
    port: int | None = None,
    emulator: str = "auto",
    overrides: Mapping[str, object] | None = None,
    emulator_environment: Mapping[str, str] | None = None,
    log: Log = print,
    endpoint: str | None = None,
) -> StackState:
    """Bring up the stack of ``state_dir``, or bring the one that runs there up to date.

    Parameters
    ----------
    port: where the emulator listens on 127.0.0.1. If not given: where it does or last did here, else 4566.
    emulator: ``auto``, ``localstack`` or ``ministack``.
    overrides: Terraform variables that win over ``terraform/env/local.tfvars``.
    emulator_environment: more environment. MiniStack hands it on to the function: ``AWS_ENDPOINT_URL`` sends
        the function's own calls elsewhere, to a fault proxy say. LocalStack: docker-compose.yml's variables.
    log: receives each line of the report.
    endpoint: of an emulator that runs already, instead of one to start. ``down`` then destroys what Terraform
        made there and leaves the emulator running. It may hold other stacks: give a ``name_prefix``. It
        excludes ``port``, and an ``emulator`` other than ``auto``.

    Raises
    ------
    StackError: with what to do about it. An emulator that started stays up, so that its log can be read and
        a second attempt is quick; ``down`` removes it.
    """
    state_dir = state_dir.absolute()
    for directory in (state_dir, Path(tempfile.gettempdir())):
        require_space(directory)
    state_dir.mkdir(parents=True, exist_ok=True)
    (state_dir / MARKER).touch()
    with exclusive(state_dir / "lock", "working on this stack"):
        running = _running(state_dir, port, emulator, endpoint, log)
        if running is None and endpoint is not None:
            running = _join(state_dir, endpoint, log)
        elif running is None:
            running = _start(state_dir, port, emulator, emulator_environment or {}, log)
        for variable, digest in build_all().items():
            path = ARTIFACTS[variable].path
            log(labelled(path.stem, f"{path.stat().st_size / 1024:.0f} KB, sha256 {digest}"))
        variables = dict(overrides or {})
        region = str(variables.get("region", DEFAULT_REGION))
        outputs = terraform.apply(state_dir, running.endpoint, region, variables, log)
        state = StackState(running.endpoint, region, running.flavour, outputs)
        if running.flavour == "ministack":
            ministack_iam.mirror(state.client("iam"), state.name)
        if not message_bodies.are_kept(state.endpoint, state.emulator, state.client):
            state = replace(state, bodies_kept=False)
            log(labelled("bodies", f"{message_bodies.NOT_COMPARED}; {message_bodies.REMEDY}"))
        state.save(state_dir)
    return state


def down(state_dir: Path = DEFAULT_STATE_DIR) -> bool:
    """Remove the stack of ``state_dir`` and all that it left; False if there was none.

    Raises StackError if the emulator cannot be removed; nothing is forgotten then.
    """
    state_dir = state_dir.absolute()
    if not (state_dir / MARKER).exists():
        return False
    with exclusive(state_dir / "lock", "working on this stack"):
        started = Emulator.load(state_dir)
        if started is not None and started.kind == "endpoint":
            _leave(started, state_dir)
        elif started is not None:
            emulators.stop(started, state_dir)
        shutil.rmtree(state_dir)
    return True


def _running(
    state_dir: Path, port: int | None, wanted: str, endpoint: str | None, log: Log
) -> Emulator | None:
    """The emulator that was started here, if it still runs. Raises StackError if another is asked for."""
    if endpoint is not None and (port is not None or wanted != "auto"):
        raise StackError(f"ENDPOINT={endpoint} names an emulator that runs: leave PORT and EMULATOR out.")
    started = Emulator.load(state_dir)
    if started is None:
        return None
    if endpoint not in (None, started.endpoint):
        raise StackError(f"This checkout's stack is on {started.title}, not on {endpoint}. First: make down")
    if not emulators.is_running(started):
        if started.kind == "endpoint":
            raise StackError(
                f"{started.title} does not answer. Start it and try again; if it is gone for good: "
                f"rm -r {quote(str(state_dir))}"
            )
        log(labelled("emulator", f"{started.title} has ended since the last make up, with all that it held"))
        return None
    if emulators.health(started) is None:
        raise StackError(
            f"{started.title} runs but does not answer on {started.endpoint}.\nStart over with: make down up"
        )
    if port not in (None, started.port) or wanted not in ("auto", started.kind):
        raise StackError(
            f"This checkout's stack already runs: {started.title} on port {started.port}. First: make down"
        )
    log(labelled("emulator", f"{started.title} runs on {started.endpoint}"))
    return started


def _join(state_dir: Path, endpoint: str, log: Log) -> Emulator:
    joined = endpoints.join(endpoint, state_dir)
    log(labelled("emulator", f"{joined.title}, which runs already"))
    return joined


def _leave(joined: Emulator, state_dir: Path) -> None:
    if not emulators.is_running(joined):
        raise StackError(
            f"{joined.title} does not answer, so that what was made there cannot be destroyed.\n"
            f"Start it and try again; if it is gone for good: rm -r {quote(str(state_dir))}"
        )
    terraform.destroy(state_dir, joined.endpoint)


def _start(state_dir: Path, port: int | None, wanted: str, extra: Mapping[str, str], log: Log) -> Emulator:
    gone = Emulator.load(state_dir)
    if gone is not None:
        # It may have left Lambda workers, or a stopped container.
        emulators.stop(gone, state_dir)
    for name in (EMULATOR_FILE, STATE_FILE):
        (state_dir / name).unlink(missing_ok=True)
    terraform.forget(state_dir)
    kind, reason = emulators.choose(wanted)
    port = port or (gone.port if gone else emulators.DEFAULT_PORT)
    started = emulators.start(kind, state_dir, port, extra)
    version = emulators.health(started)
    log(labelled("emulator", f"{NAMES[kind]} {version} on {started.endpoint} ({reason})"))
    if wanted == "auto":
        log(labelled("", emulators.OTHER_CHOICE[kind]))
    return started
