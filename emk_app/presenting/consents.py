"""The holder's consent in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emk_app.domain.applications import TrackingNumber
from emk_app.domain.consent import CURRENT, ConsentChannel
from emk_app.presenting.formats import counted, moment, plural
from emk_app.presenting.texts import Label
from emk_app.services.consenting import ConsentRecord, ConsentView, Consequences

CHANNELS: Final = {
    ConsentChannel.SCREEN: "на сайте",
    ConsentChannel.PAPER: "на сайте, скан бумаги приложен",
}

GIVEN: Final = Label("Действует", "success")
OUTDATED: Final = Label("Текст изменился", "waiting")
WITHDRAWN: Final = Label("Отозвано", "danger")
NONE: Final = Label("Не дано")

STAYS: Final = (
    "Записи о пройденных осмотрах, заключения комиссии и уже оформленная книжка останутся: "
    "хранить их велит закон. Вы сможете читать и скачивать книжку, но показать её по новой "
    "ссылке получится, только если дать согласие снова."
)
ERASED: Final = (
    "Сканы всех документов и данные заявок, по которым осмотр не начат, будут уничтожены. "
    "Подать новую заявку на основе прежней не получится."
)
AGAIN: Final = "Чтобы подать новую заявку, нужно будет снова прочитать текст и согласиться."


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """One consent of the list."""

    version: str
    given: str
    channel: str
    number: str
    href: str
    """Of the application it was given with; empty for none."""
    status: str
    tone: str


@dataclass(frozen=True, slots=True)
class ConsentCard:
    """How the consent stands."""

    status: str = ""
    tone: str = "neutral"
    text: str = ""
    may_give: bool = False
    may_withdraw: bool = False


def card(view: ConsentView) -> ConsentCard:
    """Say how the consent stands and what may be done about it."""
    if view.is_given and not view.is_outdated:
        newest = next(row for row in view.records if row.version == CURRENT.version)
        text = f"Вы согласились с действующим текстом {moment(newest.given_at)}."
        return ConsentCard(GIVEN.text, GIVEN.tone, text, may_withdraw=True)
    if view.is_given:
        return ConsentCard(
            OUTDATED.text,
            OUTDATED.tone,
            "Вы согласились с прежним текстом, и то согласие действует. Новый прочитайте, когда "
            "будете подавать следующую заявку, или согласитесь с ним сейчас.",
            may_give=True,
            may_withdraw=True,
        )
    if view.records and view.records[0].withdrawn_at is not None:
        return ConsentCard(
            WITHDRAWN.text,
            WITHDRAWN.tone,
            f"Вы отозвали согласие {moment(view.records[0].withdrawn_at)}. Заявку не подать и "
            "книжку не показать, пока вы не дадите его снова.",
            may_give=True,
        )
    return ConsentCard(
        NONE.text, NONE.tone, "Согласие понадобится на последнем шаге заявки, перед отправкой."
    )


def record_rows(view: ConsentView) -> list[ConsentRow]:
    """Return everything agreed to, newest first."""
    return [_row(record) for record in view.records]


def consequences(found: Consequences) -> list[str]:
    """Say what taking the consent back would do now, the gravest first."""
    said: list[str] = []
    if found.closed:
        word = plural(len(found.closed), "закроется заявка", "закроются заявки", "закроются заявки")
        them = plural(len(found.closed), "её", "их", "их")
        said.append(f"Сразу {word} {_listed(found.closed)}. Вернуть {them} будет нельзя.")
    if found.begun:
        word = plural(len(found.begun), "заявке", "заявкам", "заявкам")
        said.append(
            f"По {word} {_listed(found.begun)} осмотр уже начат: он прекратится, а записи "
            "медорганизации о нём останутся у неё."
        )
    if found.has_draft:
        said.append("Черновик заявки будет удалён вместе со всем, что вы заполнили и приложили.")
    if found.links:
        word = counted(found.links, "ссылка", "ссылки", "ссылок")
        stop = plural(found.links, "перестанет", "перестанут", "перестанут")
        said.append(f"{word} на книжку {stop} открываться, QR-коды тоже.")
    if found.records:
        said.append(
            "Врачи перестанут видеть вашу книжку, коды для них и ссылки для передачи в другие "
            "организации закроются."
        )
    return [*said, ERASED, STAYS, AGAIN]


def _row(record: ConsentRecord) -> ConsentRow:
    withdrawn = record.withdrawn_at
    return ConsentRow(
        version=record.version,
        given=moment(record.given_at),
        channel=CHANNELS[record.channel],
        number=record.number.shown if record.number else "",
        href=f"/cabinet/applications/{record.number.slug}" if record.number else "",
        status=f"отозвано {moment(withdrawn)}" if withdrawn else "действует",
        tone="danger" if withdrawn else "success",
    )


def _listed(numbers: tuple[TrackingNumber, ...]) -> str:
    return ", ".join(number.shown for number in numbers)
