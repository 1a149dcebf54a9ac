"""Write terraform/README.md from the variables and outputs of the config, as terraform-docs lays them out."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.core.paths import TERRAFORM_SOURCE
from tools.local import hcl

PAGE = TERRAFORM_SOURCE / "README.md"

HEAD = """\
# Terraform

One config serves every target. Environments differ only by a file in `env/`: `local` is an emulator on your
machine; `dev`, `staging` and `prod` are environments on AWS ([docs/deploy.md](../docs/deploy.md)). The
`validation` blocks in [variables.tf](variables.tf) refuse values out of range.

`make docs` writes this page from `variables.tf` and `outputs.tf`. Change those files, not this page.
"""

_REQUIRED = object()


def page() -> str:
    """Return the whole page."""
    inputs = _table(
        ("Name", "Description", "Type", "Default", "Required"),
        (_input(name, body) for name, body in _blocks("variables.tf", "variable")),
    )
    outputs = _table(
        ("Name", "Description"),
        ((f"`{name}`", body["description"]) for name, body in _blocks("outputs.tf", "output")),
    )
    return "\n".join([HEAD, "## Inputs", "", *inputs, "", "## Outputs", "", *outputs, ""])


def _blocks(file: str, kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    content = hcl.load((TERRAFORM_SOURCE / file).read_text("utf-8"))
    return sorted((name, body) for block in content[kind] for name, body in block.items())


def _input(name: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    default = body.get("default", _REQUIRED)
    shown = "n/a" if default is _REQUIRED else f"`{json.dumps(default)}`"
    # python-hcl2 wraps expressions in ${} and drops the spaces inside braces.
    type_ = re.sub(r"^\$\{(.*)\}$", r"\1", body["type"]).replace("({", "({ ").replace("})", " })")
    return f"`{name}`", body["description"], f"`{type_}`", shown, "yes" if default is _REQUIRED else "no"


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _row(columns)
    yield _row(("---",) * len(columns))
    for row in rows:
        yield _row(cell.replace("|", "\\|") for cell in row)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write("wrote terraform/README.md\n")


if __name__ == "__main__":
    main()
