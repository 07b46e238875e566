"""Two plots as SVG, drawn by hand: what grows with the watchers, and what with the books."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

WIDTH, HEIGHT = 720, 380
LEFT, RIGHT, TOP, BOTTOM = 64, 200, 44, 48
COLOURS = ("#0a6a70", "#b3541e", "#5b4b9a", "#11693a", "#8a1538", "#555555")

Points = Sequence[tuple[float, float]]


def draw(path: Path, title: str, across: str, lines: Mapping[str, Points]) -> None:
    """Write a plot with both axes logarithmic; every line is named at its end."""
    every = [point for points in lines.values() for point in points]
    left, right = (math.log10(edge(x for x, _ in every)) for edge in (min, max))
    low = math.floor(math.log10(min(y for _, y in every)))
    high = max(math.ceil(math.log10(max(y for _, y in every))), low + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        share = (math.log10(x) - left) / (right - left) if right > left else 0.5
        height = (math.log10(y) - low) / (high - low)
        inner = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
        return LEFT + share * inner[0], HEIGHT - BOTTOM - height * inner[1]

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif" font-size="13">',
        f'<path fill="#fff" d="M0 0h{WIDTH}v{HEIGHT}H0z"/>',
        f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>',
    ]
    for power in range(low, high + 1):
        _, y = place(every[0][0], 10**power)
        parts.append(f'<path stroke="#ddd" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**power:g}</text>')
    for each in sorted({x for x, _ in every}):
        x, _ = place(each, 10**low)
        parts.append(
            f'<text x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{each:,.0f}</text>'
        )
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}">{escape(across)}</text>')
    below = 0.0
    ends = sorted(lines.items(), key=lambda line: place(*line[1][-1])[1])
    for number, (name, points) in enumerate(ends):
        colour = COLOURS[number % len(COLOURS)]
        placed = [place(x, y) for x, y in points]
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in placed)
        parts.append(f'<path fill="none" stroke="{colour}" stroke-width="2" d="M{way}"/>')
        x, y = placed[-1]
        below = max(y, below + 16)
        parts.append(
            f'<text x="{x + 8:.1f}" y="{below + 4:.1f}" fill="{colour}">{escape(name)}</text>'
        )
    path.write_text("\n".join((*parts, "</svg>")) + "\n", encoding="utf-8")
