"""Terraform refuses values that AWS or the function would refuse later, or misinterpret."""

import json
from pathlib import Path

import pytest

from tests.infrastructure.configuration import ENVIRONMENTS, Variables


def receivers(name: str = "it", **subscription: object) -> str:
    """Return a value of alert_subscriptions."""
    return json.dumps({name: subscription})


# Variable, the outermost values that pass, and values just outside.
EDGES = {
    "name_prefix": (["ab", "a-2"], ["", "a", "2a", "rt-", "RT", "rt_pipeline", "a" * 25]),
    "environment": (["qa", "stage2"], ["", "p", "Prod", "2nd", "eu-prod", "a" * 13]),
    "region": (
        ["us-east-1", "us-gov-west-1", "ap-southeast-7", "eusc-de-east-1"],
        ["", "us-east", "us-east-1a"],
    ),
    "allowed_account_ids": (["[]", '["012345678901"]'], ['["12345678901"]', '["rt-pipeline"]']),
    "permissions_boundary": (
        ["arn:aws:iam::123456789012:policy/b", "arn:aws-us-gov:iam::123456789012:policy/b"],
        ["", "none", "arn:aws:iam::123456789012:role/b", "arn:aws:iam::1:policy/b"],
    ),
    "lambda_zip": (["/a/b.zip"], ["", "/a/b"]),
    "archiver_zip": (["/a/b.zip"], ["", "/a/b"]),
    "archive_batch_size": (["1", "10000"], ["0", "10001"]),
    "archive_batching_window": (["1", "300"], ["0", "301"]),
    "archive_retention_days": (["180", "36500"], ["179", "36501"]),
    "archive_age_minutes": (["5", "1080"], ["4", "1081"]),
    "function_timeout": (["1", "900"], ["0", "901"]),
    "function_memory": (["128", "10240"], ["127", "10241"]),
    "log_retention_days": (["1", "3653"], ["0", "2", "3654"]),
    "batch_size": (["1", "10"], ["0", "10001"]),
    "batching_window": (["0", "300"], ["-1", "301"]),
    "maximum_concurrency": (["0", "2", "1000"], ["1", "1001"]),
    "runtime": (["python3.11", "python3.14"], ["", "python3.10", "nodejs22.x"]),
    "log_level": (["INFO", "ERROR"], ["", "DEBUG", "info"]),
    "table_ceiling": (["null", "{reads=1,writes=1}"], ["{reads=0,writes=1}", "{reads=1,writes=0}"]),
    "kms_key_arn": (
        [
            "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab",
            "arn:aws-cn:kms:us-east-1:123456789012:key/mrk-1",
        ],
        [
            "",
            "alias/mine",
            "arn:aws:kms:us-east-1:123456789012:alias/mine",
            "arn:aws:kms:eu-west-1:123456789012:key/1",
        ],
    ),
    "tags": (
        ["{}", '{team="größer: a@b", "cost-center"=""}'],
        [
            '{project="x"}',
            '{team="a", Team="b"}',
            '{a="*"}',
            '{"aws:x"="1"}',
            '{""="1"}',
            '{"a*"="1"}',
            f'{{a="{"x" * 257}"}}',
        ],
    ),
    "alert_subscriptions": (
        [
            "{}",
            receivers(protocol="email", endpoint="a@b.example", event_types=["order"]),
            receivers(protocol="sms", endpoint="+4915112345678", minimum={"amount": 0.01, "currency": "EUR"}),
            receivers(protocol="https", endpoint="https://a.example/x?y=z", topic="ops"),
            receivers(
                protocol="sqs", endpoint="arn:aws:sqs:eu-west-1:123456789012:a", alert_types=["large_order"]
            ),
            receivers(protocol="lambda", endpoint="arn:aws:lambda:eu-west-1:123456789012:function:a:live"),
        ],
        [
            receivers("A name", protocol="email", endpoint="a@b.example"),
            receivers("a@b.example", protocol="email", endpoint="a@b.example"),
            receivers(protocol="email", endpoint="nobody"),
            receivers(protocol="sms", endpoint="015112345678"),
            receivers(protocol="https", endpoint="http://a.example"),
            receivers(protocol="sqs", endpoint="https://sqs.eu-west-1.amazonaws.com/123456789012/a"),
            receivers(protocol="lambda", endpoint="arn:aws:sqs:eu-west-1:123456789012:a"),
            receivers(protocol="pigeon", endpoint="a@b.example"),
            receivers(topic="both", protocol="email", endpoint="a@b.example"),
            receivers(topic="ops", protocol="email", endpoint="a@b.example", alert_types=["large_order"]),
            receivers(protocol="email", endpoint="a@b.example", alert_types=[]),
            receivers(protocol="email", endpoint="a@b.example", event_types=["two words"]),
            receivers(protocol="email", endpoint="a@b.example", minimum={"amount": 0, "currency": "EUR"}),
            receivers(protocol="email", endpoint="a@b.example", minimum={"amount": 1e10, "currency": "EUR"}),
            receivers(protocol="email", endpoint="a@b.example", minimum={"amount": 1, "currency": "euro"}),
        ],
    ),
    "max_receive_count": (["1", "1000"], ["0", "1001", "2.5"]),
    "rejected_retention_days": (["1", "3650"], ["0", "3651", "1.5"]),
    "duplicates_retention_days": (["1", "3650"], ["0", "3651", "1.5"]),
    "athena_scan_limit_gb": (["1", "7000"], ["0", "7001"]),
    "large_order_threshold": (
        ["0", "1000", "0.01", "999999999999999.9999"],
        ["", "-1", "+1", "01", "1e3", "1,000", ".5", "1.", "1.00001", "NaN", "Infinity", "1000\n"],
    ),
    "alert_emails": (["[]", '["a@b.example"]'], ['[""]', '["nobody"]', '["a b@c.example"]']),
    "queue_latency_seconds": (["1", "3600"], ["0", "3601"]),
    "oldest_message_seconds": (["60", "345600"], ["59", "345601"]),
    "backlog_messages": (["0"], ["-1"]),
    "backlog_minutes": (["5", "60"], ["0", "7", "65"]),
    "rejection_rate_percent": (["0", "100"], ["-1", "101"]),
    "large_orders_per_hour": (
        ["null", "{fewest=0,most=0}", "{fewest=1,most=50}"],
        ["{fewest=-1,most=1}", "{fewest=2,most=1}"],
    ),
    "checkout": (["/a"], [""]),
    "ops_emails": (["[]", '["a@b.example"]'], ['[""]', '["nobody"]', '["a b@c.example"]']),
}
# Another variable's validation looks at these, and Terraform does not begin it while these are refused.
LOOKED_AT = {"environment", "batch_size", "region", "maximum_concurrency"}


def as_arguments(values: dict[str, str]) -> list[str]:
    return [f"-var={variable}={value}" for variable, value in values.items()]


def rounds(column: int) -> list[dict[str, str]]:
    """Return the values of a column of `EDGES`, in groups that one plan can distinguish."""
    apart = [{name: EDGES[name] for name in EDGES if (name in LOOKED_AT) == group} for group in (True, False)]
    return [
        {name: values[column][n] for name, values in group.items() if n < len(values[column])}
        for group in apart
        for n in range(max(len(values[column]) for values in group.values()))
    ]


@pytest.mark.parametrize("values", rounds(0))
def test_values_in_range_pass(variables: Variables, values: dict[str, str]) -> None:
    assert variables.problems("-var=environment=test", *as_arguments(values)) == set()


@pytest.mark.parametrize("values", rounds(1))
def test_each_value_out_of_range_is_refused(variables: Variables, values: dict[str, str]) -> None:
    assert variables.problems("-var=environment=test", *as_arguments(values)) == set(values)


def test_a_batch_of_more_than_10_messages_needs_a_window(variables: Variables) -> None:
    batch = ("-var=environment=test", "-var=batch_size=11")
    assert variables.problems(*batch) == {"batching_window"}
    assert variables.problems(*batch, "-var=batching_window=1") == set()


def test_lambda_keeps_pollers_or_limits_concurrency(variables: Variables) -> None:
    pollers = ("-var=environment=test", "-var=provisioned_pollers={min=2,max=2000}")
    assert variables.problems(*pollers) == {"provisioned_pollers"}
    assert variables.problems(*pollers, "-var=maximum_concurrency=0") == set()
    for bad in ("{min=1,max=9}", "{min=201,max=300}", "{min=9,max=8}", "{min=2,max=2001}"):
        arguments = ("-var=maximum_concurrency=0", f"-var=provisioned_pollers={bad}")
        assert variables.problems("-var=environment=test", *arguments) == {"provisioned_pollers"}


def test_athena_needs_an_archive_to_query(variables: Variables) -> None:
    both = ("-var=environment=test", "-var=athena=true", "-var=archive=false")
    assert variables.problems(*both) == {"athena"}
    assert variables.problems(*both[:2]) == set()


def test_names_that_make_the_bucket_name_too_long_are_refused(variables: Variables) -> None:
    # 63 characters less "-payloads-", a 12-digit account, "-" and the longest region leave 26.
    assert variables.problems("-var=environment=test", f"-var=name_prefix={'a' * 21}") == set()
    assert variables.problems("-var=environment=test", f"-var=name_prefix={'a' * 22}") == {"name_prefix"}


@pytest.mark.parametrize("file", ENVIRONMENTS, ids=lambda file: file.stem)
def test_every_environment_passes_the_validations(variables: Variables, file: Path) -> None:
    assert variables.problems(f"-var-file={file}") == set()


@pytest.mark.parametrize("threshold", ["1000.01", "0.1", "999999999999999.9999"])
def test_the_threshold_stays_an_exact_decimal(variables: Variables, threshold: str) -> None:
    arguments = ("-var=environment=test", f"-var=large_order_threshold={threshold}")
    assert variables.evaluate("${var.large_order_threshold}", *arguments) == threshold
