"""Choose the target of the integration tests, and the abilities that it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from tests import account, targets
from tools.core.errors import ToolError
from tools.local import endpoint, localstack, message_bodies

GOOD = b"<GetCallerIdentityResponse><GetCallerIdentityResult/></GetCallerIdentityResponse>"


@contextmanager
def emulator(*pages: str, status: int = 403) -> Iterator[str]:
    """Run a server that serves these pages, and answers each API call with this status."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path in pages else 404, b'{"version": "9.9"}')

        def do_POST(self) -> None:
            body = GOOD if status == 200 else b"<ErrorResponse/>"
            self._answer(status, body)

        def _answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def docker(monkeypatch: pytest.MonkeyPatch, problem: str | None, image: str | None = None) -> None:
    """Set the problems of the Docker engine and of LocalStack's image."""
    monkeypatch.setattr(localstack, "no_engine", lambda: problem)
    monkeypatch.setattr(localstack, "no_image", lambda: image)


def test_without_docker_the_target_is_the_embedded_emulator_with_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    docker(monkeypatch, "no Docker engine answers")
    target = targets.choose({})
    assert target.title == "MiniStack, embedded, IAM enforced (no Docker engine answers)"
    assert set(target.lacks) == {targets.MOVE_TASK}


def test_with_docker_and_the_image_the_target_is_localstack(monkeypatch: pytest.MonkeyPatch) -> None:
    docker(monkeypatch, None)
    assert targets.choose({}).name == "localstack"
    assert targets.choose({"TARGET": "ministack"}).name == "ministack"


def test_a_missing_image_is_pulled_only_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    docker(monkeypatch, None, image="its image is not on this machine")
    assert "its image is not on this machine" in targets.choose({}).title
    assert targets.choose({}).name == "ministack"
    assert targets.choose({"TARGET": "localstack"}).name == "localstack"


def test_requested_localstack_that_cannot_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    docker(monkeypatch, "no Docker engine answers")
    with pytest.raises(ToolError, match=r"no Docker engine answers.*TARGET=ministack"):
        targets.choose({"TARGET": "localstack"})


@pytest.mark.parametrize("variables", [{"AWS_PROFILE": "p"}, {"AWS_ACCESS_KEY_ID": "k"}])
def test_credentials_alone_never_select_an_account(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    docker(monkeypatch, "no Docker engine answers")
    monkeypatch.setattr(account, "identity", lambda: pytest.fail("an account was asked for"))
    assert targets.choose(variables).name == "ministack"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"TARGET": "aws"}, "TARGET=aws is not known"),
        ({"TARGET": "endpoint"}, "make test ENDPOINT="),
        ({"TARGET": "account", "ENDPOINT": "http://127.0.0.1:1"}, "select two targets"),
        ({"ENDPOINT": "127.0.0.1:4566"}, "Write it like http://127.0.0.1:4566"),
        ({"ENDPOINT": "http://127.0.0.1:1"}, "No emulator answers on"),
    ],
)
def test_an_unavailable_target_is_an_error_with_a_remedy(variables: dict[str, str], words: str) -> None:
    with pytest.raises(ToolError, match=words):
        targets.choose(variables)


def test_an_endpoint_is_identified_by_its_health_page() -> None:
    with emulator(*endpoint.HEALTH.values()) as address:
        assert targets.choose({"ENDPOINT": address}).title == f"MiniStack 9.9 at {address}"
    with emulator(endpoint.HEALTH["localstack"]) as address:
        target = targets.choose({"ENDPOINT": address})
    assert target.title == f"LocalStack 9.9 at {address}"
    assert set(target.lacks) == {targets.INSIDE, targets.IAM, targets.ALARMS, targets.PERCENTILES}


@pytest.mark.parametrize(("status", "lacks"), [(403, set()), (200, {targets.IAM})])
def test_a_ministack_that_accepts_any_credentials_lacks_iam(status: int, lacks: set[str]) -> None:
    with emulator(*endpoint.HEALTH.values(), status=status) as address:
        assert set(targets.choose({"ENDPOINT": address}).lacks) - lacks == {targets.INSIDE, targets.MOVE_TASK}
        assert lacks <= set(targets.choose({"ENDPOINT": address}).lacks)


@pytest.mark.parametrize(("kept", "lacks"), [(True, set()), (False, {targets.BODIES})])
def test_a_localstack_that_rewrites_bodies_lacks_unchanged_bodies(
    monkeypatch: pytest.MonkeyPatch, kept: bool, lacks: set[str]
) -> None:
    monkeypatch.setattr(message_bodies, "are_kept", lambda *_: kept)
    with emulator(endpoint.HEALTH["localstack"]) as address:
        assert set(targets.choose({"ENDPOINT": address}).lacks) & {targets.BODIES} == lacks


def test_two_stacks_on_one_target_have_different_names(monkeypatch: pytest.MonkeyPatch) -> None:
    docker(monkeypatch, None)
    target = targets.choose({})
    first, second = (target.own_variables()["name_prefix"] for _ in range(2))
    assert first != second
    # terraform/variables.tf: with "-local", at most 26.
    assert len(f"{first}-local") == 26


def test_every_missing_ability_is_one_that_a_test_can_need() -> None:
    for lacks in (*targets.ENDPOINT_LACKS.values(), targets.ACCOUNT_LACKS):
        assert set(lacks) <= set(targets.ABILITIES)


pytest_plugins = ["pytester"]


def test_a_test_that_its_target_cannot_run_is_skipped_with_the_reason(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator(endpoint.HEALTH["localstack"]) as address:
        monkeypatch.setenv("ENDPOINT", address)
        monkeypatch.delenv("TARGET", raising=False)
        pytester.makeini("[pytest]\nmarkers = needs(ability): x")
        pytester.makepyfile(
            "import pytest\n@pytest.mark.needs('IAM enforcement')\ndef test_it(): assert False"
        )
        done = pytester.runpytest_subprocess("-p", "tests.conftest", "-rs")
    done.assert_outcomes(skipped=1)
    done.stdout.fnmatch_lines([f"target: LocalStack 9.9 at {address}", "*needs IAM enforcement: the free*"])


def test_an_engine_that_docker_py_cannot_reach_is_a_message_without_a_traceback(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = pytester.path / "docker"
    docker.write_text("#!/bin/sh\nexit 0\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pytester.path}:/usr/bin:/bin")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{pytester.path}/none.sock")
    monkeypatch.setenv("TARGET", "localstack")
    monkeypatch.delenv("ENDPOINT", raising=False)
    pytester.makepyfile("def test_it(target): pass")
    done = pytester.runpytest_subprocess("-p", "tests.conftest", "-p", "tests.integration.conftest")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines([f"*cannot be started at unix://{pytester.path}/none.sock: *"])
    assert "Traceback" not in done.stdout.str()
    assert "localstack_container.py" not in done.stdout.str()
