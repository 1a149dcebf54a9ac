"""``python -m tools.deploy <command>``: every option is also read from the environment, as make passes it."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from botocore.exceptions import BotoCoreError, ClientError

from tools.core.aws_errors import explain
from tools.core.cli import INTERRUPTED, print_error
from tools.core.console import err
from tools.core.errors import OpsError, StackError, UsageError
from tools.deploy import commands
from tools.deploy.account import open_account
from tools.deploy.commands import Command
from tools.deploy.environment import Environment


@dataclass(frozen=True)
class _Known:
    run: Command
    text: str
    needs_account: bool = True


COMMANDS = {
    "plan": _Known(commands.plan, "say what a deploy would change"),
    "deploy": _Known(commands.deploy, "deploy what was tested, and try it"),
    "rollback": _Known(commands.rollback, "go back to the code before (VERSION=3)"),
    "destroy": _Known(commands.destroy, "remove an environment (CONFIRM=its name)"),
    "bootstrap": _Known(commands.bootstrap, "make the bucket of Terraform's state, once"),
    "drift": _Known(commands.drift, "say whether the account still is as the config says"),
    "smoke": _Known(commands.smoke, "try what is deployed"),
    "env": _Known(commands.env, "shell exports for the other commands"),
    "policy": _Known(commands.show_policy, "the deployer's policy, as JSON", needs_account=False),
    "receipt": _Known(commands.show_receipt, "what was tested", needs_account=False),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns its exit status; prints errors that a person can act on."""
    options = _parser(os.environ).parse_args(arguments)
    known = COMMANDS[options.command]
    endpoint = os.environ.get("AWS_ENDPOINT_URL") or None
    try:
        environment = Environment.read(options.env, options.var_file)
        if environment.name == "local" and endpoint is None:
            raise UsageError(
                "ENV=local is the laptop, not AWS.", "ENV=dev, staging or prod; make up for the laptop."
            )
        account = open_account(environment, os.environ) if known.needs_account else None
        return known.run(environment, account, options)
    except OpsError as error:
        return print_error(error)
    except StackError as error:
        return print_error(OpsError(str(error)))
    except (BotoCoreError, ClientError, OSError) as error:
        return print_error(explain(error, endpoint) or OpsError(str(error)))
    except KeyboardInterrupt:
        err.print("Stopped. The same command again goes on from here.")
        return INTERRUPTED


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.deploy", description=__doc__, allow_abbrev=False)
    listed = "; ".join(f"{name}: {known.text}" for name, known in COMMANDS.items())
    parser.add_argument("command", choices=COMMANDS, help=listed)
    parser.add_argument("--env", default=environment.get("ENV") or "dev", help="dev, staging or prod (ENV=)")
    var_file = environment.get("VAR_FILE")
    parser.add_argument(
        "--var-file",
        type=Path,
        default=Path(var_file) if var_file else None,
        help="other tfvars than terraform/env/ENV.tfvars (VAR_FILE=)",
    )
    parser.add_argument("--version", default=environment.get("VERSION") or None, help="rollback: to which")
    parser.add_argument("--confirm", default=environment.get("CONFIRM") or None, help="destroy: the name")
    for name, text in (
        ("auto-approve", "do not ask"),
        ("force", "deploy what was not tested"),
        ("athena", "policy: what athena = true takes besides"),
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
        raise argparse.ArgumentTypeError(f"{text!r} is neither 1 nor 0")
    return text == "1"


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    # Ends as Ctrl-C does: Terraform is told, and finishes what it has begun.
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
