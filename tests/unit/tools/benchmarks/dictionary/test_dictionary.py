from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from storage import dictionary, zstd
from storage.dictionary import D1
from storage.payload import encode_payload
from tests.unit.tools.fakes import FakeS3, pipeline
from tools.benchmarks.dictionary import events, training
from tools.benchmarks.dictionary.__main__ import main
from tools.benchmarks.dictionary.from_contract import make_dictionary
from tools.benchmarks.fixtures import generate_bodies
from tools.core.errors import ToolError

DATA = Path(__file__).parents[4] / "data"
# Events that the producer did not make, from twenty other shops.
HELD_OUT = DATA / "held_out_events.jsonl"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the dictionaries, so that a test adds none to the checkout."""
    copy = tmp_path / "dictionaries"
    copy.mkdir()
    for path in dictionary.DIRECTORY.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(dictionary, "DIRECTORY", copy)
    dictionary.numbered.cache_clear()
    yield copy
    dictionary.numbered.cache_clear()


def write_events(tmp_path: Path, count: int = 600) -> str:
    file = tmp_path / "events.jsonl"
    file.write_text("".join(f"{body}\n\n" for body in islice(generate_bodies(1), count)))
    return str(file)


def test_the_shipped_dictionary_is_made_from_the_contract() -> None:
    """The contract is the one of that time, and zstd the version that made it."""
    if zstd.version() != "1.5.7":
        pytest.skip(f"zstd {zstd.version()} makes other tables than 1.5.7")
    schema = json.loads((DATA / "contract-2.0.0.schema.json").read_text())
    assert training.numbered(make_dictionary(schema), 2) == dictionary.numbered()[2].read_bytes()


def test_it_packs_events_of_other_shops_no_worse_than_zlib_did() -> None:
    bodies = HELD_OUT.read_bytes().splitlines()

    def zlib_size(body: bytes) -> int:
        compressor = zlib.compressobj(6, zlib.DEFLATED, 14, 6, zdict=D1)
        return len(compressor.compress(body) + compressor.flush())

    packed = sum(len(encode_payload(body).data) for body in bodies)
    assert packed <= sum(map(zlib_size, bodies))


def test_a_dictionary_of_the_users_events_is_added_as_the_next(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main({"FROM": write_events(tmp_path)}) == 0
    printed = capsys.readouterr().out
    assert "trained on 300 events, compared on 300 others" in printed
    assert "USD per million events" in printed
    (added,) = directory.glob("d3-*.zdict")
    assert added.name in printed
    body = next(generate_bodies(1)).encode()
    packed = zstd.compressor(3, zstd.load_dictionary(added.read_bytes()))(body)
    assert len(packed) < 0.35 * len(body)
    assert zstd.decompress(packed, len(body), zstd.load_dictionary(added.read_bytes())) == body


def test_a_dictionary_that_saves_nothing_is_not_added(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = dictionary.numbered()[2].read_bytes()
    monkeypatch.setattr("tools.benchmarks.dictionary.training.train", lambda *_: shipped)
    assert main({"FROM": write_events(tmp_path)}) == 1
    assert "saves less than 5%" in capsys.readouterr().err
    assert list(directory.iterdir()) == list(dictionary.numbered().values())


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("", "FROM= is missing"),
        ("missing.jsonl", "missing.jsonl cannot be read: No such file"),
        (str(HELD_OUT), "There are 20 different events of 128 to 8,192 bytes"),
    ],
)
def test_what_cannot_be_trained_on_is_named(
    source: str, error: str, directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(directory.iterdir())
    assert main({"FROM": source}) in (1, 2)
    assert error in capsys.readouterr().err
    assert sorted(directory.iterdir()) == before


def test_a_contract_gives_one_dictionary(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main({"FROM": "contract"})
    dictionary.numbered.cache_clear()
    before = sorted(directory.iterdir())
    assert main({"FROM": "contract"}) in (1, 2)
    assert "already" in capsys.readouterr().err
    assert sorted(directory.iterdir()) == before


def test_events_that_are_not_valid_are_not_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(f'{{"row":{n},"text":"{"x" * n}"}}\n' for n in range(110, 400)))
    assert main({"FROM": str(file)}) == 1
    assert "None of these events is valid" in capsys.readouterr().err


def test_events_come_from_the_archive(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = FakeS3()
    bodies = list(islice(generate_bodies(1), 600))
    plain = [f'{{"event_id":"x","event":{body}}}' for body in bodies[:300]]
    exact = [
        f'{{"event_id":"x","body_base64":"{b64encode(body.encode()).decode()}","event":{{}}}}'
        for body in bodies[300:]
    ]
    for number, lines in enumerate((plain, exact, ["no JSON"])):
        key = f"events/type=order/dt=2026-11-22/hour=14/{number}.json.gz"
        s3.objects[key] = gzip.compress("\n".join(lines).encode())
    s3.objects["events/type=order/dt=2026-11-22/hour=14/damaged.json.gz"] = b"no gzip"
    resources = pipeline(archive=True, s3=s3)
    assert sorted(events.of_archive(resources)) == sorted(body.encode() for body in bodies)
    monkeypatch.setattr("tools.core.resources.Resources.find", lambda: resources)
    assert main({"FROM": "archive"}) == 0
    assert len(list(directory.glob("d3-*.zdict"))) == 1


def test_a_pipeline_without_an_archive_is_told_so() -> None:
    with pytest.raises(ToolError, match="has no archive"):
        events.of_archive(pipeline(archive=False))
