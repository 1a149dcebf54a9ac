"""The examples of docs/consumers.md work: events are valid, and each decoder reads every encoding."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import contract
from storage import payload
from storage.dictionary import D1
from tools.benchmarks.docs import vectors
from tools.core.paths import ROOT

PAGE = ROOT / "docs" / "consumers.md"
TEXT = PAGE.read_text("utf-8")
BLOCKS = dict(re.findall(r"^```(python|js|go)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))
BODIES = {"small": vectors.as_object(vectors.valid_events()["order"]).encode(), "large": b'{"a": 1}' * 4000}

Item = dict[str, Any]


def items() -> list[Item]:
    """An item of each encoding that was ever written, and one whose payload is in S3."""
    compressor = zlib.compressobj(zdict=D1)
    encoded = [payload.encode_payload(body) for body in (b"{}", *BODIES.values())]
    pairs = [
        (one.encoding, one.data, body) for one, body in zip(encoded, (b"{}", *BODIES.values()), strict=True)
    ]
    pairs += [
        ("zlib", zlib.compress(BODIES["large"]), BODIES["large"]),
        ("zlib-d1", compressor.compress(BODIES["small"]) + compressor.flush(), BODIES["small"]),
    ]
    made: list[Item] = [
        {"payload": data, "payload_encoding": name, "content_hash": sha256(body).hexdigest(), "body": body}
        for name, data, body in pairs
    ]
    first = made[1]
    return [*made, {**{k: v for k, v in first.items() if k != "payload"}, "payload_key": "payloads/1"}]


def fetched(key: str) -> bytes:
    assert key == "payloads/1"
    data: bytes = items()[1]["payload"]
    return data


def test_an_example_of_each_type_is_valid() -> None:
    examples = [
        json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    ]
    assert [example["event_type"] for example in examples] == list(contract.EVENT_TYPES)
    for example in examples:
        assert contract.read(json.dumps(example), vectors.NOW)[1] == []


def test_the_python_decoder_reads_every_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    namespace: dict[str, Callable[..., bytes]] = {}
    exec(BLOCKS["python"], namespace)
    for item in items():
        assert namespace["decode"](item, fetched) == item["body"], item["payload_encoding"]


def test_the_node_decoder_reads_every_encoding_that_this_node_knows(tmp_path: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not on PATH")
    known = printed("node", "-p", "typeof require('zlib').zstdDecompressSync", cwd=ROOT).strip() == "function"
    program = tmp_path / "decode.js"
    program.write_text(
        BLOCKS["js"]
        + "const fetch = () => Buffer.from(process.argv[3], 'base64');"
        + "for (const item of JSON.parse(readFileSync(process.argv[2]))) {"
        + "if (item.payload) item.payload = Buffer.from(item.payload, 'base64');"
        + "console.log(decode(item, fetch).toString('base64')); }"
    )
    chosen = [item for item in items() if known or not item["payload_encoding"].startswith("zstd")]
    check(chosen, tmp_path, "node", str(program))


def test_the_go_decoder_reads_every_encoding(tmp_path: Path) -> None:
    if shutil.which("go") is None:
        pytest.skip("go is not on PATH")
    (tmp_path / "decode.go").write_text(BLOCKS["go"])
    (tmp_path / "main.go").write_text(
        'package main\nimport ("encoding/base64"; "encoding/json"; "fmt"; "os")\n'
        "type stored struct { Payload []byte; Payload_key, Payload_encoding, Content_hash string }\n"
        "func main() { var all []stored; text, _ := os.ReadFile(os.Args[1]); json.Unmarshal(text, &all)\n"
        "for _, s := range all { data, err := decode(Item{s.Payload, s.Payload_key, s.Payload_encoding, "
        "s.Content_hash}, func(string) ([]byte, error) {\n"
        "return base64.StdEncoding.DecodeString(os.Args[2]) })\n"
        "if err != nil { panic(err) }; fmt.Println(base64.StdEncoding.EncodeToString(data)) } }\n"
    )
    (tmp_path / "go.mod").write_text(
        "module decode\ngo 1.21\nrequire github.com/klauspost/compress v1.17.11\n"
    )
    built = subprocess.run(
        ["go", "build", "-mod=mod", "-o", "decode", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode and "klauspost" in built.stderr:
        pytest.skip("the Go module github.com/klauspost/compress cannot be downloaded")
    assert built.returncode == 0, built.stderr
    check(items(), tmp_path, str(tmp_path / "decode"))


def check(chosen: list[Item], directory: Path, *command: str) -> None:
    """Run a decoder over items, and compare the bodies that it prints."""
    written = [
        {name: base64.b64encode(v).decode() if isinstance(v, bytes) else v for name, v in item.items()}
        for item in chosen
    ]
    (directory / "items.json").write_text(json.dumps(written))
    fetch = base64.b64encode(fetched("payloads/1")).decode()
    lines = printed(*command, str(directory / "items.json"), fetch, cwd=ROOT).split()
    assert [base64.b64decode(line) for line in lines] == [item["body"] for item in chosen]


def printed(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
