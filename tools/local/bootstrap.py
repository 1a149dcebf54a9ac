"""Create the virtual environments under ``.venv`` from the hashed locks in ``requirements``.

The Makefile runs ``python tools/local/bootstrap.py tools emulator`` before any of them exists, so this file
uses the standard library alone. It rebuilds an environment if its lock or its Python version has changed.
"""

import hashlib
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:
    sys.exit("This needs Linux or macOS. On Windows, use WSL 2 or the dev container (.devcontainer/).")

ROOT = Path(__file__).resolve().parent.parent.parent
VENVS = ROOT / ".venv"
REQUIREMENTS = ROOT / "requirements"
# Only this environment has pip, which installs into the others.
INSTALLER = "tools"
# Environments with a package that is published as source only (requirements/build.in).
WITH_BUILD_TOOLS = ("tools", "dev")
SOURCE_ONLY = "localstack-client"
# Compiled during the install, because their programs write no bytecode. Others compile what they import.
COMPILED = ("emulator", "bench")
STAMP = "built-from"
# The user's pip settings may redirect packages. Index, proxy and certificate settings still apply.
PIP_SETTINGS = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
PIP_REDIRECTIONS = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PYTHONPATH", "PYTHONHOME")


class BootstrapError(Exception):
    """An environment cannot be created; the message gives the reason and the remedy."""


def ensure(names: list[str]) -> None:
    """Build the named environments that are missing or out of date. Raises BootstrapError."""
    if set("\n:\\") & set(str(ROOT)):
        raise BootstrapError(
            f"The checkout's path, {ROOT}, contains a colon, a backslash or a line break. "
            "Move the checkout to another directory."
        )
    if all(is_current(name) for name in names):
        return
    _require_venv_modules()
    VENVS.mkdir(exist_ok=True)
    with (VENVS / ".lock").open("a") as lock:
        _wait_for(lock)
        stale = [name for name in dict.fromkeys([INSTALLER, *names]) if not is_current(name)]
        if not stale:
            return
        began = time.monotonic()
        _log(f"installing {', '.join(stale)} into .venv (first run or changed lock, 20 to 60 s)")
        for name in stale:
            _create(name)
        if INSTALLER in stale:
            # Python 3.11 brings a pip that needs twice the time.
            _pip(VENVS / INSTALLER, REQUIREMENTS / "pip.txt", "pip")
        # In parallel, because pip uses one core.
        with ThreadPoolExecutor() as pool:
            list(pool.map(_fill, stale))
        _log(f"installed in {time.monotonic() - began:.0f} s")


def ensure_extra(package: str) -> None:
    """Install one package of ``requirements/offline.txt`` into the environment this process runs from.

    They are large (64 and 74 MB), so each is installed only when needed. Raises BootstrapError if this
    process runs from an environment that ``ensure`` did not create.
    """
    environment = Path(sys.prefix).resolve()
    if environment.parent != VENVS.resolve():
        raise BootstrapError(f"{sys.executable} is not one of {VENVS}: run this through make.")
    block = _lock_entry(REQUIREMENTS / "offline.txt", package)
    stamp = environment / f"{STAMP}-{package}"
    with (VENVS / ".lock").open("a") as lock:
        _wait_for(lock)
        if stamp.exists() and stamp.read_text() == block:
            return
        _log(f"installing {package} (once, about 10 s)")
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as requirements:
            requirements.write(block)
            requirements.flush()
            _pip(environment, Path(requirements.name), f"{package} into {environment.name}")
        stamp.write_text(block)


def _lock_entry(lock: Path, package: str) -> str:
    match = re.search(rf"^{re.escape(package)}==.*?(?=^\S|\Z)", lock.read_text(), re.MULTILINE | re.DOTALL)
    if match is None:
        raise BootstrapError(f"{lock} has no entry for {package}. Type: make lock")
    return match[0]


def is_current(name: str) -> bool:
    """Return whether an environment was built from the current lock, for this Python."""
    environment = VENVS / name
    try:
        stamp = (environment / STAMP).read_text()
    except OSError:
        return False
    # exists() follows the link, which an upgrade of the system's Python breaks.
    return stamp == _fingerprint(name) and (environment / "bin/python").exists()


def _fingerprint(name: str) -> str:
    digest = hashlib.sha256((REQUIREMENTS / f"{name}.txt").read_bytes())
    # The path is included, because scripts name their interpreter by its full path.
    return f"{digest.hexdigest()} {sys.version_info.major}.{sys.version_info.minor} {VENVS / name}\n"


def _require_venv_modules() -> None:
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise BootstrapError(
            f"{sys.executable} cannot create virtual environments: its venv or ensurepip module is missing.\n"
            "On Debian and Ubuntu: sudo apt-get install python3-venv, then run make again.\n"
            "Or name another Python: make PYTHON=/path/to/python3 ..."
        )


def _create(name: str) -> None:
    # tools/local/python.sh uses the Python of an environment that has its stamp.
    (VENVS / name / STAMP).unlink(missing_ok=True)
    without_pip = [] if name == INSTALLER else ["--without-pip"]
    _run([sys.executable, "-m", "venv", "--clear", *without_pip, str(VENVS / name)], f"create .venv/{name}")


def _fill(name: str) -> None:
    environment = VENVS / name
    if name in WITH_BUILD_TOOLS:
        _pip(environment, REQUIREMENTS / "build.txt", f"the build tools of {name}")
    _pip(environment, REQUIREMENTS / f"{name}.txt", name)
    (environment / STAMP).write_text(_fingerprint(name))


def _pip(environment: Path, requirements: Path, description: str) -> None:
    installer = VENVS / INSTALLER / "bin/python"
    target = [] if environment.name == INSTALLER else ["--python", str(environment / "bin/python")]
    options = ["--quiet", "--no-input", "--require-hashes", "--no-build-isolation", "--use-pep517"]
    wheels = ["--only-binary", ":all:", "--no-binary", SOURCE_ONLY]
    compiled = [] if environment.name in COMPILED else ["--no-compile"]
    command = [str(installer), "-m", "pip", *target, "install", *options, *wheels, *compiled]
    command += ["-r", str(requirements)]
    _run(command, f"install {description}")


def _run(command: list[str], action: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in PIP_REDIRECTIONS}
    done = subprocess.run(
        command,
        env=environment | PIP_SETTINGS,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        last_lines = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise BootstrapError(
            f"{last_lines}\n\nCannot {action}. The lines above are the end of the output of pip or venv.\n"
            "The packages come from PyPI. Behind a proxy set HTTPS_PROXY; for a mirror set PIP_INDEX_URL.\n"
            "Then run the same make command again."
        )


def _wait_for(lock: IO[str]) -> None:
    """Lock the file. Say so at once if another process holds it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _log("another make installs into .venv; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _log(text: str) -> None:
    # stderr, because a shell evaluates the stdout of `make env`.
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        ensure(sys.argv[1:])
    except BootstrapError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("Stopped. Run the same make command again.")
