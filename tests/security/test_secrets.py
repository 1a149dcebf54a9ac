"""No secret is in the tree."""

from __future__ import annotations

import shutil
import subprocess
from fnmatch import fnmatch

import pytest
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.pypi_token import PypiTokenDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.stripe import StripeDetector

from tools.core.paths import ROOT

# Secrets that have a shape. Guessing by entropy would find every hash in the tree. The detectors are asked
# about whole files: detect-secrets' own scan goes line by line and takes 20 s.
DETECTORS = (
    AWSKeyDetector(),
    AzureStorageKeyDetector(),
    BasicAuthDetector(),
    GitHubTokenDetector(),
    GitLabTokenDetector(),
    JwtTokenDetector(),
    NpmDetector(),
    PrivateKeyDetector(),
    PypiTokenDetector(),
    SlackDetector(),
    StripeDetector(),
)
# Made up, to be refused.
NO_SECRETS = {"AKIANOBODY0000000000"}


def secrets_in(text: str) -> set[tuple[str, str]]:
    """What looks like a secret: of which kind, and how it begins."""
    found = ((detector, secret) for detector in DETECTORS for secret in detector.analyze_string(text))
    return {(detector.secret_type, secret[:8]) for detector, secret in found if secret not in NO_SECRETS}


def test_no_file_of_the_checkout_holds_a_secret() -> None:
    if shutil.which("git") is None:
        pytest.skip("git, which knows the files of the checkout, is not on PATH")
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        pytest.skip("this is no git checkout, so that nobody knows which files are its own")
    # The locks are a third of the tree, and hashes.
    names = [name for name in listing.stdout.split("\0") if name and not fnmatch(name, "requirements/*.txt")]
    texts = {name: (ROOT / name).read_text(errors="replace") for name in names if (ROOT / name).is_file()}
    assert len(texts) > 100
    found = {name: secrets for name, text in texts.items() if (secrets := secrets_in(text))}
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "key = '" + "AKIA" + "Z3MSJV4QF7H2XW5T" + "'",
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        "url = 'https://user:" + "hunter2hunter2" + "@example.com/'",
        "token = '" + "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8" + "'",
    ],
    ids=["aws", "private key", "password in a URL", "github"],
)
def test_a_secret_would_be_found(text: str) -> None:
    assert secrets_in(text)
