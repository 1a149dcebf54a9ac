"""Read the list of the settings in ``terraform/`` that provider 3.39.0 does not support (provider-gaps.json).

A setting that is not listed reaches the provider unchanged, and Terraform reports it if the provider does not
know it. Deleting whatever the old schema lacks would hide a misspelt argument. A test fails for an entry that
the config no longer needs.
"""

import json
from dataclasses import dataclass
from pathlib import Path

API_CALL = "set by an API call after the apply"


@dataclass(frozen=True)
class ProviderGap:
    """An argument or nested block, or a whole resource (no ``argument``), that the provider does not support.

    ``instead`` is API_CALL, or the reason why no replacement is needed. With API_CALL, a call sets the value
    that Terraform evaluated, or (``evaluated`` False) one that only the call knows. ``in_config`` is the
    provider's expression if the argument is required.
    """

    resource: str
    argument: str | None = None
    instead: str = API_CALL
    in_config: str | None = None
    evaluated: bool = True
    why: str = ""

    def __str__(self) -> str:
        return f"{self.resource}{'.' if self.argument else ''}{self.argument or ''}: {self.instead}"


@dataclass(frozen=True)
class Unreadable:
    """An argument, or a whole resource (no ``argument``), that the provider cannot read back from an
    emulator.

    Terraform would find a difference on every run. A difference of an argument is ignored. A whole resource
    is replaced only when its definition in the config changes.
    """

    resource: str
    argument: str | None = None
    why: str = ""


_LISTED = json.loads(Path(__file__).with_name("provider-gaps.json").read_text("utf-8"))
PROVIDER_GAPS = tuple(ProviderGap(**entry) for entry in _LISTED["gaps"])
UNREADABLE = tuple(Unreadable(**entry) for entry in _LISTED["unreadable"])
