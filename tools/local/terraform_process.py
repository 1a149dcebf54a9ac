"""Run Terraform with a restricted environment, log its output, and stop it gracefully."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.core.errors import ToolError
from tools.core.log import Log
from tools.local import toolchain

# Variables of the user's environment that Terraform needs to run and to reach a registry. Others could point
# it away from the emulator (AWS_PROFILE, TF_VAR_*, TF_WORKSPACE, tflocal's DRY_RUN, ...).
PASSED_ON = re.compile(
    r"PATH|HOME|USER|LANG|LC_.*|SSL_CERT_(FILE|DIR)|(?i:https?_proxy|no_proxy)|LD_LIBRARY_PATH"
    r"|TF_LOG.*|TF_PLUGIN_CACHE_DIR|TF_TOKEN_.*|NETRC"
)
ABORT_SECONDS = 10
_MAX_TMPDIR = 80
# Terraform's messages about a missing provider (internal/command/init.go).
PROVIDER_ERRORS = (
    "Failed to query available provider packages",
    "Failed to install provider",
    "Invalid provider registry host",
)
# The provider exists, but is not the one that the lock file pins. No other may replace it.
NOT_THE_LOCKED = re.compile(r"match\s+any\s+of\s+the\s+checksums")


class ProviderError(ToolError):
    """``init`` failed because the provider is not available."""


def environment() -> dict[str, str]:
    """Return the part of the user's environment for Terraform, without a proxy for emulators."""
    variables = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    for name in ("NO_PROXY", "no_proxy"):
        variables[name] = ",".join(filter(None, [variables.get(name), "127.0.0.1"]))
    config = toolchain.cli_config()
    if config is not None:
        variables["TF_CLI_CONFIG_FILE"] = str(config)
    # Python knows one that exists. The provider opens a socket in it, whose path may have 104 characters.
    temporary = tempfile.gettempdir()
    return variables | {
        "TMPDIR": temporary if len(os.fsencode(temporary)) <= _MAX_TMPDIR else "/tmp",  # noqa: S108
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        # Terraform and the provider would spend a fifth of their time on collecting 400 MB of garbage.
        "GOGC": "off",
        "GOMEMLIMIT": "1GiB",
    }


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
    """Run a Terraform command in ``workdir`` and return its exit code and output.

    ``program`` is Terraform or a wrapper. The output is also appended to ``log_file``. On Ctrl-C, Terraform
    gets one SIGINT and is waited for.

    Raises ToolError with Terraform's own message for an exit code that is not accepted, and ProviderError if
    ``init`` fails because of the provider.
    """
    with log_file.open("ab") as log_stream:
        begin = log_stream.tell()
        process = subprocess.Popen(
            [*program, command, "-input=false", "-no-color", *arguments],
            cwd=workdir,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=log_stream,
            stderr=subprocess.STDOUT,
            # A separate session. Otherwise Ctrl-C would reach Terraform twice, from the terminal and tflocal,
            # and the second makes it drop unfinished resources from its state.
            start_new_session=True,
        )
        code = _wait(process, log)
    text = log_file.read_bytes()[begin:].decode(errors="replace")
    if code not in accepted:
        message = f"terraform {command} failed (whole output: {log_file}):\n\n{_error_part(text)}"
        if command == "init" and NOT_THE_LOCKED.search(text):
            raise ToolError(f"{message}\n\nIf the lock file lacks this platform, type: make lock PROVIDER=1")
        if command == "init" and any(error in text for error in PROVIDER_ERRORS):
            raise ProviderError(message)
        raise ToolError(message)
    return code, text


def _wait(process: "subprocess.Popen[bytes]", log: Log) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        log("stopping: Terraform finishes the current resources (press Ctrl-C once more to abort)")
        # Only to tflocal, which passes it on to Terraform and then removes its own files.
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


def _error_part(output: str) -> str:
    lines = output.splitlines()
    first = next(
        (n for n, line in enumerate(lines) if line.startswith(("Error:", "╷"))), max(0, len(lines) - 30)
    )
    kept = []
    is_warning = False
    for line in lines[first:]:
        # Every plan on an emulator has a warning that is no part of the failure. The log keeps it.
        is_warning = line.startswith("Warning:") or (is_warning and not line.startswith("Error:"))
        if not is_warning:
            kept.append(line)
    return "\n".join(kept).strip()
