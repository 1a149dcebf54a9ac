"""Runs Terraform through tflocal, which turns the AWS provider to an emulator."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from stack import toolchain
from stack.errors import StackError
from stack.paths import CACHE_DIR
from stack.say import Say
from stack.state import ACCESS_KEY, SECRET_KEY
from stack.toolchain import Terraform

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


class ProviderTrouble(StackError):
    """``init`` failed because the provider is not to be had."""


def environment(endpoint: str, region: str, terraform: Terraform) -> dict[str, str]:
    """The environment in which Terraform works on the emulator at ``endpoint`` and on nothing else."""
    variables = {name: value for name, value in os.environ.items() if PASSED_ON.fullmatch(name)}
    for name in ("NO_PROXY", "no_proxy"):
        variables[name] = ",".join(filter(None, [variables.get(name), "127.0.0.1"]))
    config = toolchain.cli_config()
    if config is not None:
        variables["TF_CLI_CONFIG_FILE"] = str(config)
    if "TF_PLUGIN_CACHE_DIR" not in variables and not _names_plugin_cache(config):
        plugins = CACHE_DIR / "terraform-plugins"
        plugins.mkdir(parents=True, exist_ok=True)
        variables["TF_PLUGIN_CACHE_DIR"] = str(plugins)
        # The copy's lock file is thrown away with it, so what the cache cannot add to it is not missed.
        variables["TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE"] = "1"
    return variables | {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # tflocal's default is a name that only a public DNS server knows; an address makes it use path style.
        "S3_HOSTNAME": "127.0.0.1",
        "DISABLE_DEPRECATION_NOTICE": "1",
        "TF_CMD": terraform.command,
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
    }


def _names_plugin_cache(config: Path | None) -> bool:
    return config is not None and "plugin_cache_dir" in config.read_text(errors="replace")


def run(
    workdir: Path, variables: Mapping[str, str], log: Path, say: Say, command: str, *arguments: str
) -> str:
    """``execute`` through tflocal."""
    tflocal = Path(sys.executable).parent / "tflocal"
    if not tflocal.exists():
        raise StackError(f"tflocal is not installed beside {sys.executable}: run this through make.")
    return execute([sys.executable, str(tflocal)], workdir, variables, log, say, command, *arguments)


def execute(
    program: list[str],
    workdir: Path,
    variables: Mapping[str, str],
    log: Path,
    say: Say,
    command: str,
    *arguments: str,
) -> str:
    """Run a Terraform command in ``workdir`` and return what it said. ``program`` is what takes the command.

    All it says is added to ``log``. On Ctrl-C, Terraform is told once and waited for.

    Raises StackError with Terraform's own message when it fails; ProviderTrouble when ``init`` fails because
    of the provider.
    """
    with log.open("ab") as output:
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
        code = _wait(process, say)
    said = log.read_bytes()[begin:].decode(errors="replace")
    if code != 0:
        message = f"terraform {command} failed (all it said is in {log}):\n\n{_error_part(said)}"
        if command == "init" and any(trouble in said for trouble in PROVIDER_TROUBLE):
            raise ProviderTrouble(message)
        raise StackError(message)
    return said


def _wait(process: "subprocess.Popen[bytes]", say: Say) -> int:
    try:
        return process.wait()
    except KeyboardInterrupt:
        say("stopping: Terraform finishes what it has begun (once more to abort it)")
        # To the program alone: tflocal passes it on to Terraform and then cleans up after itself.
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
    return "\n".join(lines[first:]).strip()
