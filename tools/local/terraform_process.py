"""Runs Terraform: what it gets of a person's environment, and how it is stopped and listened to."""

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.core.errors import StackError
from tools.core.log import Log
from tools.local import toolchain

# What of a person's environment Terraform gets: enough to run and to reach a registry, nothing that could
# turn it away from the emulator (AWS_PROFILE, TF_VAR_*, TF_WORKSPACE, tflocal's own DRY_RUN, ...).
PASSED_ON = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|TMPDIR|SSL_CERT_(FILE|DIR)|(?i:https?_proxy|no_proxy)|LD_LIBRARY_PATH"
    r"|TF_LOG.*|TF_PLUGIN_CACHE_DIR|TF_TOKEN_.*|NETRC"
)
ABORT_SECONDS = 10
# How Terraform begins to say that the provider itself is the trouble (internal/command/init.go).
PROVIDER_TROUBLE = (
    "Failed to query available provider packages",
    "Failed to install provider",
    "Invalid provider registry host",
)
# The provider is there, but it is not the one that the lock file pins: no other may take its place.
NOT_THE_LOCKED = re.compile(r"match\s+any\s+of\s+the\s+checksums")


class ProviderTrouble(StackError):
    """``init`` failed because the provider is not to be had."""


def environment() -> dict[str, str]:
    """What of a person's environment Terraform may see; an emulator is reached without a proxy."""
    variables = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    for name in ("NO_PROXY", "no_proxy"):
        variables[name] = ",".join(filter(None, [variables.get(name), "127.0.0.1"]))
    config = toolchain.cli_config()
    if config is not None:
        variables["TF_CLI_CONFIG_FILE"] = str(config)
    return variables | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def run(
    program: Sequence[str],
    workdir: Path,
    variables: Mapping[str, str],
    log_file: Path,
    log: Log,
    command: str,
    *arguments: str,
    accepted: Sequence[int] = (0,),
) -> tuple[int, str]:
    """Run a Terraform command in ``workdir`` and return its exit code and what it said.

    ``program`` is Terraform, or what wraps it. All it says is added to ``log_file``. On Ctrl-C, Terraform is
    told once and waited for.

    Raises StackError with Terraform's own message when it ends with another code than the accepted ones;
    ProviderTrouble when ``init`` fails because of the provider.
    """
    with log_file.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(
            [*program, command, "-input=false", "-no-color", *arguments],
            cwd=workdir,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # Away from the terminal: a Ctrl-C would reach Terraform twice, from there and from tflocal, and
            # the second makes it drop what it is creating from its state.
            start_new_session=True,
        )
        code = _wait(process, log)
    said = log_file.read_bytes()[begin:].decode(errors="replace")
    if code not in accepted:
        message = f"terraform {command} failed (all it said is in {log_file}):\n\n{_error_part(said)}"
        if command == "init" and NOT_THE_LOCKED.search(said):
            raise StackError(
                f"{message}\n\nIf the lock file lacks this platform, make it again: make lock PROVIDER=1"
            )
        if command == "init" and any(trouble in said for trouble in PROVIDER_TROUBLE):
            raise ProviderTrouble(message)
        raise StackError(message)
    return code, said


def _wait(process: "subprocess.Popen[bytes]", log: Log) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        log("stopping: Terraform finishes what it has begun (once more to abort it)")
        # To tflocal alone, which passes it on to Terraform and then cleans up after itself.
        process.send_signal(signal.SIGINT)
        try:
            process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(ABORT_SECONDS)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        raise


def _error_part(said: str) -> str:
    lines = said.splitlines()
    first = next(
        (n for n, line in enumerate(lines) if line.startswith(("Error:", "╷"))), max(0, len(lines) - 30)
    )
    shown = []
    is_warning = False
    for line in lines[first:]:
        # The log keeps warnings. One comes with every plan on an emulator and is no part of a failure.
        is_warning = line.startswith("Warning:") or (is_warning and not line.startswith("Error:"))
        if not is_warning:
            shown.append(line)
    return "\n".join(shown).strip()
