"""Build the zips of the Lambda functions reproducibly: equal source gives equal bytes on any machine."""

import hashlib
import os
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tools.core.paths import ARCHIVER_ZIP, LAMBDA_SOURCE, LAMBDA_ZIP

# Packages that both functions import.
_SHARED = ("contract", "storage", "aws_http", "common")


def _packages(*names: str) -> dict[str, Path]:
    return {name: LAMBDA_SOURCE / name for name in names}


PACKAGES = _packages(*_SHARED, "processor")
SUFFIXES = (".json", ".py", ".zdict")


@dataclass(frozen=True)
class Artifact:
    """A zip that Terraform deploys."""

    path: Path
    packages: dict[str, Path]


# By the Terraform variable that holds the path.
ARTIFACTS = {
    "lambda_zip": Artifact(LAMBDA_ZIP, PACKAGES),
    "archiver_zip": Artifact(ARCHIVER_ZIP, _packages(*_SHARED, "archiver")),
}


def build_all() -> dict[str, str]:
    """Build every zip that Terraform deploys. Return the SHA-256 of each as hex, by Terraform variable.

    Raises UnusableSchema: a function with such a schema would dead-letter each message.
    """
    import contract  # noqa: F401 - reads and compiles the schema

    return {variable: build_zip(zip_.path, zip_.packages) for variable, zip_ in ARTIFACTS.items()}


def build_zip(dest: Path = LAMBDA_ZIP, packages: dict[str, Path] | None = None) -> str:
    """Write the zip of ``packages`` (default: the processor's) to ``dest`` and return its SHA-256 as hex.

    Entries are uncompressed, because zlib's output differs between Python builds. They are sorted and have
    fixed dates and modes, so that checkout time, umask and locale have no effect. An equal ``dest`` is not
    written again.

    Raises FileNotFoundError if a package has no source.
    """
    dest.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=dest.parent, prefix=f".{dest.name}.")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, path in sorted(_entries(PACKAGES if packages is None else packages).items()):
                entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                archive.writestr(entry, path.read_bytes())
        digest = _sha256(Path(temporary))
        if not dest.exists() or _sha256(dest) != digest:
            Path(temporary).chmod(0o644)
            Path(temporary).replace(dest)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return digest


def _entries(packages: dict[str, Path]) -> dict[str, Path]:
    entries = {}
    for package, directory in packages.items():
        # Editors and macOS create hidden copies such as ._handler.py.
        sources = [p for p in directory.rglob("[!.]*") if p.suffix in SUFFIXES and p.is_file()]
        if not sources:
            raise FileNotFoundError(f"The zip needs {package}, but {directory} contains no source.")
        entries.update({f"{package}/{path.relative_to(directory).as_posix()}": path for path in sources})
    return entries


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
