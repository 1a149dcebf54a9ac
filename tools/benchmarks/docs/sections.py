"""Write measured and computed values into docs/, between the markers of their pages."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping

from tools.benchmarks import pages as benchmark_pages
from tools.benchmarks.cost import page as cost_page
from tools.benchmarks.docs import consumers
from tools.core.paths import ROOT

DOCS = ROOT / "docs"
PAGES: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "benchmarks.md": benchmark_pages.sections,
    "consumers.md": consumers.sections,
    "cost-and-scale.md": cost_page.sections,
}


def fill_sections(text: str, sections: Mapping[str, str]) -> str:
    """Replace the text between each ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` of a page.

    Raises KeyError for a marker without a section.
    """
    markers = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
    return markers.sub(lambda match: f"{match[1]}{sections[match[2]]}\n{match[3]}", text)


def main() -> None:
    """Write all pages."""
    consumers.write_dictionary()
    for name, sections in PAGES.items():
        path = DOCS / name
        path.write_text(fill_sections(path.read_text("utf-8"), sections()), "utf-8")
        sys.stdout.write(f"wrote docs/{name}\n")


if __name__ == "__main__":
    main()
