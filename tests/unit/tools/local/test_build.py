import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from tools.core.paths import ROOT
from tools.local.build import ARTIFACTS, build_all, build_zip

BUILD = """
import sys
from pathlib import Path
from stack.build import build_zip
print(build_zip(Path(sys.argv[1])))
"""


@pytest.fixture
def packages(tmp_path: Path) -> dict[str, Path]:
    package = tmp_path / "source" / "processor"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "handler.py").write_text("def handle(event, context):\n    return event\n")
    (package / "deep" / "rules.json").write_text("{}\n")
    return {"processor": package}


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def test_the_same_source_gives_the_same_bytes(tmp_path: Path, packages: dict[str, Path]) -> None:
    assert build_zip(tmp_path / "a.zip", packages) == build_zip(tmp_path / "b.zip", packages)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_the_digest_is_that_of_the_file(tmp_path: Path, packages: dict[str, Path]) -> None:
    digest = build_zip(tmp_path / "a.zip", packages)
    assert hashlib.sha256((tmp_path / "a.zip").read_bytes()).hexdigest() == digest


def test_times_and_modes_of_the_source_have_no_effect(tmp_path: Path, packages: dict[str, Path]) -> None:
    before = build_zip(tmp_path / "a.zip", packages)
    for number, path in enumerate(packages["processor"].rglob("*.py")):
        path.chmod(0o600 if number % 2 else 0o755)
        os.utime(path, (1_000_000_000 + number, 2_000_000_000 + number))
    assert build_zip(tmp_path / "b.zip", packages) == before


def test_a_changed_source_gives_another_digest(tmp_path: Path, packages: dict[str, Path]) -> None:
    before = build_zip(tmp_path / "a.zip", packages)
    (packages["processor"] / "handler.py").write_text("")
    assert build_zip(tmp_path / "a.zip", packages) != before


def test_a_zip_holds_only_python_and_json(tmp_path: Path, packages: dict[str, Path]) -> None:
    package = packages["processor"]
    (package / "__pycache__").mkdir()
    for name in ("__pycache__/handler.cpython-313.pyc", "notes.md", "._handler.py", "handler.py.orig"):
        (package / name).write_text("x")
    build_zip(tmp_path / "a.zip", packages)
    assert names(tmp_path / "a.zip") == [
        "processor/__init__.py",
        "processor/deep/rules.json",
        "processor/handler.py",
    ]


def test_entries_can_be_read_by_every_user(tmp_path: Path, packages: dict[str, Path]) -> None:
    build_zip(tmp_path / "a.zip", packages)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_a_current_zip_is_not_written_again(tmp_path: Path, packages: dict[str, Path]) -> None:
    build_zip(tmp_path / "a.zip", packages)
    os.utime(tmp_path / "a.zip", (1, 1))
    build_zip(tmp_path / "a.zip", packages)
    assert (tmp_path / "a.zip").stat().st_mtime == 1


def test_no_temporary_file_is_left(tmp_path: Path, packages: dict[str, Path]) -> None:
    build_zip(tmp_path / "out" / "a.zip", packages)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.zip"]


def test_a_package_without_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="needs contract"):
        build_zip(tmp_path / "a.zip", {"contract": tmp_path / "absent"})


def test_the_real_zip_is_small_and_holds_the_handler_and_the_contract(tmp_path: Path) -> None:
    build_zip(tmp_path / "a.zip")
    assert {"processor/handler.py", "contract/event.schema.json"} <= set(names(tmp_path / "a.zip"))
    assert (tmp_path / "a.zip").stat().st_size < 3_000_000


@pytest.mark.parametrize("python", ["python3.11", "python3.12", "python3.13", "python3.14"])
def test_every_python_umask_zone_and_locale_gives_the_same_bytes(python: str, tmp_path: Path) -> None:
    found = shutil.which(python)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    run = [found or python, "-c", BUILD, str(tmp_path / "other.zip")]
    try:
        built = subprocess.run(run, env=environment, umask=0o077, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"there is no working {python} here")
    assert built.stdout.strip() == build_zip(tmp_path / "this.zip")


def test_no_zip_is_built_with_a_schema_that_cannot_be_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = replace(ARTIFACTS["lambda_zip"], path=tmp_path / "lambda.zip")
    monkeypatch.setattr("tools.local.build.ARTIFACTS", {"lambda_zip": built})
    assert list(build_all()) == ["lambda_zip"]
    built.path.unlink()
    monkeypatch.setitem(sys.modules, "contract", None)  # its import fails
    with pytest.raises(ImportError):
        build_all()
    assert not built.path.exists()
