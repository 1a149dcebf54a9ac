"""Several connections at work on one run."""

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import islice

from producer.generate.events import Events
from producer.send.batching import batched
from producer.send.rate_limiter import RateLimiter
from producer.send.run_stats import RunStats
from producer.send.sender import Sender
from producer.send.sqs_client import SqsClient
from producer.send.target import Target

_LOOK_SECONDS = 0.2


class WorkerPool:
    """Makes and sends the messages of the given numbers.

    Each connection has a thread that claims the next numbers, makes their messages while the other threads
    wait for SQS, and sends them. So no message is made before it can be sent, and memory stays the same
    however many there are: a request of at most 1 MiB a connection.
    """

    def __init__(
        self,
        target: Target,
        events: Events,
        numbers: Iterable[int],
        batch_size: int,
        pacer: RateLimiter,
        tally: RunStats,
    ) -> None:
        self._queue_url = target.queue_url
        self._events = events
        self._numbers = iter(numbers)
        self._batch_size = batch_size
        self._pacer = pacer
        self._tally = tally
        self._claiming = threading.Lock()
        self._stop = threading.Event()
        self._connections = [SqsClient(target) for _ in range(target.connections)]

    def work(self, look: Callable[[], None]) -> bool:
        """Send everything; call ``look`` five times a second. Returns whether Ctrl-C ended it early.

        At the first Ctrl-C the requests on their way are still waited for, at a second they are broken off.
        Raises the error that stopped a connection, if one did.
        """
        interrupted = False
        with ThreadPoolExecutor(len(self._connections)) as pool:
            futures: set[Future[None]] = {pool.submit(self._serve, each) for each in self._connections}
            pending = futures
            try:
                while pending:
                    try:
                        pending = wait(pending, _LOOK_SECONDS).not_done
                        look()
                    except KeyboardInterrupt:
                        self._stop.set()
                        if interrupted:
                            for connection in self._connections:
                                connection.abort()
                        interrupted = True
            finally:
                # Whatever `look` raises, leaving the pool waits for its threads.
                self._stop.set()
        for future in futures:
            future.result()
        return interrupted

    def _serve(self, connection: SqsClient) -> None:
        sender = Sender(connection, self._queue_url, self._tally, self._stop)
        try:
            while not self._stop.is_set():
                numbers, due = self._claim()
                if not numbers:
                    return
                batches = list(batched(map(self._events.message, numbers), self._batch_size))
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
                for batch in batches:
                    if not self._stop.is_set():
                        sender.send(batch)
        except BaseException:
            # One connection's trouble is the run's: the others finish their requests and stop.
            self._stop.set()
            raise
        finally:
            connection.close()

    def _claim(self) -> tuple[list[int], float]:
        """The next request's numbers, and when it is due."""
        with self._claiming:
            numbers = list(islice(self._numbers, self._batch_size))
            return numbers, self._pacer.due(len(numbers))
