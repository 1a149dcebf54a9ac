"""The local stack without the Terraform registry: a copy of ``terraform/`` for the AWS provider 3.39.0.

It is used only if neither the registry nor the user's own mirror can be reached. The config in ``terraform/``
is written for a current provider; ``provider_gaps.py`` lists the settings that the old one lacks. No other
part of the repository depends on this package: without it, ``make up`` needs a registry.
"""

from tools.local.offline.provider import unusable
from tools.local.offline.run import OfflineRun, complete, differences, prepare

__all__ = ["OfflineRun", "complete", "differences", "prepare", "unusable"]
