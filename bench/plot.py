"""A bar for each contestant's CPU, as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_TOP, _STEP, _LEFT, _LONGEST = 40, 28, 240, 420


def plot(rows: Sequence[Mapping[str, Any]]) -> str:
    """Draw the rows in their order; ours are blue."""
    most = max(row["cpu"] for row in rows)
    bars = "".join(_bar(row, _TOP + number * _STEP, row["cpu"] / most) for number, row in enumerate(rows))
    height = _TOP + 10 + _STEP * len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="730" height="{height}" '
        'font-family="sans-serif" font-size="13">'
        f'<rect width="730" height="{height}" fill="white"/>'
        f'<text x="10" y="22">CPU microseconds of the whole server per request, median</text>{bars}</svg>\n'
    )


def _bar(row: Mapping[str, Any], y: int, share: float) -> str:
    length = _LONGEST * share
    colour = "#2a6f97" if row["title"].startswith("ours") else "#b0b7bd"
    return (
        f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(row["title"])}</text>'
        f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="20" fill="{colour}"/>'
        f'<text x="{_LEFT + 6 + length:.1f}" y="{y + 15}">{row["cpu"]:.0f}</text>'
    )
