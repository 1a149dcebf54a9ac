"""Runs the producer from Python. It needs no terminal and prints nothing."""

import secrets
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from producer.arguments import from_arguments, plan_run, to_arguments, to_file_arguments
from producer.delivery import Delivery, OnProgress, Result
from producer.errors import ProducerError
from producer.manifest import Header, Manifest, read_header, read_messages
from producer.options import Options
from producer.own_events import STOP, Check, check_file, is_repeatable
from producer.send.target import Target
from tools.core.aws import create_session


def produce(
    options: Options,
    on_progress: OnProgress | None = None,
    session: Any = None,
    check: Check | None = None,
) -> Result:
    """Send a run of events and return the result. Ctrl-C ends it early, with ``interrupted`` set.

    ``on_progress`` is called five times a second. ``session`` is a botocore session with credentials, by
    default one with the environment's. ``check`` is the result of `check_file`, if the caller has checked the
    file already. Raises ProducerError when the run cannot start.
    """
    if options.from_file is not None:
        return _produce_own(options, on_progress, session, check)
    now = datetime.now(UTC)
    seed = secrets.randbits(48) if options.seed is None else options.seed
    spec = plan_run(options, seed, now)
    header = _header(options, seed, now, to_arguments(options, spec))
    target = _target(options, session)
    with _open_manifest(options.manifest, header) as manifest:
        return Delivery(options, header, target, manifest, on_progress).send_generated(spec)


def _produce_own(
    options: Options, on_progress: OnProgress | None, session: Any, check: Check | None
) -> Result:
    assert options.from_file is not None
    if check is None and is_repeatable(options.from_file):
        check = check_file(options.from_file)
    if check and not check.ok and options.refused == STOP:
        raise ProducerError(
            f"{check.refused + check.unsendable:,} of {check.lines:,} lines of {options.from_file} are no "
            "events, so that nothing was sent.\nTo leave them out: --refused skip\n"
            "To send them, so that the pipeline rejects them: --refused send"
        )
    header = _header(options, 0, datetime.now(UTC), to_file_arguments(options, check))
    target = _target(options, session)
    with _open_manifest(options.manifest, header) as manifest:
        return Delivery(options, header, target, manifest, on_progress).send_own(check)


def resume(
    manifest: Path,
    *,
    queue_url: str | None = None,
    batch_size: int | None = None,
    rate: float | None = None,
    endpoint_url: str | None = None,
    on_progress: OnProgress | None = None,
    session: Any = None,
) -> Result:
    """Send the messages of a run that its manifest does not name, and add them to the manifest.

    If the run was killed, SQS may have accepted requests in flight that the manifest does not name. Their
    messages are sent again, as duplicates. ``batch_size`` and ``rate`` default to the run's. ``queue_url`` is
    only compared with the run's. Raises ProducerError.
    """
    with Manifest.reopen(manifest) as opened:
        header = read_header(manifest)
        if queue_url not in (None, header.queue_url):
            raise ProducerError(
                f"{manifest} is the manifest of a run to another queue, {header.queue_url}\n"
                f"The rest must go to that queue, not to {queue_url}\n"
                f"Give the run's queue, or none: --queue-url {header.queue_url}"
            )
        try:
            options, spec = from_arguments(manifest, header)
            lines = header.arguments["count" if spec else "lines"]
            if lines is None:
                raise ProducerError(
                    f"{manifest} is of a run from standard input, which cannot be read again.\n"
                    "Send the rest as a new run, which begins at the line that the run named."
                )
            sent_before = bytearray(lines)
            for message in read_messages(manifest):
                sent_before[message["index"]] = 1
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise ProducerError(
                f"{manifest} is damaged and cannot be resumed: {error!r}\nStart a new run without --resume."
            ) from None
        options = replace(
            options,
            batch_size=options.batch_size if batch_size is None else batch_size,
            rate=options.rate if rate is None else rate,
            endpoint_url=endpoint_url,
        )
        target = _target(options, session)
        delivery = Delivery(options, header, target, opened, on_progress, sent_before)
        if spec:
            return delivery.send_generated(spec)
        assert options.from_file is not None
        check = check_file(options.from_file, most=lines)
        if check.digest != header.arguments["digest"]:
            raise ProducerError(
                f"{options.from_file} has changed since the run began, so that its lines are other events.\n"
                "Start a new run without --resume."
            )
        return delivery.send_own(check)


def _header(options: Options, seed: int, now: datetime, arguments: dict[str, Any]) -> Header:
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    return Header(run_id, seed, options.queue_url, now.isoformat(), arguments)


def _target(options: Options, session: Any) -> Target:
    session = session or create_session(options.endpoint_url or options.queue_url)
    return Target.find(options.queue_url, options.endpoint_url, session)


def _open_manifest(path: Path | None, header: Header) -> AbstractContextManager[Manifest | None]:
    if path is None:
        return nullcontext()
    return Manifest.create(path / f"{header.run_id}.jsonl" if path.is_dir() else path, header)
