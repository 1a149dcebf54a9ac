"""Whether the account's Lambda concurrency limit has room for both functions."""

from __future__ import annotations

from tools.deploy.account import Account
from tools.deploy.environment import Environment

# Lambda runs one archiver for each shard of the two streams; a new on-demand table's stream has four.
_SHARDS = 8


def warning(environment: Environment, account: Account) -> str | None:
    """Return a warning if the functions would throttle each other, or None."""
    limits = account.client("lambda").get_account_settings()["AccountLimit"]
    free, needed = limits["UnreservedConcurrentExecutions"], environment.maximum_concurrency + _SHARDS
    if free >= needed:
        return None
    return (
        f"The account runs {free} Lambda functions at once, and this environment may need {needed}: "
        f"{environment.maximum_concurrency} for events (maximum_concurrency) and {_SHARDS} for the archive. "
        "Above the limit they throttle each other. New accounts have a limit of 10. "
        "To raise it: Service Quotas, Lambda, Concurrent executions. "
        f"Or {environment.line_to_add('maximum_concurrency = 2')}."
    )
