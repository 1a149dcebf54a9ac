"""List every setting in ``terraform/`` that provider 3.39.0 does not support, and its replacement.

A setting that is not listed reaches the provider unchanged, and Terraform reports it if the provider does not
know it. Deleting whatever the old schema lacks would hide a misspelt argument. A test fails for an entry that
the config no longer needs.
"""

from dataclasses import dataclass

API_CALL = "set by an API call after the apply"


@dataclass(frozen=True)
class ProviderGap:
    """An argument or nested block, or a whole resource (no ``argument``), that the provider does not support.

    ``instead`` is API_CALL, or the reason why no replacement is needed. With API_CALL, a call sets the value
    that Terraform evaluated, or (``evaluated`` False) one that only the call knows. ``in_config`` is the
    provider's expression if the argument is required.
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
    """An argument, or a whole resource (no ``argument``), that the provider cannot read back from an
    emulator.

    Terraform would find a difference on every run. A difference of an argument is ignored. A whole resource
    is replaced only when its definition in the config changes.
    """

    resource: str
    argument: str | None


PROVIDER_GAPS = (
    # Before the settings below exist, Lambda would delete messages that the function returns to the queue.
    ProviderGap("aws_lambda_event_source_mapping", "enabled", API_CALL, in_config="false"),
    ProviderGap("aws_lambda_event_source_mapping", "function_response_types", API_CALL),
    ProviderGap("aws_lambda_event_source_mapping", "scaling_config", API_CALL),
    ProviderGap("aws_lambda_event_source_mapping", "provisioned_poller_config", API_CALL),
    ProviderGap("aws_lambda_event_source_mapping", "filter_criteria", API_CALL),
    # The provider validates it against the runtimes of 2021.
    ProviderGap("aws_lambda_function", "runtime", API_CALL, in_config='"python3.8"'),
    ProviderGap("aws_lambda_function", "logging_config", API_CALL),
    # It would publish the function before the two settings above exist. The alias's setter publishes it.
    ProviderGap("aws_lambda_function", "publish", "nothing: the alias publishes its version"),
    # The version changes with each publish, which would be a difference in the next plan.
    ProviderGap("aws_lambda_alias", "function_version", API_CALL, in_config='"$LATEST"', evaluated=False),
    ProviderGap("aws_lambda_function", "architectures", "nothing: pure Python runs on any processor"),
    # The provider's maximum is 256 KiB.
    ProviderGap("aws_sqs_queue", "max_message_size", API_CALL, in_config="262144"),
    ProviderGap("aws_sqs_queue", "sqs_managed_sse_enabled", API_CALL),
    ProviderGap("aws_sqs_queue_redrive_allow_policy", None, API_CALL),
    ProviderGap("aws_dynamodb_table", "deletion_protection_enabled", API_CALL),
    ProviderGap("aws_dynamodb_table", "on_demand_throughput", API_CALL),
    ProviderGap(
        "aws_sns_topic_subscription", "filter_policy_scope", "nothing: MessageAttributes is the default"
    ),
    ProviderGap("aws_s3_bucket_versioning", None, API_CALL),
    ProviderGap("aws_s3_bucket_lifecycle_configuration", None, "nothing: no emulator runs for days"),
    ProviderGap("aws_s3_bucket_ownership_controls", None, "nothing: the pipeline uses no ACLs"),
    ProviderGap("aws_s3_bucket_server_side_encryption_configuration", None, "nothing: no emulator encrypts"),
)

UNREADABLE = (
    # In the old protocol MiniStack answers without dimensions and actions.
    Unreadable("aws_cloudwatch_metric_alarm", None),
    Unreadable("aws_cloudwatch_composite_alarm", None),
    # S3 encrypts by default since 2023, which this provider reports as a difference.
    Unreadable("aws_s3_bucket", "server_side_encryption_configuration"),
)
