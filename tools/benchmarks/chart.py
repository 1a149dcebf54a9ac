"""Draw bar charts as SVG that is readable on light and on dark pages."""

from collections.abc import Mapping
from html import escape

_WIDTH, _LABEL, _VALUE = 760, 190, 150
_BAR, _GAP, _GROUP = 16, 6, 34
# The Okabe-Ito palette, which colour-blind people can distinguish. Each bar also has a label.
_COLORS = ("#0072B2", "#E69F00", "#CC79A7", "#999999")
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.t{font-size:15px;font-weight:600}.g{font-weight:600}"
    ".e{stroke:#24292f;stroke-width:1.5}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.e{stroke:#e6edf3}}"
)


Spread = Mapping[str, float]
"""What `measure.spread` returns: a median with the lowest and the highest round."""


def draw_bars(title: str, unit: str, groups: Mapping[str, Mapping[str, Spread]]) -> str:
    """Return a chart with a group of labelled bars for each heading. Each group has its own scale."""
    parts: list[str] = []
    y = 30
    for heading, group in groups.items():
        parts.append(f'<text class="g" x="0" y="{y + 18}">{escape(heading)}</text>')
        y += 28
        scale = (_WIDTH - _LABEL - _VALUE) / (max(bar["high"] for bar in group.values()) or 1)
        for index, (label, bar) in enumerate(group.items()):
            parts.append(_bar(label, bar, unit, y, scale, _COLORS[index % 4]))
            y += _BAR + _GAP
        y += _GROUP - 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y + 4}" role="img">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style>"
        f'<text class="t" x="0" y="18">{escape(title)}</text>{"".join(parts)}</svg>\n'
    )


def _bar(label: str, bar: Spread, unit: str, y: int, scale: float, color: str) -> str:
    middle = y + _BAR / 2
    value = bar["median"]
    low, high = _LABEL + bar["low"] * scale, _LABEL + bar["high"] * scale
    end = max(high, _LABEL + value * scale)
    return (
        f'<text x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(label)}</text>'
        f'<rect x="{_LABEL}" y="{y}" width="{value * scale:.1f}" height="{_BAR}" fill="{color}"/>'
        f'<line class="e" x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}"/>'
        f'<text x="{end + 8:.1f}" y="{y + 13}">{format_number(value)} {escape(unit)}</text>'
    )


def format_number(value: float) -> str:
    """Return a number with three significant digits."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
