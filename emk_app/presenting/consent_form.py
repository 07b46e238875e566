"""The consent on paper: a PDF to be signed by hand, filled in or empty."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Final

import typst

from emk_app.domain.consent import CURRENT, ConsentText
from emk_app.domain.intake import Field
from emk_app.domain.passports import IdentityKind
from emk_app.presenting.applications import IDENTITY_KINDS, shown

FIELDS: Final = (
    ("Фамилия, имя, отчество", "name"),
    ("Дата рождения", "born"),
    ("Адрес регистрации", "address"),
    ("Документ, удостоверяющий личность", "document"),
    ("Телефон", "phone"),
)
"""What 152-ФЗ, art. 9 p. 4 wants named of the person: the label, and the key of the value."""

# Values come in as inputs and are set as text, so that nothing in them is markup. The fonts are
# those inside typst itself, and every PDF carries its own: no machine has to have any.
_FORM: Final = """
#let given = json(bytes(sys.inputs.given))
#set document(title: given.title)
#set page(paper: "a4", margin: (x: 22mm, top: 18mm, bottom: 18mm), footer: context {
  set text(size: 9pt)
  grid(columns: (1fr, auto), [Версия текста: #given.version],
    [Страница #counter(page).display() из #counter(page).final().first()])
})
#set text(font: "Libertinus Serif", size: 11.5pt, lang: "ru")
#set par(justify: true, leading: 0.62em)
#show heading.where(level: 1): it => align(center, block(below: 5mm, text(size: 15pt, it.body)))
#show heading.where(level: 2): it => block(above: 4.5mm, below: 2.2mm, text(size: 11.5pt, it.body))
= #given.title
#let blank = box(width: 1fr, line(length: 100%, stroke: 0.5pt))
#for (label, value) in given.person {
  block(above: 3mm, below: 3mm, if value == "" [#label: #blank] else [#label: *#value*])
}
#for (heading, body) in given.sections {
  [== #heading]
  par(body)
}
#v(8mm)
#block(breakable: false)[
  Я прочитал(а) и понимаю этот текст.
  #v(9mm)
  #grid(columns: (1fr, 1fr), column-gutter: 12mm, [Дата: #blank], [Подпись: #blank])
  #v(9mm)
  Фамилия и инициалы: #blank
]
"""


@cache
def blank() -> bytes:
    """Return the empty form of the present text."""
    return pdf(CURRENT)


def filled(form: Mapping[str, str]) -> bytes:
    """Return the form of the present text with what an application's ``form`` says so far."""

    def said(*fields: Field) -> list[str]:
        typed = {field: form.get(field, "").strip() for field in fields}
        return [shown(field, text) for field, text in typed.items() if text]

    def document() -> str:
        kind = form.get(Field.IDENTITY_KIND) or IdentityKind.PASSPORT
        number = said(Field.PASSPORT_SERIES, Field.PASSPORT_NUMBER)
        if kind != IdentityKind.PASSPORT:
            number = said(Field.IDENTITY_NUMBER)
        if not number or kind not in IdentityKind._value2member_map_:
            return ""
        words = [IDENTITY_KINDS[IdentityKind(kind)], *number]
        if kind == IdentityKind.PASSPORT:
            words += [f"выдан {day}" for day in said(Field.PASSPORT_ISSUED_ON)]
            words += [f"код подразделения {unit}" for unit in said(Field.PASSPORT_UNIT)]
        return ", ".join([" ".join(words[: 1 + len(number)]), *words[1 + len(number) :]])

    person = {
        "name": " ".join(said(Field.LAST_NAME, Field.FIRST_NAME, Field.PATRONYMIC)),
        "born": " ".join(said(Field.BIRTH_DATE)),
        "address": ", ".join(said(Field.POSTAL_INDEX, Field.ADDRESS)),
        "document": document(),
        "phone": " ".join(said(Field.PHONE)),
    }
    return pdf(CURRENT, person)


def pdf(text: ConsentText, person: Mapping[str, str] | None = None) -> bytes:
    """Return the form of ``text`` as an accessible PDF (PDF/UA-1).

    ``person`` maps the keys of ``FIELDS`` to what is written in; what is absent or empty, and
    everything where there is no person, is a line to write on.
    """
    known = person or {}
    given = {
        "title": text.title,
        "version": text.version,
        "sections": text.sections,
        "person": [(label, known.get(key, "")) for label, key in FIELDS],
    }
    made = typst.compile(
        _FORM.encode(),
        format="pdf",
        font_paths=typst.Fonts(include_system_fonts=False),
        sys_inputs={"given": json.dumps(given, ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )
    if not isinstance(made, bytes):
        raise TypeError("a PDF is one file")
    return made
