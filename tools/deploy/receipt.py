"""The receipt of a green `make test`: what was tested, so that nothing else is deployed.

tests/receipt.py writes it, `make deploy-aws` compares it with the checkout. It does not cover the tfvars, in
which environments differ.
"""

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tools.core.errors import ToolError
from tools.core.files import write_atomically
from tools.core.paths import ROOT, read_by_config
from tools.local import build

PATH = ROOT / "build" / "receipt.json"
LOCK = "terraform/.terraform.lock.hcl"
# The lock file that the tests ran with, for checkouts that have none.
TESTED_LOCK = ROOT / "build" / "tested.terraform.lock.hcl"


@dataclass(frozen=True)
class Fingerprint:
    """SHA-256 of all deployed files: the zips by Terraform variable, the config by file."""

    zips: dict[str, str]
    config: dict[str, str]


@dataclass(frozen=True)
class Receipt:
    """The tested content, target, tools and outcome of a test run.

    ``time`` is UTC; ``tests`` counts by outcome. ``offline`` means that the tests ran with the old AWS
    provider, which never deploys to AWS.
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
        """Write the receipt."""
        path = path or PATH
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the last receipt. Raises ToolError if it is missing or unreadable."""
        path = path or PATH
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ToolError(
                "There is no receipt of a test run.",
                "make test writes one if all tests pass. FORCE=1 continues without, and records that.",
            ) from None
        except (TypeError, ValueError) as error:
            raise ToolError(f"{path} cannot be read: {error}", "make test writes a new one.") from None

    def described(self) -> list[str]:
        """Return the receipt as lines."""
        tests = ", ".join(f"{count} {outcome}" for outcome, count in self.tests.items())
        dirty = " with uncommitted changes" if self.tree_dirty else ""
        lock = "pinned" if self.pins_provider else f"not pinned, because there is no {LOCK}"
        return [
            f"tested    {self.time} on {self.target}: {tests}",
            f"commit    {self.commit}{dirty}",
            f"tools     Terraform {self.terraform}, AWS provider {self.provider} ({lock})",
            *(f"zip       {name}, sha256 {digest}" for name, digest in self.zips.items()),
            f"config    {len(self.config)} files",
        ]


def config_of(root: Path = ROOT) -> dict[str, str]:
    """Return the SHA-256 of each file of the config under ``root``, by its path in the checkout."""
    config = root / "terraform"
    sources = {file for pattern in ("*.tf", "*.tf.json", "*.tftpl") for file in config.rglob(pattern)}
    kept = [file for file in sorted(sources) if ".terraform" not in file.parts]
    files = [*kept, root / LOCK, *read_by_config(root)]
    return {str(file.relative_to(root)): sha256(file) for file in files if file.exists()}


def fingerprint() -> Fingerprint:
    """Build the zips, and return the fingerprint of the checkout."""
    lock = lock_file()
    locked = {LOCK: sha256(lock)} if lock else {}
    return Fingerprint(build.build_all(), {**config_of(), **locked})


def lock_file() -> Path | None:
    """Return the lock file for deploys: the committed one, else the one of the last test run."""
    return next((file for file in (ROOT / LOCK, TESTED_LOCK) if file.exists()), None)


def differences(tested: Receipt, now: Fingerprint) -> list[str]:
    """Return a line for each difference between the tested content and ``now``."""
    zips = _differences(tested.zips, now.zips)
    return [*(f"the zip of {line}" for line in zips), *_differences(tested.config, now.config)]


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def commit() -> tuple[str, bool]:
    """Return the checked-out commit, and whether the tree has uncommitted changes."""
    head = _git("rev-parse", "HEAD")
    return head or "(not a git checkout)", bool(_git("status", "--porcelain"))


def _differences(tested: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    lines = []
    for name in sorted({*tested, *now}):
        if name not in now:
            lines.append(f"{name} was tested and no longer exists")
        elif name not in tested:
            lines.append(f"{name} is new since the tests ran")
        elif tested[name] != now[name]:
            lines.append(f"{name} has changed: tested {tested[name][:12]}, now {now[name][:12]}")
    return lines


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
