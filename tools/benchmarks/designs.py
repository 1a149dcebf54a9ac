"""The compared designs, unpacked as Lambda unpacks their zips."""

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
BASELINES = ROOT / "tools" / "benchmarks" / "baselines"


@dataclass(frozen=True)
class Design:
    """A Lambda function. ``baseline`` is its folder in baselines/, None for this pipeline's own zip.

    ``libraries`` adds the packages of requirements/bench.txt that the Lambda runtime does not have.
    """

    name: str
    title: str
    baseline: str | None = None
    libraries: bool = False

    def unpack(self, directory: Path) -> Path:
        """Write the function's files into a new directory, as Lambda unpacks them. Return the directory."""
        directory.mkdir(parents=True)
        if self.baseline is None:
            with tempfile.TemporaryDirectory() as temporary:
                archive = Path(temporary) / "lambda.zip"
                build_zip(archive)
                zipfile.ZipFile(archive).extractall(directory)
            return directory
        # All designs have the same handler name, so that a stack's function can run any of them.
        shutil.copytree(BASELINES / self.baseline, directory / "processor", ignore=_ignore_bytecode)
        if self.libraries:
            for package in vendored_packages():
                _copy(package, directory)
        return directory

    def build_zip(self, destination: Path) -> bytes:
        """Return the content of the function's zip."""
        with tempfile.TemporaryDirectory() as temporary:
            files = self.unpack(Path(temporary) / "function")
            archive = shutil.make_archive(str(destination.with_suffix("")), "zip", root_dir=files)
            return Path(archive).read_bytes()


OURS = Design("ours", "this pipeline")
ORIGINAL = Design("original", "original design", "original")
POWERTOOLS = Design("powertools", "Powertools + Pydantic", "powertools", libraries=True)
FLOOR = Design("floor", "floor", "floor")
DESIGNS = (OURS, ORIGINAL, POWERTOOLS, FLOOR)

_ignore_bytecode = shutil.ignore_patterns("__pycache__")


def design_title(name: str) -> str:
    """Return the title of the design with this name."""
    return next(design.title for design in DESIGNS if design.name == name)


def vendored_packages() -> list[Distribution]:
    """Return the packages that a zip with Powertools and Pydantic adds to those of the runtime."""
    names = _locked_names("bench") - _locked_names("emulator")
    library = next(BENCH_VENV.glob("lib/python*/site-packages"))
    return [package for package in distributions(path=[str(library)]) if _normalized(package.name) in names]


def _locked_names(name: str) -> set[str]:
    lock = (REQUIREMENTS / f"{name}.txt").read_text()
    return {_normalized(package) for package in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _copy(package: Distribution, directory: Path) -> None:
    for file in package.files or []:
        if file.suffix == ".pyc" or ".." in file.parts:
            continue
        target = directory / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)
