"""Pictures of made-up papers, marked as such, for the demo and for whoever tries the form out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final

import typst
from PIL import Image

from emk_app.domain.documents import ScanKind

PIXELS_PER_INCH: Final = 190

# Values come in as inputs and are set as text, so that nothing in them is markup.
PAPER: Final = """
#let said(name) = text(sys.inputs.at(name, default: ""))
#set page(width: 176mm, height: 125mm, margin: 12mm, fill: rgb(sys.inputs.paper))
#set text(font: "Libertinus Serif", size: 13pt, lang: "ru")
#place(center + horizon, rotate(-24deg,
  text(size: 64pt, fill: rgb(sys.inputs.mark), weight: "bold", [ОБРАЗЕЦ])))
#text(size: 19pt, weight: "bold", fill: rgb(sys.inputs.ink), said("title"))
#v(6mm)
#grid(columns: (42mm, 1fr), row-gutter: 5mm,
  ..range(int(sys.inputs.lines)).map(n => (
    text(fill: rgb(sys.inputs.ink), said("term" + str(n))),
    text(weight: "bold", said("value" + str(n))),
  )).flatten())
#place(bottom + right, rect(width: 34mm, height: 44mm, fill: rgb("#b9d3c6"), stroke: 1pt))
"""

LOOKS: Final = {
    ScanKind.PASSPORT: ("Паспорт гражданина", "#f6e3dd", "#8f2d3a", "#ecc9c4"),
    ScanKind.POLICY: ("Полис ОМС", "#e2eef8", "#1f4f86", "#c5dbee"),
}


def picture(kind: ScanKind, lines: Mapping[str, str]) -> bytes:
    """Return a colour JPEG of the paper that says ``lines``."""
    title, paper, ink, mark = LOOKS[kind]
    inputs = {"title": title, "paper": paper, "ink": ink, "mark": mark, "lines": str(len(lines))}
    for number, (term, value) in enumerate(lines.items()):
        inputs |= {f"term{number}": term, f"value{number}": value}
    drawn = typst.compile(PAPER.encode(), format="png", ppi=PIXELS_PER_INCH, sys_inputs=inputs)
    if not isinstance(drawn, bytes):
        raise TypeError("the picture of one page is one file")
    out = io.BytesIO()
    Image.open(io.BytesIO(drawn)).convert("RGB").save(out, "JPEG", quality=88)
    return out.getvalue()
