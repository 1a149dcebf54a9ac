"""A test runs every command of the pages' `sh` blocks, or the table says why none does.

The commands have no comments on their line, because zsh does not know them there.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.unit.docs.test_pages import PAGES, ROOT

BLOCK = re.compile(r"^```(?:sh|bash|shell|zsh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)

STACK = "tests/integration/test_readme.py::test_a_command_of_the_pages_works"
DEPLOY = "tests/integration/test_deploy.py::test_from_an_empty_account_to_a_pipeline_and_back"
PARQUET = "tests/unit/tools/analytics/test_database.py::test_the_export_in_the_documentation_writes_parquet"
POLICY = "tests/unit/tools/deploy/test_policy.py::test_plan_prints_the_policy_instead_when_asked"
SUITE = "suite: pytest would start itself; CI runs it on each target"
OWNER = "account: changes users, roles or policies of the account"
# The first line of each command, and the test that runs it, the workflow that does (ci), or why neither can:
# it needs an AWS account, asks questions, changes the checkout, or is this very suite.
COMMANDS = {
    # The local stack
    "make demo": "tests/integration/test_ops_demo.py::test_a_demo_accounts_for_every_event",
    "make up": "tests/integration/test_stack.py::test_a_second_up_changes_nothing",
    "make down": "tests/integration/test_stack.py::test_down_leaves_nothing_behind",
    'make send ARGS="--count 100"': STACK,
    'make send ARGS="--count 500 --rate 100"': STACK,
    'make send ARGS="--count 100 --target-kb 200 --invalid-ratio 0.1 --duplicate-ratio 0.1"': STACK,
    'make send ARGS="--sessions 300 --profile day --start 2026-11-20"': STACK,
    'make send ARGS="--count 600 --profile flash-sale --rate 100"': STACK,
    'make send ARGS="--from my-events.jsonl"': STACK,
    "make invoke BODY=event.json": (
        "tests/unit/tools/ops/test_invoke.py::test_it_prints_what_would_be_stored_alerted_logged_and_measured"
    ),
    'eval "$(make env)"': STACK,
    "make top": STACK,
    "make top INTERVAL=2": STACK,
    "make top ARGS=--once": STACK,
    "make top ARGS=--json": STACK,
    "make status": STACK,
    "make get EVENT_ID=...": STACK,
    "make trace EVENT_ID=...": STACK,
    "make events TYPE=order SINCE=1h": STACK,
    "make rejected": STACK,
    "make logs LEVEL=WARNING": STACK,
    'make query Q="select type, count(*) from events group by 1"': STACK,
    'make query Q="select type, count(*), max(received_at) from events group by 1"': STACK,
    "make query NAME=revenue_per_hour FORMAT=csv > revenue.csv": STACK,
    "make report": STACK,
    "make report SINCE=2026-11-01 UNTIL=2026-12-01 OUT=november.html": STACK,
    'PYTHONPATH=.:lambda_src .venv/analytics/bin/python -c "': PARQUET,
    "make verify": STACK,
    "make replay DRY_RUN=1": STACK,
    "make replay DRY_RUN=1 REASON=...": STACK,
    "make replay REASON=...": STACK,
    "make redrive": STACK,
    "make rearchive SINCE=2h": STACK,
    "make rearchive SINCE=2h UNTIL=1h": STACK,
    "make restore DRY_RUN=1": STACK,
    "make erase CUSTOMER=customer-123 DRY_RUN=1": STACK,
    "make erase CUSTOMER=customer-123": "interactive: test_erase.py approves them",
    # The code
    "make test": SUITE,
    "make test TARGET=ministack": SUITE,
    'make test ARGS="tests/unit -x"': SUITE,
    'make test ARGS="tests/unit -x -k deadline"': SUITE,
    'make test ARGS="tests/infrastructure -x"': SUITE,
    'make test ARGS="-k faults"': SUITE,
    "make test-chaos": "ci: nightly.yml",
    "make test-chaos ARGS=\"-k 'killed or twice'\"": "ci: nightly.yml",
    "make audit": "ci: test.yml",
    "make lint": "ci: test.yml",
    "make fmt": "checkout: rewrites source files; make lint checks their format",
    "make contract-check": "ci: test.yml",
    "make release VERSION=1.1.0": "checkout: commits and tags; tests/unit/tools/deploy/test_release.py does",
    "git push --follow-tags": "checkout: publishes a release",
    'aws sqs send-message --endpoint-url "$AWS_ENDPOINT_URL" --queue-url "$QUEUE_URL"'
    " --message-body file://event.json": (
        "tests/unit/docs/test_consumers.py::test_an_example_of_each_type_is_valid"
    ),
    "make docs": ("tests/unit/docs/test_generated.py::test_a_generated_file_is_what_would_be_written_now"),
    "make lock": "ci: nightly.yml",
    "make bench BENCH=handler": "ci: nightly.yml",
    "make dictionary FROM=archive": (
        "tests/unit/tools/benchmarks/dictionary/test_dictionary.py::test_events_come_from_the_archive"
    ),
    "echo KLUv/SICgI99AQDjwQWfd+3IzVhtVTRVyWS0UNAVQZcEK5vzAQf80FZXDmo8VK+yZ0vMenMxmP3yFA== | \\": (
        "tests/unit/contract/test_docs.py::test_the_example_decodes_a_stored_payload"
    ),
    "make cost": "tests/unit/tools/benchmarks/cost/test_cost.py::test_the_command_prints_all_tables",
    # AWS
    "make deploy-aws ARGS=--bootstrap ENV=dev AWS_PROFILE=owner": DEPLOY,
    "make plan-aws": DEPLOY,
    "make deploy-aws": DEPLOY,
    "make rollback-aws": DEPLOY,
    "make rollback-aws VERSION=3": DEPLOY,
    "make drift": DEPLOY,
    "make destroy-aws": DEPLOY,
    "make -s plan-aws ARGS=--policy ENV=dev > deployer.json": POLICY,
    "make -s plan-aws ARGS=--policy ENV=dev ATHENA=1 > deployer-athena.json": POLICY,
    'eval "$(make -s env-aws ENV=dev)"': DEPLOY,
    'make top ARGS="--name rt-pipeline-prod --profile ops --region eu-central-1"': (
        "account: shows a pipeline on AWS"
    ),
    "export AWS_PROFILE=owner": "account: chooses its credentials",
    "export AWS_PROFILE=...": "account: chooses its credentials",
    "unset AWS_PROFILE": "account: forgets its credentials",
    "unset QUEUE_URL AWS_PROFILE": "account: forgets its credentials",
    "AWS_PROFILE=owner .venv/tools/bin/python -c '": "account: deletes the bucket of Terraform's state",
    "aws iam create-policy --policy-name deploys-rt-pipeline-dev --policy-document"
    " file://deployer.json": OWNER,
    "aws iam create-user --user-name rt-pipeline-user": OWNER,
    "aws iam attach-user-policy --user-name rt-pipeline-user \\": OWNER,
    "aws iam create-access-key --user-name rt-pipeline-user": OWNER,
    "aws configure --profile rt-pipeline-user": "interactive: asks for the access key",
    "aws iam create-open-id-connect-provider --url https://token.actions.githubusercontent.com \\": OWNER,
    "aws iam create-role --role-name deploys-rt-pipeline-dev"
    " --assume-role-policy-document file://trust.json": OWNER,
    "aws iam attach-role-policy --role-name deploys-rt-pipeline-dev \\": OWNER,
    "aws iam delete-policy --policy-arn"
    " arn:aws:iam::123456789012:policy/rt-pipeline-dev-boundary-us-east-1": OWNER,
    "sed -e 's/${name}/rt-pipeline-prod/g' -e 's/${partition}/aws/g'"
    " dashboards/reader-policy.json > reader.json": OWNER,
    "aws iam put-user-policy --user-name on-call --policy-name read-rt-pipeline-prod"
    " --policy-document file://reader.json": OWNER,
}
# What BSD's tools, bash 3.2 or a bare macOS lack.
GNU = re.compile(
    r"\bsed -i\b|\breadlink -f|\bdate -d|\bgrep -[a-zA-Z]*P|\bstat -c|\bxargs -r|\bsort -V|\bcp -[a-z]*t\b"
    r"|\b(?:envsubst|nproc|tac|mapfile|readarray)\b|\btimeout \d|declare -A|\$\{\w+(?:,,|\^\^)|&>>?|\|&"
)
NOT_RUN = re.compile(r"(account|interactive|checkout|suite): \w+")


def commands(text: str) -> list[str]:
    """Return the commands of a page's `sh` blocks, each with the lines that quotes and backslashes add."""
    found = []
    for block in BLOCK.findall(text):
        command = ""
        for line in block.splitlines():
            command = f"{command}\n{line}" if command else line
            if not command.endswith("\\") and _is_complete(command):
                found.append(command)
                command = ""
        assert not command, f"unfinished: {command}"
    return [command for command in found if command]


def _is_complete(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_aws_sqs_line_names_the_endpoint_because_version_1_of_the_cli_ignores_the_variable(
    page: Path,
) -> None:
    text = re.sub(r"\\?\n *", " ", page.read_text("utf-8"))
    for line in re.findall(r"aws sqs [a-z-]+ --.{0,200}", text):
        assert "--endpoint-url" in line


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        *(ROOT / name for name in ("Makefile", ".ci/run", "requirements/lock.sh", "tools/local/python.sh")),
    ],
    ids=lambda path: path.name,
)
def test_no_command_needs_gnu_tools_or_a_newer_bash_because_macos_has_neither(path: Path) -> None:
    text = path.read_text("utf-8")
    shell = "\n".join(commands(text)) if path.suffix == ".md" else text
    assert GNU.findall(shell) == []


def test_the_makefile_has_nothing_that_the_make_of_macos_does_not_know() -> None:
    # GNU make 3.81 of 2006. Its manual's NEWS lists what came later.
    newer = re.compile(
        r"^\.(?:ONESHELL|RECIPEPREFIX|SHELLFLAGS|EXTRA_PREREQS)|\$\((?:file|guile|let|intcmp) "
        r"|^\S+ *(?:!=|::=)|^(?:undefine|private|load) |^define \S+ *[:+?]?=",
        re.MULTILINE,
    )
    assert newer.findall((ROOT / "Makefile").read_text("utf-8")) == []


def make_arguments(command: str) -> list[str]:
    """Return the arguments of a make command, without what the shell does with its output."""
    words = shlex.split(command.removeprefix('eval "$(').removesuffix(')"'))
    return words[1 : words.index(">")] if ">" in words else words[1:]


SHOWN = {str(page.relative_to(ROOT)): shown for page in PAGES if (shown := commands(page.read_text("utf-8")))}
MAKE = sorted(command for command in COMMANDS if re.match(r'(eval "\$\()?make ', command))


def test_quotes_and_backslashes_continue_a_command() -> None:
    assert commands("```sh\nmake up  # starts it\n\nmake 'a\nb' \\\n  c\n```\n") == [
        "make up  # starts it",
        "make 'a\nb' \\\n  c",
    ]


@pytest.mark.parametrize("page", SHOWN)
def test_no_command_has_a_comment_because_zsh_would_run_it(page: str) -> None:
    commented = [
        command for command in SHOWN[page] if any(word.startswith("#") for word in shlex.split(command))
    ]
    assert commented == []


def test_the_table_has_the_commands_of_the_pages_and_no_others() -> None:
    shown = {command.splitlines()[0] for commands_of_page in SHOWN.values() for command in commands_of_page}
    assert shown - COMMANDS.keys() == set(), "not in COMMANDS: name the test that runs it, or the reason"
    assert COMMANDS.keys() - shown == set(), "no page shows it"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_a_test_a_workflow_or_a_reason(command: str) -> None:
    how = COMMANDS[command]
    if how.startswith("ci: "):
        workflow = ROOT / ".github" / "workflows" / how.removeprefix("ci: ")
        target = " ".join(command.split()[:2])
        assert re.search(rf"run: {target}\b", workflow.read_text("utf-8"))
    elif "::" in how:
        file, name = how.split("::")
        assert re.search(rf"^def {name}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    else:
        assert NOT_RUN.match(how)


@pytest.mark.parametrize("command", MAKE)
def test_a_make_command_names_targets_that_exist(command: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", *make_arguments(command)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
