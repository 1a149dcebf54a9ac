"""Everybody can read the page of `make report`: with a keyboard, a screen reader, little colour, on paper."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from itertools import combinations
from pathlib import Path

import pytest

from tests.unit.tools.analytics.archive_files import event_line, object_key, rejected_line, write_object
from tools.analytics.archive import SyncResult
from tools.analytics.database import open_archive
from tools.analytics.report import Source, render_report
from tools.core.archive_range import ArchiveRange
from tools.core.paths import ROOT

# Five hours after the newest event.
NOW = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)
CSS = (ROOT / "tools" / "analytics" / "report.css").read_text("utf-8")
AXE = ROOT / ".cache" / "axe" / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
RUN_AXE = """axe.run().then(found => { document.body.textContent = "FOUND" + JSON.stringify(
found.violations.map(each => [each.id, each.nodes.map(node => node.html)])) + "END" })"""


@pytest.fixture
def page(tmp_path: Path) -> str:
    """The page of an archive that got its last event at 14 h, and was made at 19:12."""
    orders = [
        event_line("{}", event_id=f"e-{n}", amount="1234.5", currency="EUR", large_order=True)
        for n in range(3)
    ]
    write_object(tmp_path, object_key("order"), *orders)
    write_object(
        tmp_path, object_key("payment"), event_line('{"method":"card","status":"failed"}', amount="1")
    )
    write_object(tmp_path, object_key("activity"), event_line('{"action":"search","session_id":"s"}'))
    write_object(tmp_path, object_key("invalid_event"), rejected_line("{"))
    selected = ArchiveRange.read("1d", None, NOW)
    with open_archive(tmp_path, selected) as database:
        source = Source("rt-pipeline-local", "an emulator", selected, NOW)
        return render_report(database, SyncResult(tmp_path, (), 0), source)


def test_title_and_heading_name_the_environment_and_the_time_up_to_when_it_was_made(page: str) -> None:
    title = "rt-pipeline-local, 2026-11-21 19:12 to 2026-11-22 19:12 UTC"
    assert f"<title>{title}</title>" in page
    assert f"<h1>{title}</h1>" in page


def test_an_outage_until_now_is_a_gap_at_the_end_of_every_chart(page: str) -> None:
    plots = re.findall(r'<svg [^>]*role="img".*?</svg>', page)
    assert len(plots) == 3
    for plot in plots:
        assert "2026-11-22 15:00 UTC, 5 h without any" in plot
        assert "2026-11-22 08:00 to 2026-11-22 19:12 UTC, at most" in plot


def test_the_policy_admits_the_pages_own_style_and_nothing_else(page: str) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert f"style-src 'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert policy.startswith("default-src 'none'; ")
    # It would refuse the style of an element, and the bars would have no length.
    assert ' style="' not in page


def test_tables_have_captions_and_scopes_and_what_scrolls_has_a_name_and_the_focus(page: str) -> None:
    tables = page.count("<table>")
    assert tables == page.count("<caption>") == 5
    assert "<th>" not in page
    regions = re.findall(r'tabindex="0" role="region" aria-label="([^"]+)"', page)
    assert len(regions) == len(set(regions)) == 2 * tables


def test_what_is_drawn_keeps_its_colors_in_print_and_in_forced_colors() -> None:
    assert re.search(r"\bsvg\{print-color-adjust:exact;[^}]*forced-color-adjust:none\}", CSS)
    # Folded content is not printed, so tables scroll on the screen and are whole on paper.
    assert ".wide{overflow:visible;max-height:none}" in CSS


def _luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(2 * digit for digit in color[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(colors: Iterable[str]) -> float:
    dark, light = sorted(map(_luminance, colors))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", re.findall(r":root\{([^}]*)\}", CSS), ids=["light", "dark"])
def test_bars_differ_from_the_background_and_from_each_other(theme: str) -> None:
    colors = dict(re.findall(r"--(\w+):(#\w+)", theme))
    series = [colors[name] for name in colors if re.fullmatch(r"s\d", name)]
    for color in (*series, colors["soft"]):
        assert _contrast((color, colors["card"])) >= 3
        assert _contrast((color, colors["gap"])) >= 3
    assert all(one != other for one, other in combinations(series, 2))
    # A line in the color of the card separates neighbours of a stack.
    assert "stroke:var(--card);stroke-width:1.5px" in CSS


@pytest.mark.skipif(
    not (os.environ.get("AXE") or (CHROMIUM and AXE.exists())),
    reason="no Chromium, or no axe: npm install --prefix .cache/axe axe-core@4.14.1",
)
@pytest.mark.parametrize("width", [1280, 768, 500])
def test_axe_finds_nothing_in_chromium(page: str, width: int, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    # The policy would refuse the scripts of the test.
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    scripts = f"<script>{AXE.read_text('utf-8')}</script><script>{RUN_AXE}</script>"
    file.write_text(page.replace("</body>", f"{scripts}</body>"), "utf-8")
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"),
            *(f"--window-size={width},1000", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--virtual-time-budget=20000", file.as_uri()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    found = re.search("FOUND(.*)END", done.stdout, re.DOTALL)
    assert found, done.stderr
    assert json.loads(html.unescape(found[1])) == []
