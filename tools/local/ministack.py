"""Run MiniStack as a process, with IAM enforced."""

import os
import resource
import secrets
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.paths import EMULATOR_PYTHON
from tools.core.state import KEY_PREFIX
from tools.local import endpoint, processes
from tools.local.emulator import Emulator

LOG = "emulator.log"
MAIN = Path(__file__).with_name("ministack_server.py")
# It starts in 0.3 s on an idle machine. A loaded machine may take a hundred times as long.
START_SECONDS = 30
# It keeps nothing on disk, so a short grace period is enough.
STOP_SECONDS = 1
HEALTH_SECONDS = 2
# It opens 65 under load, and macOS allows 256.
MIN_FILES = 128

# glibc would keep freed buffers in an arena for each of MiniStack's 64 threads. With a fixed threshold, large
# ones go back to the system (docs/adr/0041).
_MALLOC = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}


def start(state_dir: Path, port: int, extra_environment: Mapping[str, str]) -> Emulator:
    """Start MiniStack on 127.0.0.1:``port`` and wait until it answers. Raises ToolError."""
    if not EMULATOR_PYTHON.exists():
        raise ToolError("The emulator is not installed. Start the stack with: make up")
    _require_files()
    # Lambda workers unpack the zip into TMPDIR. Inside the state directory it is removed with it.
    temporary, home = state_dir / "tmp", state_dir / "home"
    for directory in (temporary, home):
        directory.mkdir(parents=True, exist_ok=True)
    log_file = state_dir / LOG
    access_key = f"{KEY_PREFIX}{secrets.token_hex(16).upper()}"
    with log_file.open("ab") as output:
        process = subprocess.Popen(
            # -P keeps the script's directory off MiniStack's import path. The state directory identifies the
            # process in a list of processes.
            [str(EMULATOR_PYTHON), "-P", str(MAIN), str(state_dir)],
            cwd=home,
            env=_environment(port, temporary, home, access_key) | dict(extra_environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A separate process group: Ctrl-C does not reach it, and its Lambda workers stop with it.
            start_new_session=True,
        )
    emulator = Emulator(
        kind="ministack",
        endpoint=f"http://{processes.LOOPBACK}:{port}",
        port=port,
        name=str(process.pid),
        mark=processes.start_mark(process.pid) or "",
        access_key=access_key,
    )
    emulator.save(state_dir)
    try:
        _wait_until_healthy(process, emulator, log_file)
    except BaseException:
        stop(emulator, state_dir)
        raise
    finally:
        # It outlives this process, or stop() reaped it. This prevents subprocess's warning.
        process.returncode = 0
    return emulator


def _require_files() -> None:
    """Raise ToolError if this shell lets a process open too few files: MiniStack would hang."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files != resource.RLIM_INFINITY and files < MIN_FILES:
        raise ToolError(
            f"This shell lets a program open {files} files, and MiniStack needs {MIN_FILES}.",
            f"ulimit -n {MIN_FILES}",
        )


def is_running(emulator: Emulator) -> bool:
    """Return whether the process that was started still runs."""
    return processes.start_mark(int(emulator.name)) == emulator.mark


def stop(emulator: Emulator, state_dir: Path) -> None:
    """Stop MiniStack and its Lambda workers. Other processes that reuse their pids are not signalled."""
    processes.stop_group(int(emulator.name), emulator.mark, state_dir, STOP_SECONDS)


def health(emulator: Emulator) -> str | None:
    """Return the version of the MiniStack that answers, or None."""
    return endpoint.version(emulator.endpoint, "ministack", emulator.access_key, HEALTH_SECONDS)


def last_lines(state_dir: Path, count: int = 12) -> str:
    """Return the last lines of MiniStack's log."""
    try:
        return "\n".join((state_dir / LOG).read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def _environment(port: int, temporary: Path, home: Path, access_key: str) -> dict[str, str]:
    # A new environment, because MiniStack passes its own to the function: a PYTHONPATH, a proxy or AWS
    # settings of the user would change the function's behaviour.
    inherited = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return inherited | {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": processes.LOOPBACK,
        # The name in queue URLs. "localhost" may resolve to ::1 first, where nothing listens.
        "MINISTACK_HOST": processes.LOOPBACK,
        "AUTH": "true",
        # Root's key. A function gets its role's session instead.
        "AWS_ACCESS_KEY_ID": access_key,
        # It would listen on port 8883 of every address.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # Keeps it away from the user's Docker engine, where it would remove containers.
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        **_MALLOC,
    }


def _wait_until_healthy(process: subprocess.Popen[bytes], emulator: Emulator, log_file: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while health(emulator) is None:
        if process.poll() is not None:
            if not processes.port_is_free(emulator.port):
                raise ToolError(port_taken(emulator.port))
            raise ToolError(
                f"MiniStack ended with exit code {process.returncode} while starting. "
                f"The end of its log, {log_file}:\n"
                f"{last_lines(log_file.parent)}"
            )
        if time.monotonic() > deadline:
            raise ToolError(
                f"MiniStack did not answer on port {emulator.port} within {START_SECONDS} s. "
                f"The end of its log, {log_file}:\n{last_lines(log_file.parent)}"
            )
        time.sleep(0.05)


def port_taken(port: int) -> str:
    """Return the message for a port that another program uses."""
    holder = processes.port_holder(port)
    owner = f"by {holder}" if holder else "by a program of another user"
    return (
        f"Port {port} is taken {owner}.\n"
        f"If it is another checkout's stack, type make down there. "
        f"Or use another port: make up PORT={port + 5}"
    )
