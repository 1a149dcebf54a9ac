from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from dashboards.screenshot import export_svg
from tests.unit.dashboards.builders import state

SVG = "{http://www.w3.org/2000/svg}"


def test_the_screenshot_is_svg_with_every_panel(tmp_path: Path) -> None:
    path = tmp_path / "top.svg"
    export_svg(state(), path)
    texts = [element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")]
    text = "\n".join(texts).replace("\N{NO-BREAK SPACE}", " ")
    for title in ("Queue", "Throughput", "Lambda", "DynamoDB", "Alerts", "Alarms"):
        assert title in text


def test_no_text_begins_or_ends_with_spaces(tmp_path: Path) -> None:
    path = tmp_path / "top.svg"
    export_svg(state(), path)
    texts = [element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")]
    assert [text for text in texts if text != text.strip("\N{NO-BREAK SPACE}")] == []


def test_the_same_frame_gives_the_same_screenshot(tmp_path: Path) -> None:
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    export_svg(state(), first)
    export_svg(state(), second)
    assert first.read_bytes() == second.read_bytes()
