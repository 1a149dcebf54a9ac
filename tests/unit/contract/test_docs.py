"""The generated pages and schemas say what the contract and the columns say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import jsonschema
import pytest
import yaml

from processor.alerts import ALERT_RULES, BATCH_PROCESSED
from tools.benchmarks.docs import asyncapi, contract, schemas
from tools.core.paths import ROOT


def test_the_contracts_page_is_what_the_schema_would_write_now() -> None:
    assert contract.PAGE.read_text("utf-8") == contract.render_page(), "run: make docs"


@pytest.mark.parametrize("name", schemas.FILES)
def test_a_schema_is_what_would_be_written_now_and_is_valid(name: str) -> None:
    text = (schemas.DIRECTORY / name).read_text("utf-8")
    assert text == schemas.render(schemas.FILES[name]()) + "\n", "run: make docs"
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_every_alert_of_the_registry_has_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(asyncapi.ALERTS)
    named = [each["$ref"].rpartition("/")[2] for each in asyncapi.ALERTS["oneOf"]]
    assert named == [*(rule.alert_type for rule in ALERT_RULES), BATCH_PROCESSED]


def test_the_asyncapi_document_is_what_would_be_written_now() -> None:
    text = asyncapi.PAGE.read_text("utf-8")
    assert text == asyncapi.render(), "run: make docs"
    assert yaml.safe_load(text) == json.loads(json.dumps(asyncapi.document()))


def references(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if "$ref" in value else []
    return own + [found for each in value.values() for found in references(each)]


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = asyncapi.document()
    for reference in references(document):
        file, _, pointer = reference.partition("#")
        found = json.loads((ROOT / "docs" / file).read_text("utf-8")) if file else document
        for step in pointer.split("/")[1:]:
            found = found[step]


def test_the_example_decodes_a_stored_payload() -> None:
    if not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    section = contract.render_page().partition("## How a body is stored")[2]
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))
    command = ["sh", "-c", blocks["sh"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == blocks["json"].strip()
