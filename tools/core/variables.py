"""Check the names of the variables on make's command line, before a target runs. Uses the standard library.

make would ignore a misspelt variable, and the command would do more than was asked. The registry is the
Makefile's help: a target has the variables that its line names. Tests compare it with the commands' options.
"""

import difflib
import os
import re
from collections.abc import Iterable, Mapping

from tools.core.errors import ToolError, UsageError
from tools.core.paths import ROOT
from tools.core.program import print_error, start
from tools.core.state import ARCHIVE_OUTPUTS, ENVIRONMENT_OUTPUTS
from tools.core.text import quote

_TARGET = re.compile(r"^([a-z-]+):.*?## (.*)\n((?:\t.*\n|ifneq.*\n|endif\n)*)", re.MULTILINE)
_OWN = re.compile(r"^(?:export )?([A-Z_]+) [:+]?=", re.MULTILINE)
# Of other programs: AWS's SDKs, Terraform, Docker, LocalStack, Python, pytest, terminals.
_OTHERS = re.compile(
    r"(?:AWS|TF|DOCKER|COMPOSE|LOCALSTACK|PIP|PYTHON|PYTEST|FUZZ|TERRAFORM|LC)_?\w*"
    r"|(?:HTTPS?|NO|http|https|no)_(?:PROXY|proxy)|NO_COLOR|TERM|COLUMNS|LINES|LANG|TZ|TMPDIR|PATH|HOME|CI"
)
_COMMON = {"STACK_DIR", "DEPLOY_DIR", *ENVIRONMENT_OUTPUTS, *ARCHIVE_OUTPUTS}


def variables(makefile: str) -> dict[str, list[str]]:
    """Return the variables of each target, in the order in which its help names them."""
    known = {target: re.findall(r"\b([A-Z][A-Z_]*)=", text) for target, text, _ in _TARGET.findall(makefile)}
    for target, _, recipe in _TARGET.findall(makefile):
        known[target] += known["up"] if "tools.local up" in recipe and target != "up" else []
        known[target] += ["ARGS"] if "$(ARGS)" in recipe else []
    return {target: list(dict.fromkeys(names)) for target, names in known.items()}


def check(given: Iterable[str], goals: list[str], makefile: str) -> None:
    """Raise UsageError for a variable that none of the goals has."""
    of_target = variables(makefile)
    # A rule of another file, such as one that includes this Makefile, may have any variable.
    if not goals or not set(goals) <= of_target.keys():
        return
    named = [name for goal in goals for name in of_target[goal]]
    known = {*named, *_COMMON, *_OWN.findall(makefile)}
    for name in given:
        if name not in known and not _OTHERS.fullmatch(name):
            target = "make " + " ".join(goals)
            is_spelt_right = any(name in names for names in of_target.values())
            close = [] if is_spelt_right else difflib.get_close_matches(name.upper(), named, 1, 0.5)
            meant = f" Did you mean {close[0]}?" if close else ""
            listed = f"It has {', '.join(dict.fromkeys(named))}." if named else "It has none."
            raise UsageError(
                f"{target} has no variable {name}.{meant}",
                f"{listed} For another program: {quote(name)}=... {target}",
            )


def main(environment: Mapping[str, str]) -> int:
    """Check the variables that make passes in MAKE_GIVEN, for the targets in MAKE_GOALS."""
    try:
        given, goals = (environment.get(name, "").split() for name in ("MAKE_GIVEN", "MAKE_GOALS"))
        check(given, goals, (ROOT / "Makefile").read_text("utf-8"))
    except ToolError as error:
        return print_error(error)
    return 0


if __name__ == "__main__":
    start(lambda: main(os.environ))
