"""The list: everything in ``terraform/`` that provider 3.39.0 cannot take, and what stands in for it.

What is not on this list reaches the provider as it was written, and what the provider does not know then
fails with Terraform's own message. That is on purpose: to delete whatever an old schema does not know would
make a misspelt argument vanish without a word. A test fails on an entry that the config no longer needs.
"""

from dataclasses import dataclass

API_CALL = "set by an API call after the apply"


@dataclass(frozen=True)
class ProviderGap:
    """An argument or nested block, or a whole resource (no ``argument``), that the provider cannot take.

    With API_CALL as ``instead``, the value that Terraform evaluates for it is set after the apply, or one
    that only the call can know where it is not ``evaluated``; otherwise ``instead`` says why nothing needs to
    be. ``in_config`` is the expression that the provider gets where leaving the argument out would not do.
    """

    resource: str
    argument: str | None
    instead: str
    in_config: str | None = None
    evaluated: bool = True

    def __str__(self) -> str:
        return f"{self.resource}{'.' if self.argument else ''}{self.argument or ''}: {self.instead}"


@dataclass(frozen=True)
class Unreadable:
    """An argument, or all of a resource (no ``argument``), that the provider cannot read back here.

    It is applied, but Terraform would then find a difference on every run. An argument's difference is
    ignored; a whole resource is replaced when its definition in the config changes, and only then.
    """

    resource: str
    argument: str | None


PROVIDER_GAPS = (
    # Until those after it are set, the messages that the function hands back would be deleted.
    ProviderGap("aws_lambda_event_source_mapping", "enabled", API_CALL, in_config="false"),
    ProviderGap("aws_lambda_event_source_mapping", "function_response_types", API_CALL),
    ProviderGap("aws_lambda_event_source_mapping", "scaling_config", API_CALL),
    ProviderGap("aws_lambda_event_source_mapping", "filter_criteria", API_CALL),
    # The provider checks it against the runtimes of 2021.
    ProviderGap("aws_lambda_function", "runtime", API_CALL, in_config='"python3.8"'),
    ProviderGap("aws_lambda_function", "logging_config", API_CALL),
    # It would publish the function before the two above are set; the alias brings its version with it.
    ProviderGap("aws_lambda_function", "publish", "nothing: the alias publishes what it points to"),
    ProviderGap("aws_lambda_alias", "function_version", API_CALL, in_config='"$LATEST"', evaluated=False),
    ProviderGap(
        "aws_lambda_function", "architectures", "nothing: pure Python runs on this machine's processor"
    ),
    # The provider lets no queue take more than 256 KiB.
    ProviderGap("aws_sqs_queue", "max_message_size", API_CALL, in_config="262144"),
    ProviderGap("aws_sqs_queue", "sqs_managed_sse_enabled", API_CALL),
    ProviderGap("aws_sqs_queue_redrive_allow_policy", None, API_CALL),
    ProviderGap("aws_dynamodb_table", "deletion_protection_enabled", API_CALL),
    ProviderGap(
        "aws_sns_topic_subscription", "filter_policy_scope", "nothing: MessageAttributes is the default"
    ),
    ProviderGap("aws_s3_bucket_versioning", None, API_CALL),
    ProviderGap("aws_s3_bucket_lifecycle_configuration", None, "nothing: no emulator runs for days"),
    ProviderGap("aws_s3_bucket_ownership_controls", None, "nothing: nobody here uses ACLs"),
    ProviderGap("aws_s3_bucket_server_side_encryption_configuration", None, "nothing: AES256 is the default"),
)

UNREADABLE = (
    # MiniStack's answers in the protocol of 2021 have neither dimensions nor actions.
    Unreadable("aws_cloudwatch_metric_alarm", None),
    Unreadable("aws_cloudwatch_composite_alarm", None),
    # Encrypted by default, as S3 is since 2023; this provider takes that for a difference.
    Unreadable("aws_s3_bucket", "server_side_encryption_configuration"),
)
