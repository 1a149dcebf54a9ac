"""``make docs``: write the generated files, and the generated sections between the markers of pages."""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from storage.dictionary import D1
from tools.analytics.views import VIEWS
from tools.benchmarks import pages as benchmarks
from tools.benchmarks.cost import page as cost
from tools.benchmarks.docs import asyncapi, consumers, contract, schemas, terraform, vectors
from tools.core.paths import ROOT

# What `make bench` measures, and what follows from it.
MEASURED = ("docs/benchmarks.md", "docs/cost-and-scale.md")


def fill_sections(name: str, sections: Callable[[], Mapping[str, str]]) -> str:
    """Return a page with the text between each ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` replaced.

    Raises KeyError for a marker without a section, and for a section without a marker.
    """
    unused = dict(sections())
    markers = re.compile(r"(<!-- begin (\w+) -->\n).*?(<!-- end \2 -->)", re.DOTALL)
    text = markers.sub(
        lambda match: f"{match[1]}{unused.pop(match[2])}\n{match[3]}", (ROOT / name).read_text("utf-8")
    )
    if unused:
        raise KeyError(f"{name} has no markers for {', '.join(unused)}")
    return text


# How to make each file, by its path from the root.
FILES: Mapping[str, Callable[[], str]] = {
    "docs/contract.md": contract.render,
    "docs/asyncapi.yaml": asyncapi.render,
    "docs/schemas/event-types.schema.json": lambda: schemas.render(schemas.event_types()),
    "docs/schemas/archive-lines.schema.json": lambda: schemas.render(schemas.archive_lines()),
    # zlib's dictionary as a file, which other languages can read.
    "docs/schemas/zlib-d1.dictionary": lambda: D1.decode("ascii"),
    "tests/data/contract_vectors.json": vectors.render,
    **{
        name: partial(fill_sections, name, sections)
        for name, sections in {
            "docs/benchmarks.md": benchmarks.sections,
            "docs/consumers.md": consumers.sections,
            "docs/cost-and-scale.md": cost.sections,
            "terraform/README.md": terraform.sections,
        }.items()
    },
    **{f"tools/analytics/views/{name}.sql": view.sql for name, view in VIEWS.items()},
}


def write(names: Iterable[str] = FILES) -> None:
    """Write generated files, all by default."""
    for name in names:
        (ROOT / name).write_text(FILES[name](), encoding="utf-8")
        sys.stdout.write(f"wrote {name}\n")


if __name__ == "__main__":
    write()
