"""What is compared, each laid out as Lambda unpacks its zip."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from tools.core.paths import REQUIREMENTS, ROOT, VENVS
from tools.local.build import build_zip

BENCH_VENV = VENVS / "bench"
RIVALS = ROOT / "tools" / "benchmarks" / "rivals"
# What the function finds in its environment, on AWS from Terraform.
ENVIRONMENT = {
    "EVENTS_TABLE": "events",
    "REJECTED_TABLE": "rejected",
    "DUPLICATES_TABLE": "duplicates",
    "PAYLOAD_BUCKET": "payloads",
    "ALERTS_TOPIC_ARN": "arn:aws:sns:us-east-1:000000000000:alerts",
    "LARGE_ORDER_THRESHOLD": "1000",
    "BATCH_SUMMARY_ALERTS": "true",
    "FUNCTION_TIMEOUT_SECONDS": "30",
    "REJECTED_RETENTION_DAYS": "90",
    "DUPLICATES_RETENTION_DAYS": "30",
}


@dataclass(frozen=True)
class Design:
    """A Lambda function. ``rival`` is its folder in tools/benchmarks/rivals, None for this pipeline's own zip.

    ``libraries``: whether the zip brings the packages of requirements/bench.txt that the runtime has not.
    """

    name: str
    title: str
    rival: str | None = None
    libraries: bool = False

    def lay_out(self, directory: Path) -> Path:
        """Write the function's files into a new directory, as Lambda unpacks them; returns the directory."""
        directory.mkdir(parents=True)
        if self.rival is None:
            with tempfile.TemporaryDirectory() as temporary:
                archive = Path(temporary) / "lambda.zip"
                build_zip(archive)
                zipfile.ZipFile(archive).extractall(directory)
            return directory
        # All have one handler name, so that a stack's function can be given any of them.
        shutil.copytree(RIVALS / self.rival, directory / "processor", ignore=_compiled)
        if self.libraries:
            for package in vendored():
                _copy(package, directory)
        return directory

    def zip(self, destination: Path) -> bytes:
        """The function's zip."""
        with tempfile.TemporaryDirectory() as temporary:
            files = self.lay_out(Path(temporary) / "function")
            return Path(
                shutil.make_archive(str(destination.with_suffix("")), "zip", root_dir=files)
            ).read_bytes()


OURS = Design("ours", "this pipeline")
ORIGINAL = Design("original", "original design", "original")
POWERTOOLS = Design("powertools", "Powertools + Pydantic", "powertools", libraries=True)
FLOOR = Design("floor", "floor", "floor")
ALL = (OURS, ORIGINAL, POWERTOOLS, FLOOR)

_compiled = shutil.ignore_patterns("__pycache__")


def by_name(name: str) -> Design:
    """The design of this name."""
    return next(design for design in ALL if design.name == name)


def vendored() -> list[Distribution]:
    """The packages that a zip with Powertools and Pydantic must bring: the runtime has the others."""
    brought = _locked("bench") - _locked("emulator")
    library = next(BENCH_VENV.glob("lib/python*/site-packages"))
    return [found for found in distributions(path=[str(library)]) if _normal(found.name) in brought]


def _locked(name: str) -> set[str]:
    lock = (REQUIREMENTS / f"{name}.txt").read_text()
    return {_normal(found) for found in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _copy(package: Distribution, directory: Path) -> None:
    for file in package.files or []:
        if file.suffix == ".pyc" or ".." in file.parts:
            continue
        target = directory / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)
