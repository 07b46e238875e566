"""Pictures of made-up papers, marked as such, for the demo and for whoever tries the form out."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import Final

import typst
from PIL import Image

from emk_app.domain import mrz
from emk_app.domain.documents import ScanKind
from emk_app.domain.passports import Passport
from emk_app.domain.people import FullName, Sex

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

SPREAD: Final = """
#let said(name) = text(sys.inputs.at(name, default: ""))
#set page(width: 125mm, height: 176mm, margin: 0mm, fill: rgb("#f3e4dd"))
#set text(font: "Libertinus Serif", size: 11pt, lang: "ru", fill: rgb("#1d1d24"))
#let small(body) = text(size: 7pt, fill: rgb("#8f2d3a"), body)
#place(top + center, dy: 6mm, text(size: 13pt, fill: rgb("#8f2d3a"), [РОССИЙСКАЯ ФЕДЕРАЦИЯ]))
#place(center + horizon, rotate(-40deg,
  text(size: 60pt, fill: rgb("#ecccc4"), weight: "bold", [ОБРАЗЕЦ])))
#place(top + left, dx: 10mm, dy: 18mm, block(width: 105mm, [
  #small[Паспорт выдан] #h(3mm) МВД ПО Г. МОСКВЕ #v(4mm)
  #small[Дата выдачи] #h(3mm) #said("issued") #h(8mm)
  #small[Код подразделения] #h(3mm) #said("unit")
]))
#place(top + right, dx: -2mm, dy: 40mm, rotate(90deg, reflow: true,
  text(size: 13pt, fill: rgb("#8f2d3a"), tracking: 2pt, said("number"))))
#place(top + left, dy: 88mm, line(length: 125mm, stroke: 0.4pt + rgb("#c9a79d")))
#place(top + left, dx: 8mm, dy: 98mm, rect(width: 35mm, height: 45mm, fill: rgb("#b9c3d3")))
#place(top + left, dx: 50mm, dy: 97mm, block(width: 66mm, [
  #small[Фамилия] #h(3mm) #said("last") #v(1.5mm)
  #small[Имя] #h(3mm) #said("first") #v(1.5mm)
  #small[Отчество] #h(3mm) #said("patronymic") #v(1.5mm)
  #small[Пол] #h(3mm) #said("sex") #h(4mm) #small[Дата рождения] #h(3mm) #said("born") #v(1.5mm)
  #small[Место рождения] #h(3mm) ГОР. МОСКВА
]))
#place(top + left, dx: 6.5mm, dy: 156mm,
  text(font: "DejaVu Sans Mono", size: 11.97pt, said("line0")))
#place(top + left, dx: 6.5mm, dy: 164mm,
  text(font: "DejaVu Sans Mono", size: 11.97pt, said("line1")))
"""

LOOKS: Final = {
    ScanKind.PASSPORT: ("Паспорт гражданина", "#f6e3dd", "#8f2d3a", "#ecc9c4"),
    ScanKind.POLICY: ("Полис ОМС", "#e2eef8", "#1f4f86", "#c5dbee"),
    ScanKind.STATUS_CERTIFICATE: ("Студенческий билет", "#e4efe2", "#2c5f2d", "#c6dcc3"),
    ScanKind.REPRESENTED_STATUS: ("Свидетельство о рождении", "#f3ecd9", "#6b5321", "#e2d4ac"),
}


def picture(kind: ScanKind, lines: Mapping[str, str]) -> bytes:
    """Return a colour JPEG of the paper that says ``lines``."""
    title, paper, ink, mark = LOOKS[kind]
    inputs = {"title": title, "paper": paper, "ink": ink, "mark": mark, "lines": str(len(lines))}
    for number, (term, value) in enumerate(lines.items()):
        inputs |= {f"term{number}": term, f"value{number}": value}
    return jpeg(_drawn(PAPER, inputs))


def passport(name: FullName, sex: Sex, born_on: date, passport: Passport) -> Image.Image:
    """Return the picture of a passport's main spread, its machine-readable zone included."""
    lines = mrz.encode(
        name,
        series=passport.series,
        number=passport.number,
        born_on=born_on,
        sex=sex,
        issued_on=passport.issued_on,
        unit_code=passport.unit_code,
    )
    has_zone = passport.issued_on >= mrz.ZONES_SINCE
    return _drawn(
        SPREAD,
        {
            "last": name.last.upper(),
            "first": name.first.upper(),
            "patronymic": (name.patronymic or "").upper(),
            "sex": "МУЖ." if sex is Sex.MALE else "ЖЕН.",
            "born": f"{born_on:%d.%m.%Y}",
            "issued": f"{passport.issued_on:%d.%m.%Y}",
            "unit": passport.unit,
            "number": str(passport),
            **({f"line{at}": line for at, line in enumerate(lines)} if has_zone else {}),
        },
    )


def jpeg(drawn: Image.Image, quality: int = 88) -> bytes:
    """Return the picture as a file."""
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=quality)
    return out.getvalue()


def _drawn(source: str, inputs: dict[str, str]) -> Image.Image:
    page = typst.compile(source.encode(), format="png", ppi=PIXELS_PER_INCH, sys_inputs=inputs)
    if not isinstance(page, bytes):
        raise TypeError("the picture of one page is one file")
    return Image.open(io.BytesIO(page)).convert("RGB")
