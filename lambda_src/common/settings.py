"""Reads a function's environment variables once, at cold start."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation


class SettingsError(RuntimeError):
    """An environment variable is missing or unusable; the message names it."""


class Environment:
    """The variables that Terraform sets for a function. Every method raises SettingsError."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def text(self, name: str) -> str:
        """Return a variable that must not be empty."""
        value = self._variables.get(name, "")
        if not value:
            raise SettingsError(f"environment variable {name} is not set; Terraform sets it")
        return value

    def number(self, name: str) -> Decimal:
        """Return a variable that must be a number."""
        try:
            return Decimal(self.text(name))
        except InvalidOperation:
            raise SettingsError(f"environment variable {name} must be a number") from None
