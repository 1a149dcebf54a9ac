"""Install the old provider, and refuse one with another hash."""

import base64
import hashlib
import importlib.metadata
import platform
import zipfile
from pathlib import Path

import pytest

from tools.core.errors import ToolError
from tools.local.offline import provider


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small archive in the place of the wheel's, with its own hash as the one to expect."""
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as content:
        content.writestr("terraform-provider-aws_v3.39.0_x5", "a program")
    monkeypatch.setattr(provider, "_archive", lambda: path)
    monkeypatch.setattr(provider, "ARCHIVE_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_an_archive_with_another_hash_is_refused_and_nothing_of_it_is_unpacked(
    archive: Path, tmp_path: Path
) -> None:
    expected = provider.ARCHIVE_SHA256
    archive.write_bytes(archive.read_bytes() + b"!")
    cache = tmp_path / "cache"
    with pytest.raises(ToolError, match=r"not the AWS provider 3\.39\.0 that HashiCorp published") as refusal:
        provider.install_mirror(cache)
    assert expected in str(refusal.value)
    assert hashlib.sha256(archive.read_bytes()).hexdigest() in str(refusal.value)
    assert not list(cache.rglob("terraform-provider-*"))


def test_the_provider_is_unpacked_once_as_a_program_and_named_in_the_cli_config(
    archive: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cli_config = provider.install_mirror(cache)
    (program,) = (cache / "mirror").rglob("terraform-provider-aws_v3.39.0_x5")
    assert program.parent == cache / "mirror/registry.terraform.io/hashicorp/aws/3.39.0/linux_amd64"
    assert program.stat().st_mode & 0o777 == 0o755
    assert f'path = "{cache / "mirror"}"' in cli_config.read_text()
    assert not list(cache.glob("*.new"))

    archive.unlink()
    assert provider.install_mirror(cache) == cli_config


def test_another_platform_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    assert "this is Linux arm64" in str(provider.unusable()) or "this is Darwin arm64" in str(
        provider.unusable()
    )


def test_a_missing_wheel_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> importlib.metadata.Distribution:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert "pip install --require-hashes -r requirements/offline.txt" in str(provider.unusable())


def test_the_content_hash_is_that_of_the_archive_that_hashicorp_published() -> None:
    if provider.unusable():
        pytest.skip(str(provider.unusable()))
    archive = provider._archive()
    assert archive is not None
    provider.check_archive(archive)
    # Terraform's h1: the SHA-256 of a list of each file's SHA-256 and name, in base64.
    with zipfile.ZipFile(archive) as content:
        hashes = {name: hashlib.sha256(content.read(name)).hexdigest() for name in content.namelist()}
    listing = "".join(f"{digest}  {name}\n" for name, digest in sorted(hashes.items()))
    assert base64.b64encode(hashlib.sha256(listing.encode()).digest()).decode() == provider.CONTENT_H1
