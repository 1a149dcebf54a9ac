"""Run the rewritten config with Terraform and the real old provider, if this machine has both."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.core.paths import TERRAFORM_SOURCE
from tools.local import offline
from tools.local.offline.provider import ENDPOINTS, SOURCE
from tools.local.terraform import LOCK, NOT_COPIED

# In blocks that get a file of their own and in one that stays. None needs another: Terraform does not look at
# what needs a faulty block.
ARGUMENTS = (
    ("function.tf", "batch_size"),
    ("alarms.tf", "treat_missing_data"),
    ("buckets.tf", "restrict_public_buckets"),
)


@dataclass(frozen=True)
class WorkingCopy:
    """A copy of a config, brought down."""

    directory: Path
    run: offline.OfflineRun

    def terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | self.run.environment | {"CHECKPOINT_DISABLE": "1"}
        return subprocess.run(
            ["terraform", *arguments],
            cwd=self.directory,
            env=environment,
            text=True,
            capture_output=True,
            check=False,
        )


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Asked here and not on import: tests that ran before may have installed the wheel.
    missing = offline.unusable() or ("" if shutil.which("terraform") else "there is no terraform on PATH")
    if missing:
        pytest.skip(missing)
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def working_copy(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> WorkingCopy:
    return prepared(TERRAFORM_SOURCE, tmp_path_factory.mktemp("copy"), cache)


def misspell(file: Path, argument: str) -> tuple[str, int]:
    """Misspell an argument where it first stands in a file; its name without suffix and its line."""
    lines = file.read_text().splitlines(keepends=True)
    number = next(number for number, line in enumerate(lines) if line.split()[:2] == [argument, "="])
    lines[number] = "  misspelt = 1\n"
    file.write_text("".join(lines))
    return file.stem, number + 1


def prepared(source: Path, directory: Path, cache: Path) -> WorkingCopy:
    shutil.copytree(source, directory, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
    return WorkingCopy(directory, offline.prepare(directory, source, "http://127.0.0.1:1", cache))


def test_the_config_is_valid_for_the_old_provider(working_copy: WorkingCopy) -> None:
    done = working_copy.terraform("validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_misspelt_arguments_fail_with_terraforms_own_message_and_their_lines(
    cache: Path, working_copy: WorkingCopy, tmp_path: Path
) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    shutil.copytree(TERRAFORM_SOURCE, source, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    misspelt = {misspell(source / file, argument) for file, argument in ARGUMENTS}
    shutil.copytree(working_copy.directory, copy, symlinks=True)
    done = prepared(source, copy, cache).terraform("validate", "-json")
    reported = {
        (problem["range"]["filename"].split(".")[0], problem["range"]["start"]["line"])
        for problem in json.loads(done.stdout)["diagnostics"]
        if problem["summary"] == "Unsupported argument" and '"misspelt"' in problem["detail"]
    }
    assert reported == misspelt


def test_every_endpoint_of_the_provider_is_set(working_copy: WorkingCopy) -> None:
    done = working_copy.terraform("providers", "schema", "-json")
    settings = json.loads(done.stdout)["provider_schemas"][SOURCE]["provider"]["block"]["block_types"]
    assert set(settings["endpoints"]["block"]["attributes"]) == set(ENDPOINTS)


@pytest.mark.parametrize("command", ["init", "validate"])
def test_a_provider_that_was_changed_after_it_was_checked_is_refused(
    cache: Path, tmp_path: Path, command: str
) -> None:
    own = tmp_path / "cache"
    copy = tmp_path / "copy"
    copy.mkdir()
    prepared(TERRAFORM_SOURCE, copy, cache)
    shutil.copytree(cache, own)
    (program,) = (own / "mirror").rglob("terraform-provider-aws_*")
    with program.open("ab") as file:
        file.write(b"!")
    done = prepared(TERRAFORM_SOURCE, copy, own).terraform(command, "-no-color")
    assert done.returncode != 0
    assert "match any of the checksums" in " ".join(done.stderr.split())


def test_a_committed_lock_file_of_a_current_provider_is_ignored(cache: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(TERRAFORM_SOURCE, source, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    lock = f'provider "{SOURCE}" {{\n  version = "6.62.0"\n  constraints = "~> 6.40"\n  hashes = []\n}}\n'
    (source / LOCK).write_text(lock)
    done = prepared(source, tmp_path / "copy", cache).terraform("init", "-input=false", "-no-color")
    assert done.returncode == 0, done.stderr
