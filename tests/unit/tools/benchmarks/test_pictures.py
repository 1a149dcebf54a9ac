from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dashboards.view.screen import render
from tests.unit.dashboards.builders import state
from tools.benchmarks.docs import pictures
from tools.benchmarks.docs.pictures import TOP_SIZE, export_svg
from tools.core.errors import ToolError
from tools.core.paths import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def draw(path: Path) -> None:
    width, height = TOP_SIZE
    export_svg(render(state(), width, height), path, "make top", width, height)


def test_the_screenshot_is_svg_with_every_panel(tmp_path: Path) -> None:
    path = tmp_path / "top.svg"
    draw(path)
    texts = [element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")]
    text = "\n".join(texts).replace("\N{NO-BREAK SPACE}", " ")
    for title in ("Queue", "Throughput", "Lambda", "DynamoDB", "Alerts", "Alarms"):
        assert title in text


def test_no_text_begins_or_ends_with_spaces(tmp_path: Path) -> None:
    path = tmp_path / "top.svg"
    draw(path)
    texts = [element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")]
    assert [text for text in texts if text != text.strip("\N{NO-BREAK SPACE}")] == []


def test_the_same_frame_gives_the_same_screenshot(tmp_path: Path) -> None:
    first, second = tmp_path / "1.svg", tmp_path / "2.svg"
    draw(first)
    draw(second)
    assert first.read_bytes() == second.read_bytes()


def test_without_a_browser_it_says_what_the_reports_picture_needs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    pictures.draw_report(NotImplemented)
    assert "docs/report.png is not drawn: it needs Chromium" in capsys.readouterr().err


def test_a_stack_that_does_not_start_is_an_error_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    commands: list[str] = []

    def fail(command: list[str], *, check: bool, **_: object) -> None:
        commands.append(command[3])
        if check:
            raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(subprocess, "run", fail)
    assert pictures.main() == 1
    assert commands == ["up", "down"]
    assert capsys.readouterr().err.startswith("The pictures are not complete")
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_happen_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "_TIMEOUT", -1)
    with pytest.raises(ToolError, match="an event is stored"):
        pictures.until(lambda: False, "an event is stored")


def test_the_pictures_are_small_and_each_has_a_page() -> None:
    pages = "".join(page.read_text("utf-8") for page in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")))
    names = [path for kind in ("*.svg", "*.png") for path in (ROOT / "docs").glob(kind)]
    assert {path.name for path in names} >= {"top.svg", "report.png", "trace-large-order.svg"}
    assert [path.name for path in names if f"{path.name})" not in pages] == []
    assert [path.name for path in names if path.stat().st_size > 200_000] == []
