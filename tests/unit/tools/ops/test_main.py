from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.fakes import client_error
from tests.unit.tools.fakes import DLQ, FAILURES, QUEUE, FakeDynamoDB, FakeS3, FakeSQS, pipeline
from tests.unit.tools.ops.factories import put_rejected
from tools.core.aws_errors import explain
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.ops.__main__ import main, parser
from tools.ops.inspect import logs
from tools.ops.verify import commands as verify_commands


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    names = "EVENT_ID ID REASON LIMIT DRY_RUN LEVEL RATE MANIFEST COUNT WAIT ALL JSON FOLLOW SINCE QUEUE_URL"
    for name in (*names.split(), "PART", "AUTO_APPROVE"):
        monkeypatch.delenv(name, raising=False)


def _run(monkeypatch: pytest.MonkeyPatch, resources: Resources, *arguments: str) -> int:
    monkeypatch.setattr(Resources, "find", lambda: resources)
    return main(arguments)


def test_options_come_from_the_environment_as_make_passes_them() -> None:
    options = parser({"ID": "m-1", "REASON": "euro", "DRY_RUN": "1"}).parse_args(["replay"])
    assert (options.id, options.reason, options.dry_run) == ("m-1", "euro", True)


def test_an_option_overrides_the_environment() -> None:
    assert parser({"LIMIT": "5"}).parse_args(["rejected", "--limit", "7"]).limit == 7


def test_an_empty_variable_is_ignored() -> None:
    options = parser({"REASON": "", "LIMIT": "", "ALL": ""}).parse_args(["verify"])
    assert options.all is False
    assert parser({"LIMIT": ""}).parse_args(["rejected"]).limit == 20


@pytest.mark.parametrize(
    ("environment", "command"),
    [
        ({"LIMIT": "0"}, "rejected"),
        ({"RATE": "fast"}, "redrive"),
        ({"DRY_RUN": "maybe"}, "replay"),
        ({"WAIT": "inf"}, "verify"),
        ({"PART": "3/2"}, "verify"),
        ({"PART": "0/2"}, "verify"),
        ({"PART": "\uff11/\uff12"}, "verify"),
        ({"LIMIT": "9" * 30}, "events"),
        ({"LIMIT": "9" * 5000}, "logs"),
        ({"LIMIT": "\u0663"}, "rejected"),
        ({"WAIT": "1_0"}, "verify"),
        ({"WAIT": "1e308"}, "replay"),
    ],
)
def test_an_invalid_value_is_refused_with_status_2(
    environment: dict[str, str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        parser(environment).parse_args([command])
    assert stopped.value.code == 2
    assert next(iter(environment.values())) in capsys.readouterr().err


def test_get_without_an_event_says_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, pipeline(), "get") == 2
    assert "make get EVENT_ID=..." in capsys.readouterr().err


def test_without_a_stack_the_error_suggests_make_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STACK_DIR", str(tmp_path))
    assert main(["verify"]) == 1
    assert "make up" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:4566"), "does not answer"),
        (client_error("Scan", "ResourceNotFoundException"), "taken down or replaced"),
        (client_error("Scan", "AccessDeniedException"), "not allowed"),
        (client_error("Scan", "ExpiredTokenException"), "credentials are not accepted"),
        (client_error("Scan", "ValidationException"), "Scan failed: ValidationException"),
    ],
)
def test_aws_errors_are_translated(
    error: Exception,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def fail(*_: Any, **__: Any) -> int:
        raise error

    monkeypatch.setattr(verify_commands, "run_checks", fail)
    resources = pipeline(state_dir=tmp_path, dynamodb=FakeDynamoDB(), s3=FakeS3())
    assert _run(monkeypatch, resources, "verify") == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("endpoint", "hint"), [("http://127.0.0.1:4566", "make env"), (None, "aws sso login")]
)
def test_credentials_that_are_refused_are_replaced_where_they_come_from(
    endpoint: str | None, hint: str
) -> None:
    explained = explain(client_error("Scan", "UnrecognizedClientException"), endpoint)
    assert explained is not None
    assert hint in explained.hint


def test_other_errors_are_not_translated() -> None:
    assert explain(ValueError("a bug"), None) is None


def test_ctrl_c_ends_quietly_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any, **__: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(logs, "show", stop)
    assert _run(monkeypatch, pipeline(), "logs") == 130


def test_the_newest_rejected_events_are_listed_with_their_reasons(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb = FakeDynamoDB()
    put_rejected(dynamodb, "m-1", b"{}")
    put_rejected(dynamodb, "m-2", b"{}", reason="must be [bold]text[/bold]\x1b[2J")
    assert _run(monkeypatch, pipeline(dynamodb=dynamodb), "rejected", "--limit", "1") == 0
    printed = capsys.readouterr()
    assert "ID=m-2" in printed.out
    assert "ID=m-1" not in printed.out
    assert "$.a must be [bold]text[/bold]\\u001b[2J" in printed.out
    assert "there are more. Show more: LIMIT=5" in printed.err


def test_rejected_events_are_listed_and_shown_as_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb = FakeDynamoDB()
    put_rejected(dynamodb, "m-1", b'{"broken": \xff')
    put_rejected(dynamodb, "m-2", b"{}")
    resources = pipeline(dynamodb=dynamodb, s3=FakeS3())
    assert _run(monkeypatch, resources, "rejected", "--json") == 0
    listed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["message_id"] for each in listed] == ["m-2", "m-1"]
    assert _run(monkeypatch, resources, "rejected", "--id", "m-1", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["body"] == '{"broken": \\xff'
    assert shown["reasons"][0]["path"] == "$.a"


def test_a_rejected_event_is_shown_with_its_exact_body(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    dynamodb = FakeDynamoDB()
    put_rejected(dynamodb, "m-1", b'{"broken": \xc3\xa9')
    assert _run(monkeypatch, pipeline(dynamodb=dynamodb, s3=FakeS3()), "rejected", "--id", "m-1") == 0
    assert b'{"broken": \xc3\xa9\n' in capfdbinary.readouterr().out


def test_an_unknown_rejected_event_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, pipeline(dynamodb=FakeDynamoDB()), "rejected", "--id", "m-9") == 1
    assert "m-9" in capsys.readouterr().err


def test_a_dry_run_of_replay_lists_and_sends_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb, sqs = FakeDynamoDB(), FakeSQS()
    put_rejected(dynamodb, "m-1", b"{}")
    resources = pipeline(dynamodb=dynamodb, sqs=sqs, s3=FakeS3())
    assert _run(monkeypatch, resources, "replay", "--dry-run") == 0
    assert "Would send 1 rejected event back to the queue" in capsys.readouterr().out
    assert sqs.queues[QUEUE] == []


def test_replay_succeeds_without_rejected_events_and_fails_if_none_matches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resources = pipeline(dynamodb=FakeDynamoDB(), sqs=FakeSQS(), s3=FakeS3())
    assert _run(monkeypatch, resources, "replay") == 0
    assert _run(monkeypatch, resources, "replay", "--reason", "euro") == 1


def test_redrive_prints_counts_that_add_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, "a", "b", "c")
    assert _run(monkeypatch, pipeline(sqs=sqs), "redrive") == 0
    assert (
        "3 dead-lettered before, 3 moved by receive, send and delete, 0 remaining." in capsys.readouterr().out
    )


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--wait", "0"]])
def test_replay_prints_one_json_document(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dynamodb = FakeDynamoDB()
    resources = pipeline(dynamodb=dynamodb, sqs=FakeSQS(), s3=FakeS3())
    assert _run(monkeypatch, resources, "replay", "--json", *arguments) == 0
    assert json.loads(capsys.readouterr().out)["sent"] == []
    put_rejected(dynamodb, "m-1", b"{}")
    put_rejected(dynamodb, "m-2", b"\xff")
    assert _run(monkeypatch, resources, "replay", "--json", *arguments) == 1
    printed = json.loads(capsys.readouterr().out)
    assert printed["sent"] == ["m-1"]
    assert printed["refused"] == {"m-2": "its body is not UTF-8 text, and SQS accepts only text"}
    assert printed["pending"] == ([] if printed["dry_run"] else ["m-1"])


def test_redrive_and_rearchive_print_one_json_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs = FakeSQS()
    sqs.put(DLQ, "a", "b")
    sqs.put(FAILURES, "{}")
    resources = pipeline(archive=True, sqs=sqs, dynamodb=FakeDynamoDB(), s3=FakeS3())
    for moved in (2, 0):
        assert _run(monkeypatch, resources, "redrive", "--json") == 0
        redriven = json.loads(capsys.readouterr().out)
        assert (redriven["moved"], redriven["remaining"], redriven["is_balanced"]) == (moved, 0, True)
    for arguments in (["--dry-run"], []):
        assert _run(monkeypatch, resources, "rearchive", "--json", "--since", "2h", *arguments) == 0
        rearchived = json.loads(capsys.readouterr().out)
        assert (rearchived["lines"], rearchived["refused"]) == ({}, {})
        assert [batch["table"] for batch in rearchived["failed_batches"]] == ["?"]


def test_verify_prints_json_and_its_status_is_1_after_a_discrepancy(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    dynamodb = FakeDynamoDB()
    resources = pipeline(state_dir=tmp_path, sqs=FakeSQS(), dynamodb=dynamodb, s3=FakeS3())
    assert _run(monkeypatch, resources, "verify", "--json", "--wait", "0") == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True
    dynamodb.put("duplicates", message_id={"S": "1"}, event_id={"S": "nowhere"}, content_hash={"S": "h"})
    assert _run(monkeypatch, resources, "verify", "--json", "--wait", "0") == 1
    assert json.loads(capsys.readouterr().out)["findings"][0]["kind"] == "dangling"


def test_errors_carry_the_exit_status_of_their_kind() -> None:
    assert ToolError("x").status == 1
