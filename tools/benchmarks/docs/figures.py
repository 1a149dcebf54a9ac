"""Writes measured and computed figures into the pages, between their markers (`make bench`, `make cost`)."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping

from tools.benchmarks import pages as benchmark_pages
from tools.benchmarks.cost import page as cost_page
from tools.core.paths import ROOT

DOCS = ROOT / "docs"


PAGES: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "benchmarks.md": benchmark_pages.sections,
    "cost-and-scale.md": cost_page.sections,
}


def filled(text: str, sections: Mapping[str, str]) -> str:
    """A page with each part between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` made anew.

    Raises KeyError for a marker that names no section.
    """
    marked = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
    return marked.sub(lambda found: f"{found[1]}{sections[found[2]]}\n{found[3]}", text)


def main() -> None:
    """Write the pages."""
    for name, sections in PAGES.items():
        path = DOCS / name
        path.write_text(filled(path.read_text("utf-8"), sections()), "utf-8")
        sys.stdout.write(f"wrote docs/{name}\n")


if __name__ == "__main__":
    main()
