"""Sends a run over several connections, each with a thread."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from producer.generate.messages import Message
from producer.send.batching import batched
from producer.send.rate_limiter import RateLimiter
from producer.send.run_stats import RunStats
from producer.send.sender import Sender
from producer.send.sqs_client import SqsClient
from producer.send.target import Target

_TICK_SECONDS = 0.2
Item = TypeVar("Item")


class WorkerPool(Generic[Item]):
    """Prepares and sends the messages of the given batches.

    Each connection's thread claims the next batch, prepares its messages while other threads wait for SQS,
    and sends them. No message is prepared before it can be sent. Memory therefore does not depend on the
    number of messages: each connection holds one batch. An empty batch only gives a thread the time to stop.
    """

    def __init__(
        self,
        target: Target,
        batches: Iterable[list[Item]],
        prepare: Callable[[Item], Message],
        rate_limiter: RateLimiter,
        stats: RunStats,
        stop: threading.Event,
    ) -> None:
        self._queue_url = target.queue_url
        self._batches = iter(batches)
        self._prepare = prepare
        self._rate_limiter = rate_limiter
        self._stats = stats
        self._claim_lock = threading.Lock()
        self._stop = stop
        self._clients = [SqsClient(target) for _ in range(target.connections)]

    def run(self, on_tick: Callable[[], None]) -> bool:
        """Send everything; call ``on_tick`` five times a second. Returns whether Ctrl-C ended it early.

        The first Ctrl-C waits for the requests in flight, the second one aborts them. Raises the error that
        stopped a connection.
        """
        interrupted = False
        with ThreadPoolExecutor(len(self._clients)) as pool:
            futures: set[Future[None]] = {pool.submit(self._send_all, client) for client in self._clients}
            pending = futures
            try:
                while pending:
                    try:
                        pending = wait(pending, _TICK_SECONDS).not_done
                        on_tick()
                    except KeyboardInterrupt:
                        self._stop.set()
                        if interrupted:
                            for client in self._clients:
                                client.abort()
                        interrupted = True
            finally:
                # The pool waits for its threads even if `on_tick` raises.
                self._stop.set()
        for future in futures:
            future.result()
        return interrupted

    def _send_all(self, client: SqsClient) -> None:
        sender = Sender(client.send_batch, self._queue_url, self._stats, self._stop)
        try:
            while not self._stop.is_set():
                items, send_at = self._claim()
                if items is None:
                    return
                batches = list(batched(map(self._prepare, items)))
                if self._stop.wait(max(0.0, send_at - time.monotonic())):
                    return
                for batch in batches:
                    if not self._stop.is_set():
                        sender.send(batch)
        except BaseException:
            # An error on one connection stops the run; the others finish their requests first.
            self._stop.set()
            raise
        finally:
            client.close()

    def _claim(self) -> tuple[list[Item] | None, float]:
        """Return the next batch, None after the last one, and the time to send it."""
        with self._claim_lock:
            items = next(self._batches, None)
            return items, self._rate_limiter.reserve(len(items)) if items else 0.0
