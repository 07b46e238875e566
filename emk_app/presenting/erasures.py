"""The act of destruction and the extract of the log (Приказ Роскомнадзора № 179), in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

import typst

from emk_app.domain.erasure import KEEPINGS, ErasureState, Ground, Kept
from emk_app.presenting.formats import counted, day, moment
from emk_app.presenting.texts import Label
from emk_app.services.erasing import ErasureView
from emk_app.settings import settings

SYSTEM_NAME: Final = "ЭМК Онлайн"
METHOD: Final = (
    "Удаление записей и файлов средствами информационной системы; ключ шифрования уничтожен, "
    "поэтому копии записей прочесть нельзя"
)
METHOD_WITH_KEPT: Final = (
    "Удаление записей и файлов средствами информационной системы; ключ шифрования хранится "
    "только ради медицинских документов и будет уничтожен вместе с ними"
)
GROUNDS: Final = {
    Ground.WISH: "Требование субъекта персональных данных (152-ФЗ, ст. 14, ч. 1; ст. 21, ч. 5)",
    Ground.ORDER: "Письменное требование субъекта или предписание (152-ФЗ, ст. 21)",
    Ground.REPLAY: "Повторное уничтожение после восстановления из резервной копии",
}
STATES: Final = {
    ErasureState.ASKED: Label("ждёт срока", "waiting"),
    ErasureState.CANCELLED: Label("отменено владельцем"),
    ErasureState.DONE: Label("выполнено", "success"),
}
CATEGORIES: Final[Mapping[str, str]] = {
    "logins": "Имена для входа: телефон, почта, ИНН",
    "recovery_codes": "Средства входа",
    "sessions": "Сведения о сеансах и устройствах",
    "doorsteps": "Сведения о сеансах и устройствах",
    "notices": "Уведомления",
    "notice_choices": "Уведомления",
    "outbox": "Уведомления",
    "applications": "Анкета: имя, дата рождения, СНИЛС, документ, полис, адрес, контакты",
    "status_changes": "История заявок",
    "scans": "Сканы документов",
    "esignatures": "Электронная подпись под заявкой",
    "check_results": "Результаты автоматических проверок",
    "reversals": "Переписка операторов о заявке",
    "visits": "Записи на приём",
    "seats": "Записи на приём",
    "examinations": "Сведения о незавершённых осмотрах",
    "examination_entries": "Сведения о незавершённых осмотрах",
    "further_studies": "Сведения о незавершённых осмотрах",
    "examination_attachments": "Сведения о незавершённых осмотрах",
    "vaccination_records": "Сведения о прививках",
    "identity_changes": "Обращения об изменении имени или даты рождения",
    "looks": "Просмотры по ссылкам",
    "extracts": "Выписки",
    "book_orders": "Переписка операторов о книжке",
    "record_grants": "Сведения о доступе врачей",
    "record_readings": "Сведения о доступе врачей",
    "handovers": "Сведения о передаче данных",
    "data_exports": "Копии данных для владельца",
    "support_tickets": "Обращения в поддержку",
    "support_messages": "Обращения в поддержку",
    "support_files": "Обращения в поддержку",
    "support_codes": "Обращения в поддержку",
    "support_glasses": "Обращения в поддержку",
    "support_escalations": "Обращения в поддержку",
}
OTHER: Final = "Другие сведения об учётной записи"
ALWAYS: Final = "Учётная запись: имя, контакт, пароль, секрет второго фактора"
KEPT_NAMES: Final = {
    Kept.MEDICAL: "Подписанные медицинские документы клиники и версии книжки",
    Kept.CONSENTS: "Сведения о данных согласиях, без имени",
    Kept.ACT: "Этот акт и выгрузка из журнала",
    Kept.AUDIT: "Журнал действий, без имён и значений",
}


@dataclass(frozen=True)
class ErasureRow:
    """One wish in the administrator's list."""

    id: int
    subject: str
    asked: str
    due: str
    state: str
    tone: str
    kept: str
    pdf: str
    json: str


def row(view: ErasureView) -> ErasureRow:
    """Return one wish as shown."""
    label = STATES[view.state]
    place = f"/api/erasures/{view.id}/act"
    return ErasureRow(
        id=view.id,
        subject=view.uid,
        asked=moment(view.asked_at),
        due=moment(view.done_at or view.due_at),
        state=label.text,
        tone=label.tone,
        kept=f"до {day(view.kept_until)}" if view.kept_until else "—",
        pdf=f"{place}.pdf" if view.has_act else "",
        json=f"{place}.json" if view.has_act else "",
    )


def act(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the act in words: what points 3 and 5 of the order want named."""
    rows: Mapping[str, int] = facts["rows"]
    subject = facts["subject"]
    done_at = datetime.fromisoformat(facts["done_at"])
    names = [ALWAYS, *(CATEGORIES.get(table, OTHER) for table in rows)]
    categories = list(dict.fromkeys(names))
    numbers = [*subject["applications"], *subject["books"]]
    about = f"Псевдоним {subject['uid']}"
    if numbers:
        about += f"; заявки и книжки: {', '.join(numbers)}"
    until = date.fromisoformat(facts["kept_until"]) if facts["kept_until"] else None
    return {
        "act": facts["number"],
        "operator": settings().operator,
        "on_behalf": "",
        "subject": about,
        "categories": categories,
        "system": SYSTEM_NAME,
        "method": METHOD if facts["key_destroyed"] else METHOD_WITH_KEPT,
        "reason": GROUNDS[Ground(facts["ground"])],
        "asked_at": moment(datetime.fromisoformat(facts["asked_at"])),
        "destroyed_at": moment(done_at),
        "kept": [_kept(what, done_at.date(), until) for what in Kept if _is_kept(what, until)],
        "log": {
            "subject": about,
            "system": SYSTEM_NAME,
            "reason": GROUNDS[Ground(facts["ground"])],
            "destroyed_at": facts["done_at"],
            "lines": [
                {"category": CATEGORIES.get(table, OTHER), "records": count}
                for table, count in rows.items()
            ],
            "files": facts["files"],
            "journal_entry": facts["audit"]["id"] if facts["audit"] else None,
            "journal_digest": facts["audit"]["digest"] if facts["audit"] else "",
        },
    }


def pdf(facts: Mapping[str, Any]) -> bytes:
    """Return the act as an accessible PDF (PDF/UA-1), with lines to sign on."""
    said = act(facts)
    log = said["log"]
    given = {
        **said,
        "title": f"Акт № {said['act']} об уничтожении персональных данных",
        "facts": [
            ["Оператор, адрес", said["operator"]],
            ["Обработчик по поручению, адрес", said["on_behalf"] or "нет"],
            ["Субъект персональных данных", said["subject"]],
            ["Информационная система", said["system"]],
            ["Способ уничтожения", said["method"]],
            ["Причина уничтожения", said["reason"]],
            ["Дата требования", said["asked_at"]],
            ["Дата уничтожения", said["destroyed_at"]],
        ],
        "lines": [
            f"{line['category']}: {counted(line['records'], 'запись', 'записи', 'записей')}"
            for line in log["lines"]
        ]
        + [f"Файлы: {log['files']}"],
        "journal": f"Запись журнала № {log['journal_entry']}, отпечаток {log['journal_digest']}",
    }
    made = typst.compile(
        _ACT.encode(),
        format="pdf",
        font_paths=typst.Fonts(include_system_fonts=False),
        sys_inputs={"given": json.dumps(given, ensure_ascii=False)},
        pdf_standards=["ua-1"],
    )
    assert isinstance(made, bytes)
    return made


def _is_kept(what: Kept, until: date | None) -> bool:
    return what is not Kept.MEDICAL or until is not None


def _kept(what: Kept, done: date, until: date | None) -> str:
    keeping = KEEPINGS[what]
    if what is Kept.MEDICAL and until is not None:
        term = f"до {day(until)}"
    elif keeping.years is None:
        term = "пока работает сервис"
    else:
        term = f"{keeping.years} года со дня уничтожения"
    return f"{KEPT_NAMES[what]}: {term} ({keeping.source})"


_ACT: Final = """
#let given = json(bytes(sys.inputs.given))
#set document(title: given.title)
#set page(paper: "a4", margin: (x: 22mm, y: 18mm))
#set text(font: "Libertinus Serif", size: 11pt, lang: "ru")
#show heading.where(level: 1): it => align(center, block(below: 5mm, text(size: 14pt, it.body)))
#show heading.where(level: 2): it => block(above: 5mm, below: 2.5mm, text(size: 12pt, it.body))
#let blank = box(width: 1fr, line(length: 100%, stroke: 0.5pt))
= #given.title
#for (label, value) in given.facts {
  block(above: 2.4mm, below: 2.4mm, if value == "" [#label: #blank] else [#label: *#value*])
}
== Перечень уничтоженных персональных данных
#for each in given.categories [- #each]
== Сохранено по требованию закона
#for each in given.kept [- #each]
== Выгрузка из журнала регистрации событий
#for each in given.lines [- #each]
#given.journal
#v(10mm)
#block(breakable: false)[
  Уничтожение выполнила информационная система. Ответственное лицо:
  #v(8mm)
  #grid(columns: (1fr, 1fr), column-gutter: 12mm, [Должность: #blank], [Фамилия: #blank])
  #v(8mm)
  #grid(columns: (1fr, 1fr), column-gutter: 12mm, [Дата: #blank], [Подпись: #blank])
]
"""
