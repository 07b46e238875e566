"""«Показать врачу» and «Передать в страховую»: the holder's part, and the physician's page."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, dialogs, forms
from emk_app.components.badges import badge
from emk_app.components.forms import Choice
from emk_app.components.markup import given, some, when
from emk_app.components.qr import qr_plate
from emk_app.components.tables import Column, data_table
from emk_app.domain.disclosures import (
    HANDOVER_CONSENT,
    HANDOVER_DAYS,
    HANDOVER_TEXTS,
    RECEIVER_LIMIT,
    HandoverScope,
    Purpose,
    RecordPart,
    RecordScope,
)
from emk_app.pages import frames
from emk_app.pages.attachments import paper
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import CLINIC_MENU, RECORDS
from emk_app.pages.table import Page
from emk_app.presenting import disclosures as rows
from emk_app.states.records import ClinicRecordsState, RecordsState
from emk_app.states.session import PersonState

FACTOR_HINT: Final = "Шесть цифр. Книжку целиком открывают со свежим подтверждением."


def section() -> rx.Component:
    """Return the holder's part of the page of access."""
    return rx.cond(
        RecordsState.is_loaded,
        rx.fragment(_showing(), _handing_over()),
        cards.loading("Загружаем, кому открыта книжка…"),
    )


def _showing() -> rx.Component:
    state = RecordsState
    return cards.section(
        "Показать врачу",
        rx.el.p(
            "Врач любой клиники увидит книжку целиком, пока вы разрешаете. Назовите ему код: вы "
            "увидите, кто и что открыл, и сможете закрыть доступ в любую секунду.",
            class_name="e-prose",
        ),
        rx.el.div(rx.foreach(state.live_grants, _live_grant), class_name="grid gap-4"),
        rx.cond(
            state.code,
            cards.card(
                rx.el.div(
                    rx.el.p("Назовите врачу эти цифры или покажите QR-код."),
                    rx.el.p(
                        rx.el.b(state.code, class_name="text-4xl tracking-widest tabular-nums"),
                        custom_attrs={"translate": "no"},
                    ),
                    rx.el.p(
                        "Код подойдёт один раз, ввести его можно до ",
                        state.code_until,
                        ". Никому, кроме врача, не называйте.",
                        class_name="e-hint",
                    ),
                    cards.details(
                        "Показать QR-код", qr_plate(state.picture, alt="QR-код для врача")
                    ),
                    role="status",
                    class_name="grid gap-3",
                ),
                title="Код для врача",
                tone="waiting",
                level=3,
            ),
            cards.card(
                forms.form(
                    forms.radio_cards(
                        "Что увидит врач",
                        "scope",
                        [
                            Choice(scope.value, title, text)
                            for scope, (title, text) in rows.SCOPES.items()
                        ],
                        value=RecordScope.WHOLE.value,
                        held=False,
                    ),
                    forms.select_field(
                        "На сколько открыть",
                        "minutes",
                        rows.LENGTHS,
                        default_value=rows.DEFAULT_LENGTH,
                        hint="Время пойдёт, когда врач откроет книжку.",
                    ),
                    when(
                        state.needs_code,
                        fresh_factor(
                            "code",
                            hint=FACTOR_HINT,
                            error=state.errors["code"],
                        ),
                    ),
                    buttons.actions(
                        buttons.primary_button("Получить код", type="submit", icon="lock")
                    ),
                    on_submit=state.offer,
                ),
                level=3,
            ),
        ),
        data_table(
            ["Когда", "Кто", "Что разрешено", "Что прочитано", "Состояние"],
            state.grants,
            lambda grant: [
                grant.when,
                rx.fragment(
                    grant.who,
                    when(given(grant.clinic), rx.el.span(", ", grant.clinic)),
                ),
                grant.scope,
                _reads(grant),
                badge(grant.state, grant.tone),
            ],
            caption="Врачи, которым вы открывали книжку",
            empty=cards.empty_state(
                "Врачам книжку ещё не открывали",
                "Кто и что читал, появится здесь в ту же секунду.",
                icon_name="eye",
            ),
            key=lambda grant: grant.id.to(str),
        ),
        id="physician",
    )


def _live_grant(grant: Any) -> rx.Component:
    return cards.card(
        when(given(grant.clinic), rx.el.p(grant.clinic)),
        rx.el.p(grant.scope, " · ", grant.left, class_name="e-hint"),
        when(grant.is_open, rx.el.div(rx.el.b("Прочитано: "), _reads(grant))),
        buttons.actions(
            buttons.button(
                rx.cond(grant.is_open, "Закрыть доступ сейчас", "Отменить код"),
                RecordsState.end(grant.id),
                kind="danger",
                icon="lock",
            )
        ),
        title=grant.who,
        actions=badge(grant.state, grant.tone),
        tone=grant.tone,
        level=3,
    )


def _reads(grant: Any) -> rx.Component:
    return rx.cond(
        some(grant.reads),
        rx.el.ul(
            rx.foreach(
                grant.reads.to(list[rows.ReadRow]),
                lambda read: rx.el.li(read.what, ", ", read.at),
            )
        ),
        rx.el.span("пока ничего"),
    )


def _handing_over() -> rx.Component:
    state = RecordsState
    return cards.section(
        "Передать в страховую или другую организацию",
        rx.el.p(
            "Получатель заберёт сведения по ссылке один раз, после этого она закроется. Вы "
            "узнаете, когда это произошло.",
            class_name="e-prose",
        ),
        cards.details(
            "Новая ссылка",
            rx.el.div(
                forms.form(
                    forms.text_field(
                        "Кому",
                        "receiver",
                        hint="Например, страховая компания «Надежда», отдел выплат.",
                        error=state.errors["receiver"],
                        max_length=RECEIVER_LIMIT,
                    ),
                    forms.field_row(
                        forms.select_field(
                            "Для чего",
                            "purpose",
                            [(each.value, text) for each, text in rows.PURPOSES.items()],
                            default_value=Purpose.INSURANCE.value,
                        ),
                        forms.select_field(
                            "Сколько ждать получателя",
                            "days",
                            rows.HANDOVER_TERMS,
                            default_value=str(HANDOVER_DAYS[0]),
                            error=state.errors["days"],
                        ),
                    ),
                    forms.radio_cards(
                        "Что передать",
                        "handover_scope",
                        [
                            Choice(scope.value, title, text)
                            for scope, (title, text) in rows.HANDOVER_SCOPES.items()
                        ],
                        value=HandoverScope.VERDICT.value,
                        held=False,
                    ),
                    rx.el.blockquote(HANDOVER_TEXTS[HANDOVER_CONSENT], class_name="e-prose"),
                    forms.checkbox_field(
                        f"Согласен с этим текстом (редакция {HANDOVER_CONSENT})",
                        "consent",
                        error=state.errors["consent"],
                    ),
                    when(
                        state.handover_needs_code,
                        fresh_factor(
                            "handover_code",
                            hint=FACTOR_HINT,
                            error=state.errors["handover_code"],
                        ),
                    ),
                    buttons.actions(
                        buttons.primary_button("Сделать ссылку", type="submit", icon="share")
                    ),
                    on_submit=state.hand_over,
                ),
                key=state.form_key.to(str),
            ),
        ),
        data_table(
            ["Кому", "Для чего", "Что", "Когда", "Состояние", Column("Действия", hidden=True)],
            state.handovers,
            lambda each: [
                each.receiver,
                each.purpose,
                each.scope,
                each.when,
                badge(each.state, each.tone),
                when(each.is_waiting, _handover_actions(each)),
            ],
            caption="Ссылки для других организаций",
            empty=cards.empty_state(
                "Сведений вы ещё не передавали",
                "Здесь останется, кому и когда они переданы.",
                icon_name="share",
            ),
            key=lambda each: each.id.to(str),
        ),
        id="handover",
    )


def _handover_actions(each: Any) -> rx.Component:
    dialog = "close-handover-" + each.id.to(str)
    return rx.el.div(
        buttons.copy_button("Скопировать ссылку", each.url, done="Ссылка скопирована"),
        buttons.share_button("Отправить", each.url, title="Сведения из медкнижки"),
        dialogs.dialog_button("Закрыть ссылку", dialog, kind="quiet", icon="lock"),
        dialogs.confirm_dialog(
            dialog,
            "Закрыть ссылку?",
            "Получатель не сможет забрать сведения. Снова открыть эту ссылку нельзя.",
            confirm="Закрыть ссылку",
            on_confirm=RecordsState.close_handover(each.id),
        ),
        class_name="flex flex-wrap gap-2",
    )


def reader() -> rx.Component:
    """Return the page on which a physician enters a code and reads."""
    state = ClinicRecordsState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(
                state.is_closed_to,
                cards.empty_state(
                    "Книжки по коду открывают врачи и председатель",
                    "Попросите врача ввести код владельца.",
                    buttons.button_link("К осмотрам", "/clinic", kind="secondary"),
                    icon_name="lock",
                ),
                rx.el.div(
                    when(
                        given(state.ended),
                        cards.notice(rx.el.p(state.ended), tone="waiting", live=True),
                    ),
                    rx.cond(
                        state.record.id > 0,
                        rx.cond(state.record.is_open, _open(), _confirming()),
                        rx.fragment(_entering(), _standing()),
                    ),
                    class_name="e-body",
                ),
            ),
            cards.loading("Загружаем…"),
        ),
        title="Книжка по коду",
        menu=CLINIC_MENU,
        current=RECORDS,
    )


def _entering() -> rx.Component:
    state = ClinicRecordsState
    return cards.card(
        forms.form(
            forms.text_field(
                "Код владельца",
                "record_code",
                default_value=state.typed,
                hint="Восемь цифр, например 4821 9073. Можно навести сканер на QR-код владельца.",
                error=state.problem,
                input_mode="numeric",
                max_length=200,
                width="short",
                key=state.typed,
            ),
            when(
                state.needs_code,
                fresh_factor(
                    "factor",
                    hint=FACTOR_HINT,
                    error=state.code_problem,
                ),
            ),
            buttons.actions(buttons.primary_button("Найти книжку", type="submit", icon="search")),
            on_submit=state.enter,
        ),
        rx.el.p(
            "Владелец увидит ваше имя, клинику и каждый раздел, который вы прочитаете.",
            class_name="e-hint mt-4",
        ),
        title="Введите код",
    )


def _standing() -> rx.Component:
    state = ClinicRecordsState
    return when(
        some(state.records),
        cards.section(
            "Открыты вам",
            data_table(
                ["Владелец", "Разрешено", "До", Column("Действие", hidden=True)],
                state.records,
                lambda record: [
                    rx.fragment(record.name, ", ", record.born),
                    record.scope,
                    record.until,
                    buttons.secondary_button(
                        rx.cond(record.is_open, "Читать дальше", "Сверить имя"),
                        ClinicRecordsState.resume(record.id),
                    ),
                ],
                caption="Книжки, которые открыты вам сейчас",
                key=lambda record: record.id.to(str),
            ),
        ),
    )


def _confirming() -> rx.Component:
    record: Any = ClinicRecordsState.record
    return cards.card(
        cards.summary_list(
            cards.summary_row("Владелец", record.name),
            cards.summary_row("Год рождения", record.born),
            cards.summary_row("Разрешено", record.scope),
            cards.summary_row("На сколько", record.duration),
        ),
        rx.el.p("Сверьте имя с человеком, который назвал код.", class_name="my-4"),
        buttons.actions(
            buttons.primary_button("Имя совпало, открыть книжку", ClinicRecordsState.confirm),
            buttons.secondary_button("Другой человек", ClinicRecordsState.put_away),
        ),
        title="Чья это книжка",
        tone="waiting",
    )


def _open() -> rx.Component:
    state = ClinicRecordsState
    record: Any = state.record
    return rx.fragment(
        cards.card(
            rx.el.p(record.born, " · открыта до ", record.until, ", ", record.left, role="status"),
            buttons.actions(
                _part(RecordPart.CONCLUSION),
                _part(RecordPart.STUDIES),
                _part(RecordPart.VACCINATIONS),
                when(record.with_papers, _part(RecordPart.PAPERS)),
                buttons.button("Закрыть книжку", state.put_away, kind="quiet", icon="lock"),
            ),
            title=record.name,
            tone="success",
        ),
        rx.match(
            state.part,
            (RecordPart.CONCLUSION.value, _conclusion()),
            (RecordPart.STUDIES.value, _studies()),
            (RecordPart.VACCINATIONS.value, _shots()),
            (RecordPart.PAPERS.value, _papers()),
            rx.fragment(),
        ),
    )


def _part(part: RecordPart) -> rx.Component:
    return rx.el.button(
        rows.PARTS[part],
        type="button",
        on_click=ClinicRecordsState.show(part.value),
        class_name=rx.cond(
            ClinicRecordsState.part == part.value, "btn btn-primary", "btn btn-outline"
        ),
        custom_attrs={
            "aria-pressed": rx.cond(ClinicRecordsState.part == part.value, "true", "false")
        },
    )


def _conclusion() -> rx.Component:
    card: Any = ClinicRecordsState.card
    return cards.card(
        when(given(card.advice), cards.notice(card.advice, tone=card.tone)),
        cards.summary_list(
            cards.summary_row("Номер книжки", card.number),
            cards.summary_row("Срок действия", card.term),
            cards.summary_row("Дата рождения", card.born),
            cards.summary_row("Профессия", card.occupation),
            cards.summary_row("Заключение", card.conclusion),
            when(given(card.restrictions), cards.summary_row("Ограничения", card.restrictions)),
            cards.summary_row("Медорганизация", card.clinic),
            cards.summary_row("Подписал председатель", card.chair),
            cards.summary_row("Версия", card.version),
        ),
        title="Заключение",
        actions=badge(card.status, card.tone),
        level=2,
    )


def _studies() -> rx.Component:
    return cards.section(
        "Исследования",
        data_table(
            ["Исследование", "Результат", "Проведено", "Действует", "Состояние"],
            ClinicRecordsState.items,
            lambda item: [
                item.name,
                item.value,
                item.performed,
                item.until,
                badge(item.light, item.tone),
            ],
            caption="Исследования владельца",
            key=lambda item: item.code,
        ),
    )


def _shots() -> rx.Component:
    return cards.section(
        "Прививки",
        data_table(
            ["Инфекция", "Запись", "Дата", "Вакцина", "Действует до"],
            ClinicRecordsState.shots,
            lambda shot: [shot.name, shot.kind, shot.on, shot.vaccine, shot.until],
            caption="Прививки владельца",
            empty=cards.empty_state("Прививок в книжке нет", icon_name="shield"),
            key=lambda shot: shot.key,
        ),
    )


def _papers() -> rx.Component:
    return cards.section(
        "Приложения",
        rx.cond(
            some(ClinicRecordsState.papers),
            rx.el.ul(rx.foreach(ClinicRecordsState.papers, paper), class_name="grid gap-4"),
            cards.empty_state("Документов к осмотрам не приложено", icon_name="file"),
        ),
    )


PAGES: Final = (
    Page(RECORDS, "Книжка по коду", reader, (PersonState.load, ClinicRecordsState.follow)),
)
