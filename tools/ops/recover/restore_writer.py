"""Write restored items to the tables. Nothing that is there is overwritten."""

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from archiver.lines import DUPLICATES, EVENTS, REJECTED
from aws_http.errors import NO_ANSWER, AwsError
from common.deadline import CallLimits, Deadline
from processor.store import SHARED_ITEM_LIMIT, Created, Exists, Failed, Put, Store
from producer.send.rate_limiter import RateLimiter
from storage import attributes
from storage.attributes import EVENT_ID, MESSAGE_ID, number, required, text
from storage.payload import Payload, add_payload, encode_payload
from storage.sizes import Item, item_size
from tools.core import tables
from tools.core.aws_errors import code_of
from tools.core.errors import ToolError
from tools.core.resources import Resources
from tools.ops.recover.archive_reader import Selection
from tools.ops.recover.archived_items import ArchivedItem

KEYS = {EVENTS: EVENT_ID, REJECTED: MESSAGE_ID, DUPLICATES: MESSAGE_ID}
# The bodies of a chunk, which bounds the memory together with the number of chunks in progress.
CHUNK_ITEMS, CHUNK_BYTES = 100, 2 * 1024 * 1024

_LISTED = 20
_ROUNDS = 8
_LONGEST_PAUSE = 5.0
# An alert may have been published since, and another compressor may have written the payload.
_IGNORED = {
    *(attributes.ALERT_PENDING, attributes.PAYLOAD, attributes.PAYLOAD_KEY, attributes.PAYLOAD_ENCODING),
    attributes.PAYLOAD_BYTES,
}
# Lines before version 2 do not have these.
_COMPUTED = {
    *(attributes.CLAIMED_ORIGIN, attributes.EXPIRES_AT, attributes.SUMMARY, attributes.RULES),
    *(attributes.TYPE_SHARD, attributes.LARGE_ORDER_SHARD, attributes.REJECTED_SHARD),
}
_REFUSED = "ValidationException"
_OPERATIONS = {"PutItem": "put_item", "TransactWriteItems": "transact_write_items"}


@dataclass
class RestoreResult:
    """What became of the archive's items: counts by kind, and the first 20 of each kind of finding.

    ``restored`` would be restored in a dry run. ``present`` were in the tables, equal. ``expired`` would be
    deleted by TTL at once. ``replayed`` are rejections of what is stored or a duplicate now. ``objects`` are
    payloads that were written to the payload bucket.
    """

    restored: Counter[str] = field(default_factory=Counter)
    present: Counter[str] = field(default_factory=Counter)
    expired: int = 0
    replayed: int = 0
    objects: int = 0
    lacks: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    listed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def find(self, kind: str, what: str) -> None:
        """Count a finding. The first 20 are listed."""
        with self.lock:
            self.findings[kind] += 1
            if self.findings[kind] <= _LISTED:
                self.listed.append(f"{kind}: {what}")


class RestoreWriter:
    """Writes chunks of items of one kind. Several threads may use it."""

    def __init__(
        self,
        resources: Resources,
        selection: Selection,
        result: RestoreResult,
        *,
        dry_run: bool,
        limiter: RateLimiter,
    ) -> None:
        self._resources = resources
        self._dynamodb = resources.client("dynamodb")
        self._s3 = resources.client("s3")
        self._selection = selection
        self._result = result
        self._dry_run = dry_run
        self._limiter = limiter
        # A compressor is reused, by one thread at a time.
        self._encoding = threading.Lock()
        self.tables = table_names(resources)
        self._store = Store(_Tables(self._dynamodb), Deadline(lambda: 10**9, CallLimits(5.0, 1)))

    def write(self, chunk: list[ArchivedItem]) -> None:
        """Restore those items of a chunk that are not there. Raises ToolError if DynamoDB fails."""
        kind = chunk[0].kind
        table, key = self.tables[kind], KEYS[kind]
        wanted: dict[str, ArchivedItem] = {}
        for archived in self._selected(kind, chunk):
            if archived.key in wanted:
                self._compare(archived, wanted[archived.key].item)
            else:
                wanted[archived.key] = archived
        for item in tables.get_items(self._dynamodb, table, key, list(wanted), CHUNK_ITEMS):
            archived = wanted.pop(required(item, key))
            self._compare(archived, item)
            self._replace_object(archived, item)
        puts = {name: Put(table, key, self._with_payload(archived)) for name, archived in wanted.items()}
        if not self._dry_run and puts:
            time.sleep(max(0.0, self._limiter.reserve(len(puts)) - time.monotonic()))
            self._create(puts, wanted)
        else:
            self._count(kind, wanted.values())

    def _selected(self, kind: str, chunk: list[ArchivedItem]) -> list[ArchivedItem]:
        now = time.time()
        fresh = [each for each in chunk if (number(each.item, attributes.EXPIRES_AT) or now + 1) > now]
        self._add("expired", len(chunk) - len(fresh))
        if kind == REJECTED:
            accepted = self._accepted(fresh)
            self._add("replayed", sum(archived.key in accepted for archived in fresh))
            return [archived for archived in fresh if archived.key not in accepted]
        if kind == DUPLICATES and self._selection.is_by_event:
            return self._of_selected_events(fresh)
        return fresh

    def _accepted(self, rejected: list[ArchivedItem]) -> set[str]:
        """Return those messages that are in the other tables, because they were replayed since."""
        ids = [archived.key for archived in rejected]
        found = tables.existing_keys(self._dynamodb, self.tables[DUPLICATES], MESSAGE_ID, ids)
        events = [name for each in rejected if tables.is_key(name := each.event.get(EVENT_ID))]
        stored = tables.get_attributes(self._dynamodb, self.tables[EVENTS], EVENT_ID, events, MESSAGE_ID)
        return found | {text(item, MESSAGE_ID) or "" for item in stored}

    def _of_selected_events(self, duplicates: list[ArchivedItem]) -> list[ArchivedItem]:
        # A duplicate that was written by hand may name no event, or none that a table can have.
        ids = [name for each in duplicates if tables.is_key(name := text(each.item, EVENT_ID))]
        found = tables.get_attributes(
            self._dynamodb, self.tables[EVENTS], EVENT_ID, ids, "customer_id", "event_type"
        )
        selected = {required(event, EVENT_ID) for event in found if self._selection.accepts_event(event)}
        return [each for each in duplicates if text(each.item, EVENT_ID) in selected]

    def _with_payload(self, archived: ArchivedItem) -> Item:
        """Return an item with its payload, whose object is in S3 if it needs one."""
        if archived.body is None:
            return archived.item
        with self._encoding:
            payload = encode_payload(archived.body)
        claimed = text(archived.payload, attributes.PAYLOAD_KEY)
        if claimed and self._has_object(claimed):
            return {**archived.item, **payload.claim_check(claimed), **archived.payload}
        content_hash = required(archived.item, attributes.CONTENT_HASH)
        rejected = archived.kind == REJECTED
        item, key = add_payload(archived.item, payload, content_hash, rejected=rejected)
        if key is not None and not self._has_object(key):
            if not self._dry_run:
                self._put_object(key, payload)
            self._add("objects", 1)
        return item

    def _replace_object(self, archived: ArchivedItem, item: Item) -> None:
        """Write the payload of an item that is there if its object is gone."""
        key = text(item, attributes.PAYLOAD_KEY)
        same = text(item, attributes.CONTENT_HASH) == text(archived.item, attributes.CONTENT_HASH)
        if key is None or archived.body is None or not same or self._has_object(key):
            return
        with self._encoding:
            payload = encode_payload(archived.body)
        if payload.encoding != text(item, attributes.PAYLOAD_ENCODING):
            what = f"{key} of {archived.key} is gone, and was written by another compressor"
            self._result.find("payload", what)
            return
        if not self._dry_run:
            self._put_object(key, payload)
        self._add("objects", 1)

    def _has_object(self, key: str) -> bool:
        try:
            self._s3.head_object(Bucket=self._resources.payload_bucket, Key=key)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey", "NotFound"):
                return False
            raise
        return True

    def _put_object(self, key: str, payload: Payload) -> None:
        self._s3.put_object(
            Bucket=self._resources.payload_bucket,
            Key=key,
            Body=payload.data,
            ContentType="binary/octet-stream",
        )

    def _create(self, puts: dict[str, Put], wanted: Mapping[str, ArchivedItem]) -> None:
        for attempt in range(_ROUNDS):
            outcomes = dict(zip(puts, self._store.create(list(puts.values())), strict=True))
            for name, outcome in outcomes.items():
                archived = wanted[name]
                # The attempt before may have written it, and its answer was lost.
                if isinstance(outcome, Created) or (
                    isinstance(outcome, Exists) and attempt and not _differences(archived, outcome.item)
                ):
                    self._count(archived.kind, [archived])
                elif isinstance(outcome, Exists):
                    self._compare(archived, outcome.item)
            failed = {name: each.why for name, each in outcomes.items() if isinstance(each, Failed)}
            for name in [name for name, why in failed.items() if why.startswith(_REFUSED)]:
                self._result.find("refused", f"{name} in {wanted[name].kind}: {failed.pop(name)}")
            puts = {name: puts[name] for name in failed}
            if not puts:
                return
            time.sleep(min(_LONGEST_PAUSE, 0.1 * 2**attempt))
        why = next(iter(failed.values()))
        raise ToolError(
            f"{len(puts):,} items could not be written: {why}",
            "Type the same command again when the cause is gone: it writes only what is missing.",
        )

    def _compare(self, archived: ArchivedItem, item: Mapping[str, Any]) -> None:
        names = _differences(archived, item)
        if names:
            what = f"{archived.key} is in {archived.kind} with another {', '.join(names)}"
            self._result.find("conflict", what)
        else:
            with self._result.lock:
                self._result.present[archived.kind] += 1

    def _count(self, kind: str, restored: Iterable[ArchivedItem]) -> None:
        with self._result.lock:
            for archived in restored:
                self._result.restored[kind] += 1
                self._result.lacks.update(archived.lacks)

    def _add(self, name: str, count: int) -> None:
        with self._result.lock:
            setattr(self._result, name, getattr(self._result, name) + count)


def table_names(resources: Resources) -> dict[str, str]:
    """Return the table of each kind of line."""
    return {
        EVENTS: resources.table_name,
        REJECTED: resources.rejected_table_name,
        DUPLICATES: resources.duplicates_table_name,
    }


def write_units(archived: ArchivedItem) -> int:
    """Return the write units of an item and its index entries (DynamoDB developer guide, "Capacity units").

    A transaction takes two units for each KB, see `processor.store`.
    """
    item = archived.item
    if archived.body is not None:
        payload = encode_payload(archived.body)
        content_hash = required(item, attributes.CONTENT_HASH)
        item, _ = add_payload(item, payload, content_hash, rejected=archived.kind == REJECTED)
    size = item_size(item)
    indexes = (attributes.TYPE_SHARD, "customer_id", attributes.LARGE_ORDER_SHARD, attributes.REJECTED_SHARD)
    entries = sum(name in item for name in indexes) if archived.kind != DUPLICATES else 0
    return -(-size // 1024) * (2 if size <= SHARED_ITEM_LIMIT else 1) + entries


def _differences(archived: ArchivedItem, existing: Mapping[str, Any]) -> list[str]:
    restored, ignored = archived.item, _IGNORED | (_COMPUTED if archived.lacks else set())
    names = sorted((set(restored) | set(existing)) - ignored)
    return [name for name in names if _comparable(restored.get(name)) != _comparable(existing.get(name))]


def _comparable(value: Any) -> Any:
    if isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        if kind in ("SS", "NS", "BS"):
            return kind, frozenset(content)
    return value


class _Tables:
    """DynamoDB by boto3's client, as `processor.store` calls it."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._dynamodb, _OPERATIONS[operation])(**request)
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            message = error.response.get("Error", {}).get("Message", "")
            raise AwsError(code_of(error), message, status=status, fields=error.response) from error
        except BotoCoreError as error:
            raise AwsError(NO_ANSWER, str(error)) from error
        return answer
