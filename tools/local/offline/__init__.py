"""The local stack without the Terraform registry: a copy of ``terraform/`` for the AWS provider 3.39.0.

Used only where neither the registry nor a mirror of the user's own can be reached. The config in
``terraform/`` is written for a current provider and never bends to this one; ``provider_gaps.py`` lists what that
costs. Nothing else in the repository depends on this package: without it, ``make up`` needs a registry.
"""

from tools.local.offline.provider import unusable as available
from tools.local.offline.run import OfflineRun, complete, differences, prepare

__all__ = ["OfflineRun", "available", "complete", "differences", "prepare"]
