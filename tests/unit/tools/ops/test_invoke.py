"""`make invoke` runs the real handler on any bytes, without AWS, and a debugger can stop in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.batch import Batch
from storage.payload import decode_payload
from tests.unit.processor.conftest import order
from tests.unit.processor.test_any_bytes import bodies
from tools.core.paths import ROOT
from tools.ops.invoke import FUNCTION_VARIABLES, invoke, main

LARGE = order("1250.50", event_id="evt-1")


def run(monkeypatch: pytest.MonkeyPatch, **variables: str) -> int:
    monkeypatch.setattr(sys, "argv", ["invoke"])
    for name in ("BODY", "JSON"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return main()


def file(tmp_path: Path, body: bytes | str) -> str:
    path = tmp_path / "event.json"
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    return str(path)


def test_it_prints_what_would_be_stored_alerted_logged_and_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, BODY=file(tmp_path, LARGE)) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("stored\n")
    assert re.search(r'^  event_id +"evt-1"$', printed, re.MULTILINE)
    assert "alert large_order\n  Large order: 1,250.50 EUR, order ord-1, customer cus-1\n  {" in printed
    assert '"message": "batch processed"' in printed
    assert "Received 1, Stored 1, StoredOrder 1, LargeOrders 1" in printed
    assert "alert_pending" not in printed


def test_a_rejected_event_is_shown_with_each_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, BODY=file(tmp_path, '{"event_type": "order"}')) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("rejected\n")
    for name in ("event_id", "occurred_at", "customer_id"):
        assert f'{{"path": "$.{name}", "rule": "required", "reason": "is missing"}}\n' in printed


def test_json_has_the_same_with_the_digits_of_each_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, BODY=file(tmp_path, order("98765432101234.5678")), JSON="1") == 0
    printed = capsys.readouterr().out
    found = json.loads(printed)
    assert found["outcome"] == "stored"
    assert found["metrics"]["LargeOrders"] == 1
    assert [each["alert"]["alert_type"] for each in found["alerts"]] == ["large_order", "batch_processed"]
    assert found["alerts"][0]["sentence"].startswith("Large order: 98,765,432,101,234.5678 EUR")
    assert '"amount": 98765432101234.5678,' in printed


def test_an_event_of_a_mebibyte_goes_to_s3() -> None:
    filler = os.urandom(500_000).hex()
    recorder = invoke(order(metadata=filler).encode())
    assert recorder.outcome == "stored"
    assert len(recorder.objects) == 1
    (item,) = recorder.items.values()
    assert filler.encode() in decode_payload(item, recorder.objects.__getitem__)


@settings(max_examples=100, deadline=None)
@given(body=st.binary(max_size=200))
def test_every_byte_sequence_is_stored_or_rejected(body: bytes) -> None:
    assert invoke(body).outcome == "rejected"


def test_hostile_bodies_are_printed_whatever_they_contain(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes], tmp_path: Path
) -> None:
    for body in bodies(seed=1, count=160):
        name = file(tmp_path, body.encode("utf-8", "surrogatepass"))
        assert run(monkeypatch, BODY=name, JSON="1") == 0
        assert json.loads(capsysbinary.readouterr().out)["outcome"] in ("stored", "rejected")
        assert run(monkeypatch, BODY=name) == 0
        assert capsysbinary.readouterr().out.startswith((b"stored\n", b"rejected\n"))


@pytest.mark.parametrize(
    ("body", "why"), [(b"", "it is empty"), (b'{"a": "\xff"}', "it is not UTF-8"), (b"\x00", "a character")]
)
def test_it_says_what_sqs_would_not_carry(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    body: bytes,
    why: str,
) -> None:
    assert run(monkeypatch, BODY=file(tmp_path, body)) == 0
    error = capsys.readouterr().err
    assert error.startswith("SQS itself refuses such a message: ")
    assert why in error


def test_a_body_that_cannot_be_read_is_an_error_with_the_next_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name, why, status in (
        ("", "is missing", 2),
        (str(tmp_path / "none.json"), "No such file", 1),
        (str(tmp_path), "directory", 1),
    ):
        assert run(monkeypatch, BODY=name) == status
        error = capsys.readouterr().err
        assert why in error
        assert "make invoke BODY=event.json" in error


def test_a_body_above_the_limit_of_sqs_is_refused_without_reading_it_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(monkeypatch, BODY=file(tmp_path, b"9" * 1_048_577)) == 1
    assert "more than 1 MiB" in capsys.readouterr().err
    assert run(monkeypatch, BODY="/dev/zero") == 1
    assert run(monkeypatch, BODY=file(tmp_path, b"9" * 1_048_576)) == 0


def test_a_bug_of_the_function_returns_the_message_and_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def bug(*_: object) -> None:
        print("as a debugger prints")
        raise RuntimeError("a bug")

    monkeypatch.setattr(Batch, "_publish_alerts", bug)
    assert run(monkeypatch, BODY=file(tmp_path, LARGE)) == 1
    printed = capsys.readouterr().out
    assert printed.startswith("as a debugger prints\nreturned to the queue")
    assert "RuntimeError: a bug" in printed


def test_a_debugger_stops_in_the_handler(tmp_path: Path) -> None:
    commands = "import processor.store\nbreak processor.store.Store.create\ncontinue\nwhere\nquit\n"
    done = subprocess.run(
        [sys.executable, "-m", "pdb", "-m", "tools.ops.invoke", file(tmp_path, LARGE)],
        input=commands,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}",
            "HOME": str(tmp_path),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert re.search(r"^> .*store\.py\(\d+\)create\(\)$", done.stdout, re.MULTILINE), done.stdout
    assert "handler.py" in done.stdout


def test_standard_input_is_read_in_a_process_that_reaches_no_network(tmp_path: Path) -> None:
    refuse = "import socket\n\ndef refuse(*_):\n    raise AssertionError\n\nsocket.socket.connect = refuse\n"
    (tmp_path / "sitecustomize.py").write_text(refuse)
    path = f"{tmp_path}:{ROOT}:{ROOT / 'lambda_src'}"
    done = subprocess.run(
        [sys.executable, "-m", "tools.ops.invoke"],
        input=LARGE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "BODY": "-", "LOG_LEVEL": "none"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("stored\n")


def test_its_settings_are_those_of_terraform_with_the_defaults_of_its_variables() -> None:
    function = (ROOT / "terraform" / "function.tf").read_text("utf-8")
    block = function[function.index("variables = {") : function.index("logging_config")]
    names = dict(re.findall(r"^ +([A-Z_]+) += (.+)$", block, re.MULTILINE))
    assert names.keys() == FUNCTION_VARIABLES.keys()
    variables = (ROOT / "terraform" / "variables.tf").read_text("utf-8")
    for name, expression in names.items():
        if variable := re.search(r"var\.(\w+)", expression):
            block = variables[variables.index(f'variable "{variable[1]}"') :]
            default = re.search(r'default += "?([^"\n]+)', block)
            assert default
            assert FUNCTION_VARIABLES[name] == default[1]
