"""The receipt of a green `make test`: what was tested, so that nothing else is deployed.

Written by tests/receipt.py, compared by `make deploy-aws`. The tfvars are not in it: they are how
environments differ.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.core.errors import OpsError
from tools.core.files import write_atomically
from tools.core.paths import ROOT, read_by_config
from tools.local import build

PATH = ROOT / "build" / "receipt.json"
LOCK = "terraform/.terraform.lock.hcl"
# The lock file that the tests ran with, for checkouts that have none.
TESTED_LOCK = ROOT / "build" / "tested.terraform.lock.hcl"


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 of all that is deployed: the zips by Terraform variable, the config by file."""

    zips: dict[str, str]
    config: dict[str, str]


@dataclass(frozen=True)
class Receipt:
    """What was tested, on what, with what outcome.

    ``time`` is UTC; ``tests`` counts by outcome. ``offline``: the tests ran with the old AWS provider of
    machines that cannot reach the registry, which never deploys to AWS.
    """

    zips: dict[str, str]
    config: dict[str, str]
    target: str
    terraform: str
    provider: str
    tests: dict[str, int]
    time: str
    commit: str
    tree_dirty: bool
    offline: bool = False

    @property
    def pins_provider(self) -> bool:
        """Whether the tests ran with the locked provider that a deploy to AWS uses."""
        return LOCK in self.config and not self.offline

    def save(self, path: Path | None = None) -> None:
        """Write it down."""
        path = path or PATH
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path | None = None) -> Receipt:
        """The last receipt. Raises OpsError when there is none, or none that can be read."""
        path = path or PATH
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise OpsError(
                "There is no receipt: nothing says that this was tested.",
                "make test writes one when all of it is green. FORCE=1 goes on without, and records that.",
            ) from None
        except (TypeError, ValueError) as error:
            raise OpsError(f"{path} cannot be read: {error}", "make test writes it anew.") from None

    def described(self) -> list[str]:
        """The receipt, a line each."""
        tests = ", ".join(f"{count} {outcome}" for outcome, count in self.tests.items())
        dirty = " and what was not committed" if self.tree_dirty else ""
        lock = "pinned" if self.pins_provider else f"not pinned, there is no {LOCK} yet"
        return [
            f"tested    {self.time} on {self.target}: {tests}",
            f"commit    {self.commit}{dirty}",
            f"tools     Terraform {self.terraform}, AWS provider {self.provider} ({lock})",
            *(f"zip       {name}, sha256 {digest}" for name, digest in self.zips.items()),
            f"config    {len(self.config)} files",
        ]


def config_of(root: Path = ROOT) -> dict[str, str]:
    """SHA-256 of each file of the config under ``root``, by its path in the checkout."""
    config = root / "terraform"
    written = {file for pattern in ("*.tf", "*.tf.json", "*.tftpl") for file in config.rglob(pattern)}
    kept = [file for file in sorted(written) if ".terraform" not in file.parts]
    files = [*kept, root / LOCK, *read_by_config(root)]
    return {str(file.relative_to(root)): sha256(file) for file in files if file.exists()}


def fingerprint() -> Fingerprint:
    """What would be deployed from the checkout as it is now. Builds the zips."""
    lock = lock_file()
    locked = {LOCK: sha256(lock)} if lock else {}
    return Fingerprint(build.build_all(), {**config_of(), **locked})


def lock_file() -> Path | None:
    """Return the lock file that deploys: the committed one, else the one that the tests ran with."""
    return next((file for file in (ROOT / LOCK, TESTED_LOCK) if file.exists()), None)


def keep_lock(config: Mapping[str, str], lock: str | None) -> dict[str, str]:
    """Keep the lock file of a test run for the deploy, and return the config with its hash.

    A committed lock file is in the config already. None stands for the lock of the old provider, which pins
    nothing that a deploy to AWS uses.
    """
    if (ROOT / LOCK).exists():
        return dict(config)
    if lock is None:
        TESTED_LOCK.unlink(missing_ok=True)
        return {name: digest for name, digest in config.items() if name != LOCK}
    write_atomically(TESTED_LOCK, lock)
    return {**config, LOCK: sha256(TESTED_LOCK)}


def differences(tested: Receipt, now: Fingerprint) -> list[str]:
    """In what ``now`` differs from what was tested, a line each."""
    zips = _differences(tested.zips, now.zips)
    return [*(f"the zip of {line}" for line in zips), *_differences(tested.config, now.config)]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def commit() -> tuple[str, bool]:
    """The commit that is checked out, and whether the tree differs from it."""
    head = _git("rev-parse", "HEAD")
    return head or "(not a git checkout)", bool(_git("status", "--porcelain"))


def _differences(tested: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    lines = []
    for name in sorted({*tested, *now}):
        if name not in now:
            lines.append(f"{name} was tested and is not there any more")
        elif name not in tested:
            lines.append(f"{name} is new: it was not there when the tests ran")
        elif tested[name] != now[name]:
            lines.append(f"{name} has changed: tested {tested[name][:12]}, now {now[name][:12]}")
    return lines


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
