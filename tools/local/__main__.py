"""Run ``python -m tools.local up | down | status | env | doctor | build | terraform``."""

import argparse
import os
import re
import shlex
import signal
import sys
import time
from pathlib import Path

from tools.core.errors import ToolError, is_on
from tools.core.paths import DEFAULT_STATE_DIR
from tools.core.program import interrupt_on, print_error, start
from tools.core.state import StackState
from tools.core.text import strip_control_chars
from tools.local import emulators

INTERRUPTED = 130
AWS_SETTINGS = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_")


def main(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    interrupt_on(signal.SIGTERM, signal.SIGHUP)
    options, rest = _parser().parse_known_args(arguments)
    if rest and options.command != "terraform":
        _parser().error(f"unknown arguments: {' '.join(rest)}")
    try:
        return int(COMMANDS[options.command](options, rest))
    except ToolError as error:
        return print_error(error)
    except KeyboardInterrupt:
        return print_error(
            ToolError("Stopped. make up continues, make down removes the stack.", status=INTERRUPTED)
        )


def _up(options: argparse.Namespace, _: list[str]) -> int:
    from tools.local import lifecycle, status

    began = time.monotonic()
    state = lifecycle.up(
        options.state_dir, options.port, options.emulator, log=_log, endpoint=options.endpoint
    )
    _log(f"\nup in {time.monotonic() - began:.1f} s")
    if not options.brief:
        _log(f"\n{status.names(state)}\n\n{status.NEXT}")
    return 0


def _down(options: argparse.Namespace, _: list[str]) -> int:
    from tools.local import lifecycle

    _log(lifecycle.down(options.state_dir) or "nothing to remove: no stack is up")
    return 0


def _status(options: argparse.Namespace, _: list[str]) -> int:
    from tools.local import status

    _log(status.status(options.state_dir, as_json=_as_json(options)))
    return 0


def _env(options: argparse.Namespace, _: list[str]) -> int:
    state = StackState.load(options.state_dir)
    exports = state.environment()
    # Settings for AWS, or for another project's emulator, would win over these in other tools.
    leftover = [name for name in sorted(os.environ.keys() - exports) if name.startswith(AWS_SETTINGS)]
    if state.endpoint and leftover:
        print("unset", *leftover)
    for name, value in exports.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _doctor(options: argparse.Namespace, _: list[str]) -> int:
    from tools.local import doctor

    return doctor.main(as_json=_as_json(options))


def _as_json(options: argparse.Namespace) -> bool:
    return bool(options.json) or is_on(os.environ, "JSON")


def _build(_options: argparse.Namespace, _: list[str]) -> int:
    from tools.local.build import ARTIFACTS, build_all

    for variable, digest in build_all().items():
        _log(f"{digest}  {ARTIFACTS[variable].path}")
    return 0


def _terraform(_options: argparse.Namespace, rest: list[str]) -> int:
    from tools.local import toolchain

    os.environ["CHECKPOINT_DISABLE"] = "1"
    if toolchain.cli_config() is None:
        # Terraform warns about a config file that does not exist.
        os.environ.pop("TF_CLI_CONFIG_FILE", None)
    command = toolchain.find_terraform().command
    os.execv(command, [command, *rest])  # noqa: S606


COMMANDS = {
    "up": _up,
    "down": _down,
    "status": _status,
    "env": _env,
    "doctor": _doctor,
    "build": _build,
    "terraform": _terraform,
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.local", description=__doc__, allow_abbrev=False)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=Path(os.environ.get("STACK_DIR") or DEFAULT_STATE_DIR),
        help="directory for the state of the stack (STACK_DIR=)",
    )
    parser.add_argument("--port", type=_port, default=os.environ.get("PORT") or None)
    parser.add_argument(
        "--endpoint",
        default=(os.environ.get("ENDPOINT") or "").rstrip("/") or None,
        help="use a running emulator, for example http://127.0.0.1:4566 (ENDPOINT=)",
    )
    parser.add_argument("--brief", action="store_true", help="up: do not list the names and the next steps")
    parser.add_argument("--json", action="store_true", help="status, doctor: print JSON (JSON=1)")
    parser.add_argument("--emulator", default=os.environ.get("EMULATOR") or "auto", choices=emulators.CHOICES)
    return parser


def _port(text: str) -> int:
    if re.fullmatch("[0-9]{1,5}", text) is None or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"PORT={text} is not a port. Give a number from 1 to 65535")
    return int(text)


def _log(text: str) -> None:
    print(strip_control_chars(text, keep="\n"), flush=True)


if __name__ == "__main__":
    start(lambda: main(sys.argv[1:]))
