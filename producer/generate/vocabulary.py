"""The words that events are built from, in ``vocabulary.json``."""

import json
from pathlib import Path
from typing import Any

_LISTS: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))

ADJECTIVES: list[str] = _LISTS["adjectives"]
PRODUCTS: list[str] = _LISTS["products"]
COLOURS: list[str] = _LISTS["colours"]
NOUNS: list[str] = _LISTS["nouns"]
VERBS: list[str] = _LISTS["verbs"]
QUALITIES: list[str] = _LISTS["qualities"]
CONNECTIVES: list[str] = _LISTS["connectives"]
OPENINGS: list[str] = _LISTS["openings"]
ADVERBS: list[str] = _LISTS["adverbs"]
FIRST_NAMES: list[str] = _LISTS["first_names"]
LAST_NAMES: list[str] = _LISTS["last_names"]
# (street, postcode, city, country). A tenth of the addresses are not ASCII, one is not even Latin-1. Such
# text must come through whole; Python's strings pay for it, so it is as rare as in a shop.
PLACE_NAMES: list[tuple[str, str, str, str]] = [tuple(place) for place in _LISTS["place_names"]]
PAGES: list[str] = _LISTS["pages"]
# The steps to an order, and what shoppers do beside them.
FUNNEL: list[str] = _LISTS["funnel"]
OTHER_ACTIONS: list[str] = _LISTS["other_actions"]
ACTIONS = [*FUNNEL, *OTHER_ACTIONS]
CHANNELS: list[str] = _LISTS["channels"]
