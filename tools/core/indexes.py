"""Reading an index of a table from its newest entry backwards, without ever scanning."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from storage import attributes
from tools.core.tables import Item

# Partitions asked at once for their newest entries; the three types of events have 24.
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Index:
    """An index: its name, and the attributes that are its partition key and its sort key, a time."""

    name: str
    key: str
    time: str


BY_CUSTOMER = Index("by_customer", "customer_id", "received_at")
BY_TYPE = Index("by_type", attributes.TYPE_SHARD, "received_at")
LARGE_ORDERS = Index("large_orders", attributes.LARGE_ORDER_SHARD, "received_at")
NEWEST_REJECTED = Index("newest", attributes.REJECTED_SHARD, "rejected_at")


def newest_first(
    dynamodb: Any,
    table: str,
    index: Index,
    partitions: Sequence[str],
    *,
    since: str = "",
    until: str = "",
    where: Mapping[str, dict[str, Any]] | None = None,
    page: int | None = None,
) -> Iterator[Item]:
    """The index's entries in these partitions, newest first, of the times from ``since`` to ``until``.

    An index follows its table within a second or so, so that what has just been written may be missing.

    Parameters
    ----------
    since, until: times as they stand in the index, both included, or nothing for all of them.
    where: attributes and the values that they must have. DynamoDB reads, and bills, what it leaves out.
    page: how many entries of a partition to ask for at a time; as many as fit into 1 MB if not given.
    """
    request = _request(table, index, (since, until), where or {})
    if page is not None:
        request["Limit"] = page

    def ask(partition: str, start: Mapping[str, Any] | None = None) -> dict[str, Any]:
        values = {**request["ExpressionAttributeValues"], ":key": {"S": partition}}
        more = {"ExclusiveStartKey": start} if start else {}
        answer: dict[str, Any] = dynamodb.query(**{**request, "ExpressionAttributeValues": values}, **more)
        return answer

    def entries(partition: str, answer: dict[str, Any]) -> Iterator[Item]:
        while True:
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            answer = ask(partition, answer["LastEvaluatedKey"])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        firsts = list(pool.map(ask, partitions))
    sources = [entries(partition, first) for partition, first in zip(partitions, firsts, strict=True)]
    yield from heapq.merge(*sources, key=lambda item: str(item[index.time]["S"]), reverse=True)


def _request(
    table: str, index: Index, span: tuple[str, str], where: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    names = {"#key": index.key, "#time": index.time}
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": index.name,
        "KeyConditionExpression": "#key = :key AND #time BETWEEN :since AND :until",
        # DynamoDB takes no empty value for a key; every time lies between these.
        "ExpressionAttributeValues": {":since": {"S": span[0] or "0"}, ":until": {"S": span[1] or "~"}},
        "ScanIndexForward": False,
    }
    for number, (attribute, value) in enumerate(where.items()):
        names[f"#f{number}"] = attribute
        request["ExpressionAttributeValues"][f":f{number}"] = value
    if where:
        conditions = (f"#f{number} = :f{number}" for number in range(len(where)))
        request["FilterExpression"] = " AND ".join(conditions)
    return {**request, "ExpressionAttributeNames": names}
