"""Where an emulator may differ from AWS: each test asserts what AWS does (docs/emulators.md has the table).

`differs` names the emulators that do otherwise. There the test has to fail: the day it passes, a release of
the emulator has changed, and its row in the table has to change too.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from common.telemetry import NAMESPACE
from tests.integration.conftest import Pipeline
from tests.integration.probe import NAME_ANOTHER, READY_SECONDS, REPORT_SECONDS, TIMEOUT, Probe, probe, queue
from tests.integration.test_pipeline import activity, event_id
from tests.targets import ALARMS, ENDPOINT, IAM, INSIDE, LOG_FIGURES, MOVE_TASK
from tests.waiting import eventually
from tools.core.state import KEY_PREFIX

KIB = 1024
# An emulator lists a metric at once, or it has none.
LISTED_SECONDS = 5


@pytest.fixture(autouse=True)
def expect_the_difference(request: pytest.FixtureRequest, pipeline: Pipeline) -> None:
    """Expect the test to fail on an emulator that is known to differ."""
    marker = request.node.get_closest_marker("differs")
    instead = marker.kwargs.get(pipeline.state.emulator) if marker else None
    if instead:
        reason = f"{pipeline.state.emulator} {instead}"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))


@pytest.fixture(scope="module")
def function(pipeline: Pipeline) -> Iterator[Probe]:
    with probe(pipeline) as made:
        yield made


def refusal(call: Any, **arguments: Any) -> str:
    """Return the code of the error that a call is refused with, or nothing where it is taken."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


# --- SQS and its poller ---------------------------------------------------------------------------------


@pytest.mark.differs(ministack="deletes the whole batch")
def test_a_batch_whose_report_names_another_message_is_delivered_again(function: Probe) -> None:
    with function.mapped(visibility=TIMEOUT) as url:
        function.sqs.send_message(QueueUrl=url, MessageBody=NAME_ANOTHER)

        def deliveries() -> int:
            return len(function.batches_with(NAME_ANOTHER))

        def is_over() -> bool:
            names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
            found = function.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            return deliveries() > 1 or (deliveries() == 1 and not any(int(found[name]) for name in names))

        eventually(is_over, within=REPORT_SECONDS, what="a second delivery, or an empty queue")
        assert deliveries() > 1


@pytest.mark.differs(
    ministack="stores the batching window and ignores it",
    localstack="gathers over windows of more than 20 s alone",
)
def test_a_batch_is_gathered_over_the_batching_window(function: Probe) -> None:
    with function.mapped(BatchSize=10, MaximumBatchingWindowInSeconds=5) as url:
        # AWS polls with several connections, so that two messages may meet different ones.
        for number in range(6):
            pair = {f"first {number}", f"second {number}"}
            for delay, body in enumerate(sorted(pair)):
                function.sqs.send_message(QueueUrl=url, MessageBody=body, DelaySeconds=delay)

            def batches(pair: set[str] = pair) -> list[list[str]] | None:
                found = function.batches_with(*pair)
                return found if pair <= {body for batch in found for body in batch} else None

            if len(eventually(batches, within=REPORT_SECONDS, what="both messages")) == 1:
                return
        raise AssertionError("messages one second apart never came in one batch")


@pytest.mark.differs(
    ministack="polls without asking the role", localstack="polls without asking the role, whatever IAM says"
)
def test_a_queue_that_the_functions_role_may_not_read_is_not_mapped(
    pipeline: Pipeline, function: Probe
) -> None:
    # Its role may read the queues that are named after the function.
    with queue(pipeline.sqs, pipeline.name, VisibilityTimeout="60") as (_, arn):
        assert refusal(function.map_and_unmap, arn=arn) == "InvalidParameterValueException"


@pytest.mark.differs(ministack="takes any visibility timeout", localstack="takes any visibility timeout")
def test_a_queue_whose_messages_come_back_before_the_timeout_is_not_mapped(function: Probe) -> None:
    with queue(function.sqs, function.name, VisibilityTimeout="1") as (_, arn):
        assert refusal(function.map_and_unmap, arn=arn) == "InvalidParameterValueException"


def moved(pipeline: Pipeline) -> tuple[dict[str, Any], dict[str, Any]]:
    """Move a message by SQS's task; return what sending and receiving it said."""
    sqs = pipeline.sqs
    with queue(sqs, pipeline.name) as (dead_url, dead_arn):
        policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
        with queue(sqs, pipeline.name, RedrivePolicy=policy) as (url, arn):
            sent = sqs.send_message(QueueUrl=dead_url, MessageBody="moved")
            assert refusal(sqs.start_message_move_task, SourceArn=dead_arn, DestinationArn=arn) == ""
            (received,) = eventually(
                lambda: sqs.receive_message(QueueUrl=url).get("Messages"),
                within=REPORT_SECONDS,
                what="the message is moved",
            )
            return sent, received


@pytest.mark.differs(ministack="answers InvalidAction")
def test_sqs_moves_dead_letters_by_a_task(pipeline: Pipeline) -> None:
    assert moved(pipeline)[1]["Body"] == "moved"


@pytest.mark.needs(MOVE_TASK)
@pytest.mark.differs(localstack="keeps the message ids")
def test_what_a_task_has_moved_has_a_new_message_id(pipeline: Pipeline) -> None:
    sent, received = moved(pipeline)
    assert received["MessageId"] != sent["MessageId"]


def test_a_dead_letter_keeps_its_id_and_the_time_when_it_was_sent(pipeline: Pipeline) -> None:
    sqs = pipeline.sqs
    seen = {"MessageSystemAttributeNames": ["SentTimestamp"]}
    with queue(sqs, pipeline.name) as (dead_url, dead_arn):
        policy = json.dumps({"deadLetterTargetArn": dead_arn, "maxReceiveCount": 1})
        with queue(sqs, pipeline.name, RedrivePolicy=policy, VisibilityTimeout="0") as (url, _):
            sqs.send_message(QueueUrl=url, MessageBody="dead")
            (first,) = eventually(
                lambda: sqs.receive_message(QueueUrl=url, **seen).get("Messages"),
                within=REPORT_SECONDS,
                what="the message",
            )

            def dead() -> Any:
                # SQS moves a message when it would be received once too often.
                sqs.receive_message(QueueUrl=url)
                return sqs.receive_message(QueueUrl=dead_url, **seen).get("Messages")

            (letter,) = eventually(dead, within=REPORT_SECONDS, what="the dead letter")
            assert letter["MessageId"] == first["MessageId"]
            assert letter["Attributes"]["SentTimestamp"] == first["Attributes"]["SentTimestamp"]


@pytest.mark.needs(ENDPOINT)
def test_the_url_of_a_queue_leads_to_where_the_queue_is(pipeline: Pipeline) -> None:
    with queue(pipeline.sqs, pipeline.name) as (url, _):
        leads_there = urlsplit(url).netloc == urlsplit(pipeline.state.endpoint).netloc
        if not leads_there and (pipeline.target.name, pipeline.state.emulator) == ("endpoint", "localstack"):
            pytest.skip(
                f"its queue URLs begin {url.partition('/0')[0]}: docker-compose.yml sets LOCALSTACK_HOST"
            )
        assert leads_there


# --- limits ---------------------------------------------------------------------------------------------


def test_sqs_takes_messages_and_batches_of_1_mib_and_no_more(pipeline: Pipeline) -> None:
    sqs = pipeline.sqs
    half = "x" * (512 * KIB)
    with queue(sqs, pipeline.name) as (url, _):

        def batch(*bodies: str) -> str:
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
            return refusal(sqs.send_message_batch, QueueUrl=url, Entries=entries)

        assert refusal(sqs.send_message, QueueUrl=url, MessageBody=half + half) == ""
        assert refusal(sqs.send_message, QueueUrl=url, MessageBody=half + half + "x") != ""
        assert batch(half, half) == ""
        assert batch(half, half + "x").endswith("BatchRequestTooLong")


def test_sns_refuses_a_message_above_256_kib(pipeline: Pipeline) -> None:
    sns = pipeline.state.client("sns")
    topic = pipeline.state.outputs["alerts_topic_arn"]
    assert refusal(sns.publish, TopicArn=topic, Message="x" * (256 * KIB + 1)) == "InvalidParameter"


# --- IAM ------------------------------------------------------------------------------------------------


def with_key(pipeline: Pipeline, service: str, key: str, secret: str) -> Any:
    """Return a client that signs with this key."""
    return boto3.session.Session().client(
        service,
        endpoint_url=pipeline.state.endpoint or None,
        region_name=pipeline.state.region,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(proxies={}, s3={"addressing_style": "path"}),
    )


@pytest.mark.differs(localstack="takes any twelve digits for a key of that account")
def test_twelve_digits_are_no_key_of_an_account(pipeline: Pipeline, request: pytest.FixtureRequest) -> None:
    if pipeline.state.emulator == "ministack" and not pipeline.state.access_key.startswith(KEY_PREFIX):
        reason = "a MiniStack without the gate takes any twelve digits for a key of that account"
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
    sts = with_key(pipeline, "sts", "111111111111", "none")
    assert refusal(sts.get_caller_identity) == "InvalidClientTokenId"


def test_a_key_that_was_never_made_is_refused(pipeline: Pipeline, request: pytest.FixtureRequest) -> None:
    if pipeline.state.emulator and IAM in pipeline.target.lacks:
        reason = pipeline.target.lacks[IAM]
        request.applymarker(pytest.mark.xfail(reason=reason, raises=AssertionError, strict=True))
    sts = with_key(pipeline, "sts", "AKIANOBODY0000000000", "none")
    assert refusal(sts.get_caller_identity) == "InvalidClientTokenId"


@contextmanager
def user(pipeline: Pipeline, action: str, resource: str) -> Iterator[tuple[str, str]]:
    """Make a user who may do one thing; yield the user's key and secret."""
    iam = pipeline.state.client("iam")
    name = f"{pipeline.name}-{uuid.uuid4().hex[:8]}"
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    iam.put_user_policy(
        UserName=name,
        PolicyName="one",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    try:
        yield key["AccessKeyId"], key["SecretAccessKey"]
    finally:
        iam.delete_user_policy(UserName=name, PolicyName="one")
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
        iam.delete_user(UserName=name)


@pytest.mark.needs(IAM)
@pytest.mark.differs(ministack="asks for sns:PublishBatch")
def test_a_batch_is_published_by_the_permission_to_publish(pipeline: Pipeline) -> None:
    topic = pipeline.state.outputs["alerts_topic_arn"]
    with user(pipeline, "sns:Publish", topic) as key:
        sns = with_key(pipeline, "sns", *key)
        entries = [{"Id": "0", "Message": "{}"}]
        assert refusal(sns.publish_batch, TopicArn=topic, PublishBatchRequestEntries=entries) == ""


@pytest.mark.needs(IAM)
@pytest.mark.differs(ministack="says that there is no such object")
def test_who_may_not_list_a_bucket_is_not_told_that_an_object_is_missing(pipeline: Pipeline) -> None:
    bucket = pipeline.state.outputs["payload_bucket"]
    with user(pipeline, "s3:GetObject", f"arn:aws:s3:::{bucket}/*") as key:
        s3 = with_key(pipeline, "s3", *key)
        assert refusal(s3.get_object, Bucket=bucket, Key="no-such-object") == "AccessDenied"


# --- Lambda's runtime -----------------------------------------------------------------------------------


@pytest.mark.needs(INSIDE)
@pytest.mark.differs(ministack="runs every function in its own interpreter")
def test_a_function_runs_on_the_python_that_it_declares(pipeline: Pipeline) -> None:
    other = "3.12" if sys.version_info[:2] != (3, 12) else "3.13"
    with probe(pipeline, f"python{other}") as made:
        assert made.invoke()["python"] == other


@pytest.mark.differs(ministack="lets functions import what MiniStack itself needs")
def test_a_function_can_import_boto3_and_no_library_that_is_not_in_its_zip(function: Probe) -> None:
    assert function.invoke()["has_yaml"] is False


def test_a_function_that_imports_no_boto3_starts_without_it(function: Probe) -> None:
    assert function.invoke()["began_with_botocore"] is False


# --- CloudWatch -----------------------------------------------------------------------------------------


def metrics(pipeline: Pipeline, namespace: str, name: str, **dimensions: str) -> list[dict[str, Any]]:
    """Return the metrics of that name that CloudWatch lists."""
    wanted = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    answer = pipeline.state.client("cloudwatch").list_metrics(
        Namespace=namespace, MetricName=name, Dimensions=wanted
    )
    found: list[dict[str, Any]] = answer["Metrics"]
    return found


@pytest.fixture
def processed(pipeline: Pipeline) -> Pipeline:
    """The pipeline, once it has stored an event."""
    body = activity()
    pipeline.send(body)
    pipeline.awaited("table_name", event_id(body))
    return pipeline


@pytest.mark.needs(LOG_FIGURES)
@pytest.mark.differs(ministack="has no AWS/SQS metrics")
def test_sqs_counts_messages_in_cloudwatch(processed: Pipeline) -> None:
    name = processed.queue_url.rpartition("/")[2]
    eventually(
        lambda: metrics(processed, "AWS/SQS", "NumberOfMessagesSent", QueueName=name),
        within=LISTED_SECONDS,
        what="a metric of the queue",
    )


@pytest.mark.needs(LOG_FIGURES)
@pytest.mark.differs(ministack="counts direct calls alone")
def test_lambda_counts_what_its_poller_invokes_in_cloudwatch(processed: Pipeline) -> None:
    # Other tests call the processor directly.
    name = processed.state.outputs["archiver_function_name"]
    eventually(
        lambda: metrics(processed, "AWS/Lambda", "Invocations", FunctionName=name),
        within=LISTED_SECONDS,
        what="a metric of the function",
    )


@pytest.mark.needs(LOG_FIGURES)
@pytest.mark.differs(
    ministack="makes no metrics from embedded metric lines",
    localstack="makes no metrics from embedded metric lines",
)
def test_embedded_metric_lines_become_metrics(processed: Pipeline) -> None:
    eventually(
        lambda: metrics(processed, NAMESPACE, "Stored"), within=LISTED_SECONDS, what="a metric of ours"
    )


@pytest.mark.differs(localstack="answers InternalError")
def test_get_metric_data_has_percentiles(pipeline: Pipeline) -> None:
    cloudwatch = pipeline.state.client("cloudwatch")
    metric = {"Namespace": f"{pipeline.name}-percentiles", "MetricName": uuid.uuid4().hex}
    at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=2)
    datum = {"MetricName": metric["MetricName"], "Timestamp": at, "Values": [float(n) for n in range(1, 101)]}
    cloudwatch.put_metric_data(Namespace=metric["Namespace"], MetricData=[datum])

    def send_request(stat: str) -> dict[str, Any]:
        query = {"Id": "m", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}
        around = {"StartTime": at - timedelta(minutes=1), "EndTime": at + timedelta(minutes=1)}
        return {"MetricDataQueries": [query], **around}

    def values(stat: str) -> list[float]:
        found: list[float] = cloudwatch.get_metric_data(**send_request(stat))["MetricDataResults"][0][
            "Values"
        ]
        return found

    eventually(lambda: values("Maximum"), within=READY_SECONDS, what="the values are there")
    assert refusal(cloudwatch.get_metric_data, **send_request("p95")) == ""
    assert [round(value) for value in values("p95")] == [95]


@pytest.mark.needs(ALARMS)
@pytest.mark.differs(ministack="evaluates an alarm on the metric of every dimension")
def test_an_alarm_watches_the_metric_of_its_dimensions_alone(pipeline: Pipeline) -> None:
    cloudwatch = pipeline.state.client("cloudwatch")
    name = f"{pipeline.name}-{uuid.uuid4().hex[:8]}"
    metric = {"Namespace": name, "MetricName": "Watched"}
    cloudwatch.put_metric_alarm(
        AlarmName=name,
        **metric,
        Dimensions=[{"Name": "Of", "Value": "this"}],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
    )
    try:
        datum = {
            "MetricName": "Watched",
            "Value": 5,
            "Dimensions": [{"Name": "Of", "Value": "that"}],
        }
        cloudwatch.put_metric_data(Namespace=name, MetricData=[datum])
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
        assert alarm["StateValue"] != "ALARM"
    finally:
        cloudwatch.delete_alarms(AlarmNames=[name])
