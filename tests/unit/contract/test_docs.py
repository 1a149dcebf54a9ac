"""The generated pages and schemas say what the contract and the columns say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from processor.alerts import ALERT_RULES, BATCH_PROCESSED
from tools.benchmarks.docs import asyncapi, contract
from tools.core.paths import ROOT

SCHEMAS = sorted((ROOT / "docs" / "schemas").glob("*.schema.json"))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda path: path.name)
def test_a_schema_for_other_languages_is_valid(schema: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema.read_text("utf-8")))


def test_every_alert_of_the_registry_has_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(asyncapi.ALERTS)
    named = [each["$ref"].rpartition("/")[2] for each in asyncapi.ALERTS["oneOf"]]
    assert named == [*(rule.alert_type for rule in ALERT_RULES), BATCH_PROCESSED]


def references(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    own = [value["$ref"]] if "$ref" in value else []
    return own + [found for each in value.values() for found in references(each)]


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = yaml.safe_load(asyncapi.render())
    for reference in references(document):
        file, _, pointer = reference.partition("#")
        found = json.loads((ROOT / "docs" / file).read_text("utf-8")) if file else document
        for step in pointer.split("/")[1:]:
            found = found[step]


def test_the_example_decodes_a_stored_payload() -> None:
    if not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    section = contract.render().partition("## How a body is stored")[2]
    blocks = dict(re.findall(r"^```(\w+)\n(.*?)^```$", section, re.DOTALL | re.MULTILINE))
    command = ["sh", "-c", blocks["sh"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == blocks["json"].strip()
