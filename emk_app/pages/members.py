"""The page of an organisation's members: who may what, who is invited, who gets letters."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import badges, buttons, cards, dialogs, forms, tables
from emk_app.components.forms import Choice
from emk_app.components.markup import some, when
from emk_app.domain.actors import Post
from emk_app.pages import frames
from emk_app.pages.factors import fresh_factor
from emk_app.pages.menus import EMPLOYER_MENU, MEMBERS
from emk_app.pages.table import Page
from emk_app.presenting import membering as rows
from emk_app.states.members import MembersState
from emk_app.states.session import PersonState

TITLE: Final = "Доступ к кабинету"


def members() -> rx.Component:
    """Return the page."""
    state = MembersState
    return frames.signed_in(
        rx.cond(
            state.is_loaded,
            rx.cond(
                state.is_member,
                rx.el.div(
                    when(state.editing.id > 0, _changing()),
                    cards.section("Участники", _members()),
                    when(some(state.invited), cards.section("Приглашены", _invited())),
                    when(state.is_owner, cards.section("Пригласить", _inviting())),
                    cards.section("Письма о сроках", _letters()),
                    class_name="e-body",
                ),
                cards.empty_state(
                    "Организации пока нет",
                    "Заведите её или примите приглашение на странице «Сотрудники».",
                    icon_name="person",
                ),
            ),
            cards.loading(),
        ),
        title=TITLE,
        lead="Кто работает со списком сотрудников от имени организации.",
        menu=EMPLOYER_MENU,
        current=MEMBERS,
    )


def _members() -> rx.Component:
    return tables.data_table(
        ["Кто входит", "Роль", "С какого времени", tables.Column("Действия", hidden=True)],
        MembersState.members,
        _member,
        caption="Участники кабинета",
        key=lambda row: row.id.to(str),
    )


def _member(row: Any) -> list[rx.Component | rx.Var]:
    dialog = "remove-member-" + row.id.to(str)
    return [
        rx.el.div(
            rx.el.span(row.login, class_name="break-all"),
            when(row.is_self, rx.el.span("это вы", class_name="e-muted")),
            class_name="grid",
        ),
        badges.badge(row.post),
        row.since,
        rx.cond(
            row.is_only_owner,
            when(
                row.is_self,
                rx.el.p(
                    "Вы единственный владелец. Чтобы сменить роль или выйти, сначала сделайте "
                    "владельцем кого-нибудь ещё.",
                    class_name="e-muted max-w-xs text-left",
                ),
            ),
            rx.el.div(
                when(
                    MembersState.is_owner,
                    buttons.quiet_button("Изменить роль", MembersState.edit(row.id)),
                ),
                when(
                    MembersState.is_owner | row.is_self,
                    rx.fragment(
                        dialogs.dialog_button(rx.cond(row.is_self, "Выйти", "Убрать"), dialog),
                        dialogs.confirm_dialog(
                            dialog,
                            rx.cond(row.is_self, "Выйти из кабинета?", "Убрать участника?"),
                            rx.el.p(
                                rx.el.b(row.login, class_name="break-all"),
                                " сразу перестанет видеть список. Вернуть доступ можно новым "
                                "приглашением.",
                            ),
                            confirm=rx.cond(row.is_self, "Выйти", "Убрать"),
                            on_confirm=MembersState.remove(row.id),
                        ),
                    ),
                ),
                class_name="flex flex-wrap gap-2",
            ),
        ),
    ]


def _changing() -> rx.Component:
    state = MembersState
    card = cards.card(
        forms.form(
            rx.el.p(rx.el.b(state.editing.login, class_name="break-all")),
            forms.select_field(
                "Роль",
                "post",
                rows.POST_OPTIONS,
                default_value=state.editing.post_code,
                error=state.errors["post"],
            ),
            _code(),
            buttons.actions(
                buttons.primary_button("Сохранить", type="submit"),
                buttons.quiet_button("Не менять", state.edit(0)),
            ),
            on_submit=state.change,
        ),
        title="Изменить роль",
    )
    return cards.called_up(card, state.editing.id.to(str))


def _invited() -> rx.Component:
    return tables.data_table(
        ["Почта", "Роль", "Действует до", tables.Column("Действие", hidden=True)],
        MembersState.invited,
        lambda row: [
            rx.el.span(row.email, class_name="break-all"),
            badges.badge(row.post),
            row.until,
            buttons.quiet_button("Отозвать", MembersState.withdraw(row.id)),
        ],
        caption="Приглашённые",
        key=lambda row: row.id.to(str),
    )


def _inviting() -> rx.Component:
    state = MembersState
    return cards.card(
        forms.form(
            forms.text_field(
                "Электронная почта",
                "email",
                hint="Придёт письмо. Приглашение примет тот, кто войдёт с этим адресом.",
                error=state.errors["email"],
                input_mode="email",
                max_length=254,
            ),
            forms.radio_cards(
                "Роль",
                "post",
                [
                    Choice(post.value, title, text)
                    for post, (title, text) in rows.POST_CHOICES.items()
                ],
                value=Post.HR.value,
                held=False,
            ),
            _code(),
            buttons.actions(buttons.primary_button("Пригласить", type="submit", icon="plus")),
            on_submit=state.invite,
            key=state.form_key.to(str),
        ),
    )


def _code() -> rx.Component:
    state = MembersState
    return when(
        state.needs_code,
        fresh_factor(
            "code",
            hint="Шесть цифр. Права даются только после свежего кода.",
            error=state.errors["code"],
        ),
    )


def _letters() -> rx.Component:
    state = MembersState
    return cards.card(
        forms.checkbox_field(
            "Писать мне, у скольких сотрудников заканчивается срок",
            "is_warned",
            checked=state.is_warned,
            on_change=state.set_warned,
            hint="За 30 и 7 дней и в последний день, не больше одного письма в сутки. Имён в "
            "письме нет.",
        )
    )


PAGES = (Page(MEMBERS, TITLE, members, (PersonState.load, MembersState.follow)),)
