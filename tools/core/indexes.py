"""Read the listing indexes of a table, newest entries first, without a scan."""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from storage import attributes
from tools.core.tables import Item, is_key

# Partitions queried concurrently.
_THREADS = 8


@dataclass(frozen=True, slots=True)
class Index:
    """An index: its name, its partition key, and its sort key, which is a timestamp."""

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
    """Yield the index's entries of these partitions, newest first.

    An index is eventually consistent: entries of the last second may be missing.

    Parameters
    ----------
    since, until: timestamps as the index stores them, both included; empty for no limit.
    where: attributes and their required values. DynamoDB reads and bills the entries that it filters out.
    page: the number of entries of a partition in one query; by default as many as fit into 1 MB.
    """
    request = _request(table, index, (since, until), where or {})
    partitions = list(filter(is_key, partitions))
    if page is not None:
        request["Limit"] = page

    def query(partition: str, start: Mapping[str, Any] | None = None) -> dict[str, Any]:
        values = {**request["ExpressionAttributeValues"], ":key": {"S": partition}}
        more = {"ExclusiveStartKey": start} if start else {}
        response: dict[str, Any] = dynamodb.query(**{**request, "ExpressionAttributeValues": values}, **more)
        return response

    def entries(partition: str, response: dict[str, Any]) -> Iterator[Item]:
        while True:
            yield from response["Items"]
            if "LastEvaluatedKey" not in response:
                return
            response = query(partition, response["LastEvaluatedKey"])

    with ThreadPoolExecutor(_THREADS) as pool:
        first_pages = list(pool.map(query, partitions))
    sources = [entries(partition, first) for partition, first in zip(partitions, first_pages, strict=True)]
    yield from heapq.merge(*sources, key=lambda item: str(item[index.time]["S"]), reverse=True)


def _request(
    table: str, index: Index, bounds: tuple[str, str], where: Mapping[str, dict[str, Any]]
) -> dict[str, Any]:
    names = {"#key": index.key, "#time": index.time}
    request: dict[str, Any] = {
        "TableName": table,
        "IndexName": index.name,
        "KeyConditionExpression": "#key = :key AND #time BETWEEN :since AND :until",
        # DynamoDB accepts no empty key value. Every timestamp lies between "0" and "~".
        "ExpressionAttributeValues": {":since": {"S": bounds[0] or "0"}, ":until": {"S": bounds[1] or "~"}},
        "ScanIndexForward": False,
    }
    for number, (attribute, value) in enumerate(where.items()):
        names[f"#f{number}"] = attribute
        request["ExpressionAttributeValues"][f":f{number}"] = value
    if where:
        conditions = (f"#f{number} = :f{number}" for number in range(len(where)))
        request["FilterExpression"] = " AND ".join(conditions)
    return {**request, "ExpressionAttributeNames": names}
