"""«Мои документы»: the holder's book, the links that show it, and who looked."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, dialogs, forms, links
from emk_app.components.badges import badge
from emk_app.components.forms import Choice
from emk_app.components.markup import fixed_id, given, some, when
from emk_app.components.qr import full_screen_qr, qr_plate
from emk_app.components.tables import Column, data_table
from emk_app.domain.sharing import ShareScope
from emk_app.pages import (
    book_extract,
    book_files,
    book_search,
    book_sheet,
    book_vaccinations,
    employer,
    frames,
    records,
)
from emk_app.pages.menus import HOLDER_MENU
from emk_app.pages.table import Page
from emk_app.presenting import book_versions as wording
from emk_app.presenting import books as rows
from emk_app.states.book import BookState
from emk_app.states.book_search import BookSearchState
from emk_app.states.employer import EmployersState
from emk_app.states.records import RecordsState
from emk_app.states.session import PersonState

BOOK: Final = "/cabinet/book"
ACCESS: Final = "/cabinet/book/access"
CHANGES: Final = "/cabinet/book/changes"


def book() -> rx.Component:
    """Return the page of the holder's book."""
    return _page(
        rx.el.div(_card(), id=fixed_id("book")),
        _term(),
        when(BookState.card.may_share, _sharing()),
        when(BookState.card.is_readable, book_search.section()),
        when(BookState.card.is_readable, _studies()),
        when(BookState.card.is_readable, book_vaccinations.section()),
        _signature(),
        _versions(),
        when(BookState.card.may_share, book_extract.section()),
        when(BookState.card.is_readable, book_files.section()),
        book_sheet.sheet(),
        title="Электронная медицинская книжка",
        current=BOOK,
    )


def access() -> rx.Component:
    """Return the page of every look and every link."""
    state = BookState
    return _page(
        employer.section(),
        cards.section(
            "Кто смотрел по ссылкам",
            rx.el.p(
                "Всё, что открывали врачи и операторы, собрано на странице ",
                links.link("«Кто смотрел»", "/cabinet/looks"),
                ".",
            ),
            data_table(
                ["Когда", "Ссылка", "Чем открыли", "Что увидели"],
                state.looks,
                lambda look: [
                    look.at,
                    look.label,
                    look.viewer,
                    badge(look.verdict, look.tone),
                ],
                caption="Просмотры книжки",
                empty=cards.empty_state(
                    "Книжку ещё никто не смотрел",
                    "Просмотр появится здесь в ту же секунду.",
                    icon_name="eye",
                ),
            ),
        ),
        cards.section(
            "Ссылки",
            data_table(
                [
                    "Для кого",
                    "Показывает",
                    "Открыта до",
                    "Просмотры",
                    "Состояние",
                    Column("Действие", hidden=True),
                ],
                state.links,
                lambda link: [
                    link.label,
                    link.scope,
                    link.term,
                    link.looks,
                    badge(link.state, link.tone),
                    when(
                        link.is_alive,
                        rx.fragment(
                            dialogs.dialog_button(
                                "Закрыть доступ", _closing(link), kind="quiet", icon="lock"
                            ),
                            _close_dialog(link),
                        ),
                    ),
                ],
                caption="Ссылки на книжку",
                empty=cards.empty_state("Ссылок пока нет", "Сделайте ссылку на странице книжки."),
                key=lambda link: link.id.to(str),
            ),
        ),
        records.section(),
        title="Доступ к книжке",
        current=BOOK,
        # An employer may ask before there is a book.
        without_book=employer.section(),
        back=("Медицинская книжка", BOOK),
    )


def _page(
    *children: rx.Component,
    title: str,
    current: str,
    without_book: rx.Component | None = None,
    **more: Any,
) -> rx.Component:
    return frames.signed_in(
        rx.cond(
            BookState.is_loaded,
            rx.cond(
                BookState.has_book,
                rx.el.div(*children, class_name="e-body"),
                rx.el.div(
                    cards.empty_state(
                        "Книжки пока нет",
                        "Она появится здесь, когда документы проверят, а медорганизация подпишет "
                        "заключение.",
                        buttons.button_link("Мои заявки", "/cabinet/applications"),
                    ),
                    *([without_book] if without_book is not None else []),
                    class_name="e-body",
                ),
            ),
            cards.loading(),
        ),
        title=title,
        menu=HOLDER_MENU,
        current=current,
        **more,
    )


def _card() -> rx.Component:
    card: Any = BookState.card
    return cards.card(
        cards.stats(
            cards.stat("Действует по", card.until, hint=card.left),
            cards.stat(
                "Осмотры в порядке по",
                card.items_until,
                hint=card.items_left,
                tone=card.items_tone,
            ),
        ),
        when(
            given(card.advice),
            cards.notice(
                card.advice,
                when(given(card.reason), rx.el.p("Причина: ", card.reason)),
                tone=card.tone,
            ),
        ),
        when(
            card.awaits_receipt,
            rx.el.div(
                rx.el.p(
                    "Книжка сформирована и подписана. Проверьте сведения ниже и подтвердите "
                    "получение: после этого её можно показывать работодателю."
                ),
                buttons.actions(
                    buttons.primary_button("Подтвердить получение", BookState.receive, icon="check")
                ),
                class_name="grid gap-3",
            ),
        ),
        when(
            card.is_readable,
            cards.summary_list(
                cards.summary_row("Номер", card.number),
                cards.summary_row("Срок действия", card.term),
                cards.summary_row("Владелец", card.name),
                cards.summary_row("Дата рождения", card.born),
                cards.summary_row("Профессия", card.occupation),
                cards.summary_row("Заключение", card.conclusion),
                when(given(card.restrictions), cards.summary_row("Ограничения", card.restrictions)),
                cards.summary_row("Медорганизация", card.clinic),
                cards.summary_row("Подписал председатель", card.chair),
            ),
        ),
        when(
            card.may_change,
            buttons.actions(links.link("Изменить имя или дату рождения", CHANGES)),
        ),
        title="Книжка",
        actions=badge(card.status, card.tone),
        tone=card.tone,
    )


def _sharing() -> rx.Component:
    state = BookState
    return cards.section(
        "Показать работодателю",
        rx.el.p(
            "Сделайте ссылку или QR-код: по ним видно, действует ли книжка и до какого числа. "
            "Анализов и диагнозов там нет.",
            class_name="e-prose",
        ),
        buttons.actions(
            dialogs.dialog_button("Сгенерировать ссылку", "make-link", kind="primary", icon="plus"),
            links.link("Все ссылки и кто смотрел", ACCESS),
            links.link("Показать врачу или передать в страховую", ACCESS + "#physician"),
        ),
        rx.el.div(
            rx.foreach(state.open_links, _link),
            class_name="grid gap-4",
        ),
        dialogs.dialog(
            "make-link",
            "Новая ссылка",
            rx.el.div(
                forms.form(
                    forms.text_field(
                        "Для кого",
                        "label",
                        hint="Это видите только вы. Например: для кафе на Мира.",
                        error=state.errors["label"],
                        required=False,
                        max_length=80,
                    ),
                    forms.radio_cards(
                        "Что показать",
                        "scope",
                        [
                            Choice(scope.value, title, text)
                            for scope, (title, text) in rows.SCOPES.items()
                        ],
                        value=ShareScope.WITH_OCCUPATION.value,
                        error=state.errors["scope"],
                        held=False,
                    ),
                    forms.field_row(
                        forms.select_field(
                            "Сколько дней открыта",
                            "days",
                            rows.TERMS,
                            default_value=rows.DEFAULT_TERM,
                            error=state.errors["days"],
                        ),
                        forms.select_field(
                            "Сколько раз открыть",
                            "looks",
                            rows.LOOK_COUNTS,
                            default_value=rows.ANY_LOOKS,
                            error=state.errors["looks"],
                        ),
                    ),
                    buttons.actions(
                        buttons.primary_button(
                            "Сделать ссылку", type="submit", custom_attrs={"data-dialog-close": ""}
                        ),
                        dialogs.close_button(),
                    ),
                    on_submit=state.make_link,
                ),
                key=state.form_key.to(str),
            ),
        ),
    )


def _link(link: Any, at: Any) -> rx.Component:
    code = qr_plate(link.png + "?show", alt="QR-код книжки, " + link.label, size="large")
    card = cards.card(
        rx.el.div(
            # The newest is the one to be shown now; the codes of the others wait under a line.
            rx.cond(at == 0, code, cards.details("Показать QR-код", code)),
            rx.el.div(
                cards.summary_list(
                    cards.summary_row("Показывает", link.scope),
                    cards.summary_row("Открыта до", link.term),
                    cards.summary_row("Просмотры", link.looks),
                ),
                rx.el.p(rx.el.code(link.url, class_name="break-all")),
                buttons.actions(
                    dialogs.dialog_button(
                        "На весь экран", _full(link), kind="secondary", icon="fit"
                    ),
                    buttons.copy_button("Скопировать ссылку", link.url, done="Ссылка скопирована"),
                    buttons.share_button(
                        "Отправить", link.url, title="Электронная медицинская книжка"
                    ),
                    buttons.download_link("Скачать QR‑код", link.png, filename="emk-qr.png"),
                    buttons.download_link(
                        "QR‑код для печати", link.svg, filename="emk-qr.svg", kind="quiet"
                    ),
                    dialogs.dialog_button(
                        "Закрыть доступ", _closing(link), kind="quiet", icon="lock"
                    ),
                ),
                cards.details(
                    "Отправить письмом или в мессенджер",
                    rx.el.p(
                        "Откроется программа или сайт с готовым сообщением.", class_name="e-muted"
                    ),
                    rx.el.ul(
                        *[rx.el.li(_sending(name, link)) for name in rows.SENDING],
                        class_name="flex flex-wrap gap-x-6",
                    ),
                ),
                class_name="grid min-w-0 content-start gap-4",
            ),
            class_name=rx.cond(
                at == 0, "grid items-start gap-6 md:grid-cols-[auto_1fr]", "grid gap-4"
            ),
        ),
        _close_dialog(link),
        full_screen_qr(
            _full(link),
            link.png + "?show",
            alt="QR-код книжки, " + link.label,
            caption="Электронная медицинская книжка",
        ),
        title=link.label,
        actions=badge(link.state, link.tone),
        level=3,
    )
    return rx.el.div(card, key=link.id.to(str))


def _sending(name: str, link: Any) -> rx.Component:
    before = rows.SENDING[name]
    draw = links.plain_link if before.startswith("mailto:") else links.external_link
    # As high as a finger.
    return draw(name, before + link.quoted, class_name="inline-flex min-h-11 items-center e-link")


def _full(link: Any) -> Any:
    return "full-" + link.id.to(str)


def _closing(link: Any) -> Any:
    return "close-link-" + link.id.to(str)


def _close_dialog(link: Any) -> rx.Component:
    return dialogs.confirm_dialog(
        _closing(link),
        "Закрыть доступ по ссылке?",
        "Ссылка и её QR-код перестанут показывать книжку сразу и навсегда. Напечатанные коды тоже.",
        confirm="Закрыть доступ",
        on_confirm=BookState.close_link(link.id),
    )


def _studies() -> rx.Component:
    state = BookState
    card: Any = state.card
    return cards.section(
        "Осмотры, исследования и аттестация",
        rx.el.p(card.studies),
        when(
            card.names_wanting,
            rx.el.ul(
                rx.foreach(
                    state.items,
                    lambda item: when(
                        item.wants_something,
                        _line(
                            rx.fragment(item.name, ", ", item.until),
                            badge(item.light, item.tone),
                            key=item.code,
                        ),
                    ),
                ),
            ),
        ),
        cards.details(
            "Показать все",
            data_table(
                ["Исследование", "Результат", "Дата", "Действует", "Срок"],
                state.items,
                lambda item: [
                    rx.el.span(item.name, id=fixed_id("study-" + item.code)),
                    item.value,
                    item.performed,
                    item.until,
                    badge(item.light, item.tone),
                ],
                caption="Исследования, которые вошли в книжку",
            ),
        ),
    )


def _line(name: Any, mark: rx.Component, *, key: Any) -> rx.Component:
    return rx.el.li(
        rx.el.span(name),
        mark,
        class_name="flex items-center justify-between gap-4 border-b border-base-300 py-2",
        key=key,
    )


def _term() -> rx.Component:
    """What can be done about the term: «Продлить», or what is missing and the next step."""
    state = BookState
    term: Any = state.term
    act = rx.cond(
        term.may_renew,
        dialogs.dialog_button(
            "Продлить срок действия", "renew-book", kind="primary", icon="refresh"
        ),
        rx.cond(
            term.may_reapply,
            buttons.primary_button(term.action, state.begin_again),
            when(given(term.href), buttons.button_link(term.action, term.href)),
        ),
    )
    return cards.section(
        "Срок действия",
        rx.cond(
            given(term.title),
            cards.notice(rx.el.p(term.text), title=term.title, tone=term.tone),
            rx.el.p(term.text, class_name="e-muted"),
        ),
        when(
            term.wants,
            rx.el.ul(
                rx.foreach(
                    state.wanting,
                    lambda each: _line(
                        rx.fragment(each.name, when(given(each.until), ", " + each.until)),
                        badge(each.word, each.tone),
                        key=each.code,
                    ),
                ),
                class_name="max-w-2xl",
            ),
        ),
        buttons.actions(act),
        dialogs.confirm_dialog(
            "renew-book",
            term.question,
            "Срок запишут в книжку, и она будет подписана заново. Прежние ссылки и QR-коды "
            "покажут, что есть новая версия.",
            confirm="Продлить",
            on_confirm=state.renew,
            danger=False,
        ),
        id="term",
    )


def _signature() -> rx.Component:
    state = BookState
    card: Any = state.card
    return cards.section(
        "Подпись",
        cards.summary_list(
            cards.summary_row("Версия", card.version),
            cards.summary_row("Подписана", card.signed),
            cards.summary_row("Отпечаток", rx.el.code(card.hash_short, class_name="text-lg")),
        ),
        rx.el.p(
            "Тот же отпечаток увидит работодатель, когда откроет ссылку или QR-код: сравните их.",
            class_name="e-muted",
        ),
        buttons.actions(
            buttons.secondary_button("Проверить подпись", state.check_signature, icon="shield"),
            buttons.copy_button(
                "Скопировать отпечаток целиком", card.hash_full, done="Отпечаток скопирован"
            ),
        ),
        when(
            some(state.facts),
            rx.el.div(
                cards.notice(
                    state.facts_at,
                    title=state.facts_word,
                    tone=state.facts_tone,
                    live=True,
                ),
                rx.el.ul(
                    rx.foreach(state.facts, _fact),
                    class_name="max-w-2xl",
                ),
                cards.details(
                    "Отпечаток целиком", rx.el.code(card.hash_full, class_name="break-all")
                ),
                class_name="grid gap-4",
            ),
        ),
    )


def _fact(fact: Any) -> rx.Component:
    return _line(
        rx.el.span(
            rx.el.b(fact.name, class_name="font-medium"),
            when(given(fact.text), rx.el.span(fact.text, class_name="e-muted block")),
            when(given(fact.advice), rx.el.span(fact.advice, class_name="block")),
            class_name="min-w-0 break-words",
        ),
        badge(fact.word, fact.tone),
        key=fact.name,
    )


def _versions() -> rx.Component:
    """Every version that was signed, and what one says otherwise than another."""
    state = BookState
    return cards.section(
        "Версии книжки",
        rx.el.p(
            "Каждое изменение выпускает новую подписанную версию. Прежние хранятся неизменными.",
            class_name="e-prose",
        ),
        data_table(
            ["Версия", "Что произошло", "Подписана", "Действует по", "Отпечаток", "Состояние"],
            state.versions,
            lambda row: [
                row.number,
                row.title,
                row.at,
                row.until,
                rx.el.code(row.hash_short, class_name="whitespace-nowrap"),
                badge(row.mark, row.tone),
            ],
            caption="Версии книжки, новые сверху",
            key=lambda row: row.number,
        ),
        when(
            given(state.old_version),
            _compare(),
        ),
        id="versions",
    )


def _compare() -> rx.Component:
    state = BookState
    return rx.el.div(
        cards.card(
            forms.form(
                forms.field_row(
                    forms.select_field(
                        "Прежняя версия",
                        "one",
                        state.version_choices,
                        default_value=state.old_version,
                    ),
                    forms.select_field(
                        "Новая версия",
                        "other",
                        state.version_choices,
                        default_value=state.new_version,
                    ),
                ),
                buttons.actions(buttons.secondary_button("Сравнить", type="submit")),
                on_submit=state.compare,
            ),
            when(
                given(state.compared_title),
                rx.el.div(
                    data_table(
                        ["Что", "Было", "Стало", "Изменение"],
                        state.compared,
                        lambda row: [
                            row.name,
                            row.was,
                            row.became,
                            badge(row.mark, row.tone),
                        ],
                        caption=state.compared_title,
                        show_caption=True,
                        empty=cards.empty_state("Отличий нет", wording.NOTHING),
                    ),
                    role="status",
                ),
            ),
            title="Что изменилось",
            level=3,
        ),
        # A new version makes the form anew, so that it offers the two that matter.
        key=state.new_version,
    )


PAGES = (
    Page(
        BOOK,
        "Медицинская книжка",
        book,
        (PersonState.load, BookSearchState.begin, BookState.follow, BookState.follow_looks),
    ),
    Page(
        ACCESS,
        "Доступ к книжке",
        access,
        (
            PersonState.load,
            BookState.follow,
            BookState.follow_looks,
            RecordsState.follow,
            EmployersState.follow,
        ),
    ),
)
