"""The extract on paper in words: two pages whatever the book says, and nothing left out unsaid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from emk_app.crypto import qr
from emk_app.domain.books import BookContent, BookLine, BookVaccination
from emk_app.domain.numbers import Snils
from emk_app.domain.vaccinations import Dose, RecordKind
from emk_app.presenting.examinations import CONCLUSIONS
from emk_app.presenting.formats import NBSP, counted, day, moment, short_hash
from emk_app.presenting.vaccinations import DOSES, KINDS
from emk_app.services.extracts import Said
from emk_app.settings import settings
from emk_app.storage import typesetting

LINK_LABEL: Final = "Выписка на бумаге"
PAGES: Final = 2
MANY_LINES: Final = 24
# Size of the letters, blank above and below a line of a table, whether the vaccinations begin a
# page, and how many of them are printed; what is tried first looks best.
_STEPS: Final = (
    (9.5, 3.0, True, None),
    (9.0, 2.2, True, None),
    (8.5, 1.8, False, None),
    (7.8, 1.8, False, None),
    (7.0, 1.6, False, None),
    (6.4, 1.4, False, None),
    (6.4, 1.4, False, 50),
    (6.4, 1.4, False, 35),
    (6.4, 1.4, False, 20),
    (6.0, 1.2, False, 8),
    (5.2, 1.0, False, 4),
)


class DoesNotFit(Exception):
    """No way was found to set the book on two pages."""


def printed(said: Said) -> bytes:
    """Return the extract before it is signed; the same for the same version, code and moment."""
    # Each trial costs as much as the whole sheet; so many lines never go in at the largest size.
    steps = _STEPS[1:] if len(said.content.lines) > MANY_LINES else _STEPS
    for size, tight, breaks, most in steps:
        words = _words(said, most) | {"size": size, "tight": tight, "breaks": breaks}
        made, pages = typesetting.extract(words, said.made_at)
        if pages == PAGES:
            return made
        if pages < PAGES and not breaks:
            # What is short is set as two pages all the same.
            made, pages = typesetting.extract(words | {"breaks": True}, said.made_at)
            if pages == PAGES:
                return made
    raise DoesNotFit


def _words(said: Said, most: int | None) -> dict[str, Any]:
    content = said.content
    shown = content.vaccinations if most is None else content.vaccinations[:most]
    left = len(content.vaccinations) - len(shown)
    host = urlsplit(settings().origin).netloc
    short = short_hash(said.version_hash)
    return {
        "title": "Выписка из электронной медицинской книжки",
        "subtitle": f"№{NBSP}{content.number}, версия{NBSP}{content.version}",
        "issuer": "ЭМК Онлайн",
        "keywords": [content.number.shown, f"версия {content.version}", said.version_hash],
        "footer": f"Книжка №{NBSP}{content.number}, версия {content.version}, отпечаток {short}",
        "page_word": "Страница ",
        "facts": _facts(content),
        "code": qr.paper_svg(said.code, "QR-код медицинской книжки"),
        "code_alt": "QR-код: адрес, по которому видно, действует ли книжка",
        "code_words": f"Проверить: наведите камеру телефона или загрузите файл на {host}/check",
        "hash_short": short,
        "conclusion_title": "Заключение",
        "conclusion": CONCLUSIONS[content.conclusion.fitness],
        "conclusion_lines": _conclusion(content),
        "lines_title": "Осмотры, исследования и аттестация",
        "lines_head": ["Исследование", "Результат", "Дата", "Действует по"],
        "lines": [_line(each) for each in content.lines],
        "vaccinations_title": "Прививки",
        "vaccinations_head": ["Инфекция", "Дата", "Сведения", "Действует по"],
        "vaccinations": [_vaccination(each) for each in shown],
        "none_word": "Записей о прививках нет.",
        "more": (
            f"И ещё {counted(left, 'запись', 'записи', 'записей')}, полностью в личном кабинете "
            f"на {host}."
            if left
            else ""
        ),
        "check_title": "Как проверить",
        "check_lines": [
            "Наведите камеру телефона на код: страница скажет, действует ли книжка сегодня.",
            f"Файл выписки загрузите на {host}/check: страница скажет, цел ли он и наш ли.",
            "Сверьте отпечаток здесь с отпечатком на странице, а имя с паспортом.",
            "Бумага сама ничего не доказывает: книжку могли заменить или остановить позже.",
        ],
        "proof": [
            ["Отпечаток версии", said.version_hash],
            ["Версия подписана", f"{moment(said.signed_at)} по Москве"],
            ["Выписка сделана", f"{moment(said.made_at)} по Москве"],
            ["Подпись", "электронная подпись ЭМК Онлайн внутри файла (PAdES), изменять нельзя"],
        ],
    }


def _facts(content: BookContent) -> list[list[str]]:
    return [
        ["Владелец", str(content.holder)],
        ["Дата рождения", day(content.born_on)],
        ["СНИЛС", str(Snils(content.snils))],
        ["Срок действия", f"{day(content.issued_on)} – {day(content.valid_until)} включительно"],
        ["Профессия", content.occupation.name],
        ["Работа", content.work],
    ]


def _conclusion(content: BookContent) -> list[str]:
    conclusion, attestation = content.conclusion, content.attestation
    lines = [
        f"Ограничения: {conclusion.restrictions}" if conclusion.restrictions else "",
        f"До {day(conclusion.until)}" if conclusion.until else "",
        conclusion.note,
        f"{content.clinic_name} (ОИД {content.clinic_oid}), {day(content.concluded_on)}, "
        f"председатель комиссии {content.chair_name}",
        f"Гигиеническая аттестация: {day(attestation.performed_on)}, {_until(attestation)}"
        if attestation
        else "Гигиеническая аттестация не отмечена",
    ]
    return [line for line in lines if line]


def _line(line: BookLine) -> list[str]:
    value = f"{line.value} {line.unit}".strip()
    return [
        line.name,
        f"{value} (отклонение)" if line.deviation else value,
        day(line.performed_on),
        day(line.valid_until) if line.valid_until else "бессрочно",
    ]


def _until(line: BookLine) -> str:
    return f"действует по {day(line.valid_until)}" if line.valid_until else "бессрочно"


def _vaccination(record: BookVaccination) -> list[str]:
    said = (
        KINDS[RecordKind(record.kind)],
        DOSES[Dose(record.dose)] if record.dose else "",
        record.vaccine,
        f"серия {record.series}" if record.series else "",
    )
    return [
        record.name,
        day(record.on),
        ", ".join(each for each in said if each),
        day(record.until) if record.until else "бессрочно",
    ]


def file_names(number: str, version: int) -> Mapping[str, str]:
    """Return the name of the file for browsers that take ASCII only, and for the others."""
    digits = number.replace("-", "")
    return {
        "plain": f"emk-{digits}-v{version}.pdf",
        "shown": f"Выписка ЭМК {number}, версия {version}.pdf",
    }
