import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tools.core.errors import ToolError
from tools.local import terraform, terraform_process, tflocal, toolchain
from tools.local.toolchain import Provider, Terraform

TERRAFORM = Terraform("/usr/bin/terraform", "1.15.5", "/usr/bin/terraform")
REGISTRY = Provider("registry", "from registry.terraform.io")
FAILED_APPLY = """\
aws_sqs_queue.events: Creating...
aws_sqs_queue.events: Creation complete after 0s

Error: creating Lambda Function: no such role

  with aws_lambda_function.processor,
  on function.tf line 1
"""


def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setattr(tflocal, "CACHE_DIR", tmp_path / "cache")
    return tflocal.environment("http://127.0.0.1:4566", "us-east-1", TERRAFORM)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tflocal, "CACHE_DIR", tmp_path / "cache")
    monkeypatch.setattr(terraform, "TERRAFORM_SOURCE", tmp_path / "source")
    (tmp_path / "source" / "env").mkdir(parents=True)
    (tmp_path / "source" / "main.tf").write_text("# main\n")
    (tmp_path / "source" / "env" / "local.tfvars").write_text("")
    return tmp_path / "source"


def working_copy(state_dir: Path) -> terraform.Run:
    return terraform._working_copy(state_dir, "http://127.0.0.1:1", "us-east-1", TERRAFORM, REGISTRY, print)


def test_no_credentials_and_no_stray_settings_reach_terraform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    stray = (
        "AWS_PROFILE",
        "AWS_SESSION_TOKEN",
        "TF_VAR_environment",
        "TF_WORKSPACE",
        "TF_CLI_ARGS",
        "DRY_RUN",
    )
    for name in (*stray, "AWS_SECRET_ACCESS_KEY", "SQS_ENDPOINT"):
        monkeypatch.setenv(name, "from the person")
    given = environment(monkeypatch, tmp_path)
    assert "from the person" not in given.values()
    assert given["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert given["AWS_ACCESS_KEY_ID"] == "test"


def test_proxies_reach_terraform_but_are_not_used_for_the_emulator(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    given = environment(monkeypatch, tmp_path)
    assert given["HTTPS_PROXY"] == "http://proxy.example:3128"
    assert given["NO_PROXY"] == "intranet.example,127.0.0.1"


def test_a_cli_config_that_does_not_exist_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(tmp_path / "absent"))
    assert "TF_CLI_CONFIG_FILE" not in environment(monkeypatch, tmp_path)


def test_variables_are_written_as_terraform_reads_them() -> None:
    assert terraform.variable_arguments({"a": "text", "b": 3, "c": False, "d": ["x", "y"]}) == [
        "-var=a=text",
        "-var=b=3",
        "-var=c=false",
        '-var=d=["x", "y"]',
    ]


@pytest.mark.usefixtures("source")
def test_the_working_copy_keeps_terraforms_state(tmp_path: Path) -> None:
    copy = working_copy(tmp_path / "state").workdir
    (copy / "terraform.tfstate").write_text("{}")
    working_copy(tmp_path / "state")
    assert (copy / "terraform.tfstate").exists()
    assert (copy / "main.tf").read_text() == "# main\n"


def test_the_working_copy_loses_removed_files_and_those_of_a_killed_tflocal(
    source: Path, tmp_path: Path
) -> None:
    (source / "old.tf").write_text("")
    copy = working_copy(tmp_path / "state").workdir
    (copy / "localstack_providers_override.tf").write_text("")
    (source / "old.tf").unlink()
    working_copy(tmp_path / "state")
    assert sorted(path.name for path in copy.glob("*.tf")) == ["main.tf"]


@pytest.mark.usefixtures("source")
def test_on_an_emulator_a_current_provider_works_without_an_account_id(tmp_path: Path) -> None:
    copy = working_copy(tmp_path / "state").workdir
    override = json.loads((copy / tflocal.OVERRIDE_FILE).read_text())
    assert override == {"provider": {"aws": {"skip_requesting_account_id": True, "allowed_account_ids": []}}}


def test_the_tests_of_the_config_are_not_copied(source: Path, tmp_path: Path) -> None:
    (source / "tests").mkdir()
    (source / "tests" / "a.tftest.hcl").write_text("")
    assert not (working_copy(tmp_path / "state").workdir / "tests").exists()


def test_terraforms_own_files_in_the_source_are_not_copied(source: Path, tmp_path: Path) -> None:
    (source / ".terraform").mkdir()
    (source / "terraform.tfstate").write_text("{}")
    copy = working_copy(tmp_path / "state").workdir
    assert sorted(path.name for path in copy.iterdir()) == [tflocal.OVERRIDE_FILE, "env", "main.tf"]


def test_a_local_stack_does_not_get_the_backend_of_deployed_environments(
    source: Path, tmp_path: Path
) -> None:
    (source / "backend.tf").write_text('terraform {\n  backend "s3" {}\n}\n')
    copy = working_copy(tmp_path / "state").workdir
    assert not (copy / "backend.tf").exists()
    terraform.copy_config(tmp_path / "deployed", terraform.NEVER_COPIED)
    assert (tmp_path / "deployed" / "backend.tf").exists()


def test_a_failed_run_shows_its_error_and_not_its_progress() -> None:
    shown = terraform_process._error_part(FAILED_APPLY)
    assert shown.startswith("Error: creating Lambda Function")
    assert shown.endswith("function.tf line 1")


def test_a_failed_run_shows_no_warning() -> None:
    warning = 'Warning: AWS account ID not found for provider\n\n  with provider["aws"]\n'
    shown = terraform_process._error_part(f"{FAILED_APPLY}\n{warning}\nError: another\n\n{warning}")
    assert "account ID not found" not in shown
    assert shown.endswith("Error: another")


def test_a_failure_without_the_word_error_shows_the_end_of_the_output() -> None:
    assert terraform_process._error_part("\n".join(map(str, range(100)))).splitlines() == list(
        map(str, range(70, 100))
    )


def test_init_runs_again_when_a_file_or_the_provider_changes_or_it_failed(
    source: Path, tmp_path: Path
) -> None:
    def is_needed(*used: object) -> bool:
        run = working_copy(tmp_path / "state")
        with terraform.init_once(run.workdir, source / terraform.LOCK, *used) as needed:
            return needed

    assert [is_needed(1), is_needed(1)] == [True, False]
    assert [is_needed(2), is_needed(2)] == [True, False]
    (source / "main.tf").write_text("# changed\n")
    assert [is_needed(2), is_needed(2)] == [True, False]
    (source / terraform.LOCK).write_text("# pins a provider\n")
    assert [is_needed(2), is_needed(2)] == [True, False]
    directory = working_copy(tmp_path / "state").workdir
    (directory / ".terraform" / "providers").mkdir()
    (directory / ".terraform" / "providers" / "aws").symlink_to(tmp_path / "removed-cache")
    assert is_needed(2)
    (tmp_path / "removed-cache").mkdir()
    assert not is_needed(2)
    with (
        pytest.raises(ToolError),
        terraform.init_once(directory, source / terraform.LOCK, 1) as needed,
    ):
        raise ToolError("terraform init failed")
    assert needed
    assert is_needed(2)


def test_a_committed_lock_file_replaces_the_one_that_init_wrote(source: Path, tmp_path: Path) -> None:
    lock = working_copy(tmp_path / "state").workdir / terraform.LOCK
    lock.write_text("# what init found\n")
    working_copy(tmp_path / "state")
    assert lock.read_text() == "# what init found\n"
    (source / terraform.LOCK).write_text("# committed\n")
    working_copy(tmp_path / "state")
    assert lock.read_text() == "# committed\n"


@pytest.mark.usefixtures("source")
def test_a_stack_keeps_its_first_terraform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    binary.touch()
    began = Terraform(str(binary), "1.15.5", "there")
    (terraform.workdir(tmp_path) / ".terraform").mkdir(parents=True)
    terraform._remember(tmp_path, began, REGISTRY)
    monkeypatch.setattr(toolchain, "find_terraform", lambda: TERRAFORM)
    assert terraform._toolchain(tmp_path) == (began, REGISTRY)
    binary.unlink()
    assert terraform._toolchain(tmp_path) == (TERRAFORM, REGISTRY)


@pytest.mark.usefixtures("source")
def test_a_provider_whose_download_fails_comes_from_the_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tried: list[str] = []

    def init(run: terraform.Run) -> None:
        tried.append(run.provider.mode)
        (run.workdir / ".terraform").mkdir(exist_ok=True)
        if run.provider.mode == "registry":
            raise terraform_process.ProviderError("Failed to install provider")

    monkeypatch.setattr(terraform, "_init", init)
    monkeypatch.setattr(toolchain, "find_terraform", lambda: TERRAFORM)
    monkeypatch.setattr(toolchain, "choose_provider", lambda: REGISTRY)
    monkeypatch.setattr(toolchain, "offline_refusal", lambda: None)
    monkeypatch.setattr("tools.local.offline.prepare", lambda *_: FakeOfflineRun())
    terraform._prepare(tmp_path / "state", "http://127.0.0.1:1", "us-east-1", lambda _: None)
    assert tried == ["registry", "offline"]


@pytest.mark.usefixtures("source")
def test_a_provider_without_any_source_fails_with_terraforms_message(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def init(_run: terraform.Run) -> None:
        raise terraform_process.ProviderError("Failed to install provider: no route to host")

    monkeypatch.setattr(terraform, "_init", init)
    monkeypatch.setattr(toolchain, "find_terraform", lambda: TERRAFORM)
    monkeypatch.setattr(toolchain, "choose_provider", lambda: REGISTRY)
    monkeypatch.setattr(toolchain, "offline_refusal", lambda: "the wheel is for Linux")
    with pytest.raises(ToolError, match=r"no route to host[\s\S]*the wheel is for Linux"):
        terraform._prepare(tmp_path / "state", "http://127.0.0.1:1", "us-east-1", lambda _: None)


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("the checksums could not be fetched", True),
        ("the local package doesn't match any of the\nchecksums previously recorded", False),
    ],
)
def test_a_provider_that_differs_from_the_lock_is_not_replaced_by_another(
    said: str, trouble: bool, tmp_path: Path
) -> None:
    terraform_that = ["sh", "-c", f'printf \'%s\\n\' "Error: Failed to install provider" "{said}"; exit 1']
    with pytest.raises(ToolError, match="Failed to install provider") as failed:
        terraform_process.run(terraform_that, tmp_path, {}, tmp_path / "log", print, "init")
    assert isinstance(failed.value, terraform_process.ProviderError) is trouble
    assert ("make lock PROVIDER=1" in str(failed.value)) is not trouble


@pytest.mark.parametrize(("offline", "tries"), [(True, 2), (False, 1)])
def test_an_inconsistent_plan_of_the_old_provider_is_planned_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, offline: bool, tries: int
) -> None:
    tried: list[str] = []

    def once(run: terraform.Run, *command: str) -> str:
        tried.append(command[0])
        if len(tried) == 1:
            raise ToolError("Error: Provider produced inconsistent final plan")
        return "applied"

    monkeypatch.setattr(terraform, "_run", once)
    run = terraform.Run(tmp_path, TERRAFORM, REGISTRY, {}, lambda _: None, object() if offline else None)
    with contextlib.nullcontext() if offline else pytest.raises(ToolError):
        assert terraform._apply(run, []) == "applied"
    assert tried == ["apply"] * tries


def test_ctrl_c_reaches_terraform_once_and_is_waited_for(tmp_path: Path) -> None:
    terraform_like = (
        "import signal, sys, time\n"
        "count = []\n"
        "signal.signal(signal.SIGINT, lambda *_: count.append(1))\n"
        "print('ready', flush=True)\n"
        "while not count: time.sleep(0.01)\n"
        "time.sleep(0.2)\n"
        "open(sys.argv[1], 'w').write(str(len(count)))\n"
    )
    done = tmp_path / "done"
    process = subprocess.Popen(
        [sys.executable, "-c", terraform_like, str(done)], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.readline()
    me = threading.get_ident()
    threading.Timer(0.1, lambda: signal.pthread_kill(me, signal.SIGINT)).start()
    said: list[str] = []
    with process.stdout, pytest.raises(KeyboardInterrupt):
        terraform_process._wait(process, said.append)
    assert done.read_text() == "1"
    assert "once more to abort" in said[0]


class FakeOfflineRun:
    environment: dict[str, str] = {}  # noqa: RUF012
    provider_gaps: list[str] = []  # noqa: RUF012


def test_what_the_old_provider_lacks_goes_to_a_file_and_one_line(
    source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    gaps = ["aws_a.b: set by an API call", "aws_c: the default"]
    run = FakeOfflineRun()
    monkeypatch.setattr(run, "provider_gaps", gaps)
    monkeypatch.setattr("tools.local.offline.prepare", lambda *_: run)
    lines: list[str] = []
    old = Provider("offline", "registry.terraform.io cannot be reached")
    terraform._working_copy(tmp_path, "http://127.0.0.1:1", "us-east-1", TERRAFORM, old, lines.append)
    assert (tmp_path / "provider-gaps.txt").read_text().splitlines() == gaps
    assert len(lines) == 1
    assert str(tmp_path / "provider-gaps.txt") in lines[0]


def test_terraform_gets_a_temporary_directory_that_the_provider_can_open_a_socket_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 100)
    for directory, given in ((tmp_path / "gone", None), (long, "/tmp"), (Path("/var/tmp"), "/var/tmp")):
        long.mkdir(exist_ok=True)
        monkeypatch.setenv("TMPDIR", str(directory))
        monkeypatch.setattr(tempfile, "tempdir", None)
        assert Path(used := terraform_process.environment()["TMPDIR"]).is_dir()
        assert given in (None, used)
