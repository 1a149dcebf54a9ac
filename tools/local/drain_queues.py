"""Make LocalStack's SQS poller receive batch after batch while a queue has messages.

LocalStack waits between two polls, of queues and of streams. A short wait drains queues fast, but polls idle
streams all the time, which takes half of a core. LocalStack executes this file in its own process at start
(docker-compose.yml mounts it in /etc/localstack/init/start.d). If its poller has another shape, the script
fails and queues are drained more slowly.
"""

import importlib
import time
from typing import Any

POLLER = "localstack.services.lambda_.event_source_mapping.pollers.sqs_poller"
# LocalStack notices a disabled or deleted mapping between two calls.
SECONDS = 4.0


def drain_queues(poller: Any) -> None:
    """Change the poller class."""
    poll_events = poller.poll_events

    def poll_until_empty(self: Any) -> None:
        end = time.monotonic() + SECONDS
        poll_events(self)
        # An empty queue raises, so that LocalStack waits before the next poll.
        while time.monotonic() < end:
            poll_events(self)

    poller.poll_events = poll_until_empty


drain_queues(importlib.import_module(POLLER).SqsPoller)
