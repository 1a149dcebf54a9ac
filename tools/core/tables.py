"""Reading whole DynamoDB tables, several segments at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from tools.core.resources import Resources

Item = dict[str, dict[str, Any]]
"""An item as DynamoDB's client gives it: ``{"name": {"S": "value"}}``."""

Result = TypeVar("Result")

_KEYS_AT_ONCE = 100  # BatchGetItem's limit
_WHOLE_AT_ONCE = 25


def scan(
    resources: Resources,
    table: str,
    attributes: Iterable[str],
    each_page: Callable[[list[Item]], Result],
    where: dict[str, Any] | None = None,
) -> Iterator[Result]:
    """Read some attributes of every item of a table, and yield what ``each_page`` makes of each page.

    An attribute may name an element of a list: ``reasons[0]``. ``each_page`` runs in several threads. Reads
    are consistent. ``where`` holds further arguments of Scan (a filter).
    """
    paths = [name.partition("[") for name in attributes]
    names = {f"#a{index}": path[0] for index, path in enumerate(paths)}
    request: dict[str, Any] = {
        "TableName": table,
        "ConsistentRead": True,
        "TotalSegments": resources.scan_segments,
        "ProjectionExpression": ", ".join(f"#a{n}{path[1]}{path[2]}" for n, path in enumerate(paths)),
        **(where or {}),
    }
    request["ExpressionAttributeNames"] = names | request.get("ExpressionAttributeNames", {})

    dynamodb = resources.client("dynamodb")

    def segment(number: int) -> list[Result]:
        results: list[Result] = []
        start: dict[str, Any] = {}
        while True:
            page = dynamodb.scan(**request, **start, Segment=number)
            results.append(each_page(page["Items"]))
            if "LastEvaluatedKey" not in page:
                return results
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    with ThreadPoolExecutor(resources.scan_segments) as pool:
        for results in pool.map(segment, range(resources.scan_segments)):
            yield from results


def existing(dynamodb: Any, table: str, key: str, values: Iterable[str]) -> set[str]:
    """Which of these key values (of type S) have an item in the table."""
    return {item[key]["S"] for item in attributes_of(dynamodb, table, key, values)}


def attributes_of(
    dynamodb: Any, table: str, key: str, values: Iterable[str], *attributes: str
) -> Iterator[Item]:
    """The key and these attributes of the items of these key values (of type S) that are there."""
    names = {f"#a{number}": name for number, name in enumerate((key, *attributes))}
    yield from _get(
        dynamodb,
        table,
        key,
        values,
        {"ProjectionExpression": ", ".join(names), "ExpressionAttributeNames": names},
    )


def whole_items(dynamodb: Any, table: str, key: str, values: Iterable[str]) -> Iterator[Item]:
    """The items of these key values (of type S) that are there, whole and in this order."""
    # These have 10 MB at most, of the 16 MB that an answer may have.
    wanted = iter(values)
    while some := list(islice(wanted, _WHOLE_AT_ONCE)):
        found = {item[key]["S"]: item for item in _get(dynamodb, table, key, some)}
        yield from (found[value] for value in some if value in found)


def _get(
    dynamodb: Any, table: str, key: str, values: Iterable[str], more: dict[str, Any] | None = None
) -> Iterator[Item]:
    wanted = list(dict.fromkeys(values))
    for start in range(0, len(wanted), _KEYS_AT_ONCE):
        asked: dict[str, Any] = {
            table: {
                "Keys": [{key: {"S": value}} for value in wanted[start : start + _KEYS_AT_ONCE]],
                "ConsistentRead": True,
                **(more or {}),
            }
        }
        while asked:
            answer = dynamodb.batch_get_item(RequestItems=asked)
            yield from answer["Responses"].get(table, [])
            asked = answer.get("UnprocessedKeys") or {}


def as_json(value: dict[str, Any]) -> str:
    """An attribute's value as JSON. A number stays the text that it is: no float is made of it."""
    ((kind, content),) = value.items()
    if kind == "N":
        return str(content)
    if kind == "M":
        members = (f"{json.dumps(name)}: {as_json(member)}" for name, member in content.items())
        return "{" + ", ".join(members) + "}"
    if kind == "L":
        return "[" + ", ".join(as_json(member) for member in content) + "]"
    return json.dumps(content, ensure_ascii=False)


def text(item: Item, name: str) -> str | None:
    """A string attribute, or None where the item has none."""
    value: str | None = item.get(name, {}).get("S")
    return value


def number(item: Item, name: str) -> int:
    """A whole-number attribute; 0 where the item has none."""
    return int(item.get(name, {}).get("N", 0))


def flag(item: Item, name: str) -> bool:
    """A boolean attribute; False where the item has none."""
    return bool(item.get(name, {}).get("BOOL", False))
