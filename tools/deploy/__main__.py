"""Run ``python -m tools.deploy <command>``. make passes options as variables."""

import argparse
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.error import URLError

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.aws_errors import explain
from tools.core.cli import INTERRUPTED
from tools.core.errors import ToolError, UsageError
from tools.core.program import interrupt_on, print_error, start
from tools.deploy import commands
from tools.deploy.account import open_account
from tools.deploy.commands import Command
from tools.deploy.environment import Environment

COMMANDS: dict[str, Command] = {
    "plan": commands.plan,
    "deploy": commands.deploy,
    "rollback": commands.rollback,
    "destroy": commands.destroy,
    "bootstrap": commands.bootstrap,
    "drift": commands.drift,
    "smoke": commands.smoke,
    "env": commands.env,
    "policy": commands.show_policy,
    "receipt": commands.show_receipt,
}
# They need no credentials.
_WITHOUT_ACCOUNT = ("policy", "receipt")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command, print errors with a remedy, and return the exit status."""
    # botocore takes an empty value for the name of a profile.
    if os.environ.get("AWS_PROFILE") == "":
        del os.environ["AWS_PROFILE"]
    options = _parser(os.environ).parse_args(arguments)
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    try:
        environment = Environment.read(options.env, options.var_file)
        if environment.name == "local" and endpoint is None:
            raise UsageError(
                "ENV=local is this machine, not AWS.",
                "Type ENV=dev, staging or prod; or make up for this machine.",
            )
        account = open_account(environment, os.environ) if options.command not in _WITHOUT_ACCOUNT else None
        return COMMANDS[options.command](environment, account, options)
    except ToolError as error:
        return print_error(error)
    except (BotoCoreError, ClientError, URLError, TimeoutError) as error:
        return print_error(explain(error, endpoint) or ToolError(str(error)))
    except KeyboardInterrupt:
        return print_error(ToolError("Stopped. Run the same command to continue.", status=INTERRUPTED))


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description=__doc__, allow_abbrev=False)
    listed = " ".join(f"{name}: {run.__doc__}" for name, run in COMMANDS.items())
    parser.add_argument("command", choices=COMMANDS, help=listed)
    parser.add_argument("--env", default=environment.get("ENV") or "dev", help="dev, staging or prod (ENV=)")
    var_file = environment.get("VAR_FILE")
    parser.add_argument(
        "--var-file",
        type=Path,
        default=Path(var_file) if var_file else None,
        help="use this file instead of terraform/env/ENV.tfvars (VAR_FILE=)",
    )
    parser.add_argument(
        "--version",
        default=environment.get("VERSION") or None,
        help="rollback: the version to return to (VERSION=)",
    )
    parser.add_argument(
        "--confirm",
        default=environment.get("CONFIRM") or None,
        help="destroy: the environment's name (CONFIRM=)",
    )
    for name in ("receipt", "policy", "bootstrap"):
        parser.add_argument(
            f"--{name}", dest="command", action="store_const", const=name, help=str(COMMANDS[name].__doc__)
        )
    for name, text in (
        ("auto-approve", "do not ask"),
        ("force", "deploy an untested checkout"),
        ("prebuilt", "deploy: use the zips in build/ and build none, as CI does"),
        ("athena", "policy: print the part that athena = true needs"),
        ("kms", "policy: print the part that kms_key_arn needs"),
        ("json", "drift: print JSON"),
    ):
        variable = name.upper().replace("-", "_")
        parser.add_argument(
            f"--{name}",
            nargs="?",
            const=True,
            type=_yes_or_no,
            default=environment.get(variable) or "0",
            help=f"{text} ({variable}=1)",
        )
    return parser


def _yes_or_no(text: str) -> bool:
    if text not in ("0", "1"):
        raise argparse.ArgumentTypeError(f"{text!r} is not 0 or 1")
    return text == "1"


if __name__ == "__main__":
    interrupt_on(signal.SIGTERM, signal.SIGHUP)
    start(main)
