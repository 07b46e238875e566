"""Fields and forms: a label, a hint, what is wrong and how to put it right, beside each control."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx

from emk_app.components.buttons import CLASSES, Kind, button
from emk_app.components.dialogs import close_button, confirm_dialog, dialog, dialog_button
from emk_app.components.icons import icon
from emk_app.components.links import plain_link
from emk_app.components.markup import (
    Child,
    Flag,
    Handler,
    Text,
    either,
    fixed_id,
    given,
    keyed,
    listed,
    some,
    when,
    words,
)

Width = Literal["full", "long", "medium", "short", "tiny"]


@dataclass(frozen=True)
class Choice:
    """One answer of a question with few answers."""

    value: str
    title: str
    text: str = ""


def form(*fields: Child, on_submit: Handler, **props: Any) -> rx.Component:
    """Send fields to a handler; what is wrong is said by us in Russian, never by the browser."""
    return rx.el.form(
        *fields,
        on_submit=on_submit,
        no_validate=True,
        class_name=words("e-form", props.pop("class_name", "")),
        **props,
    )


def post_form(*fields: Child, action: Text, **props: Any) -> rx.Component:
    """Post fields to a route of the server; works without any script."""
    return rx.el.form(
        *fields,
        action=action,
        method="post",
        on_submit=None,
        class_name=props.pop("class_name", "e-form"),
        **props,
    )


def text_field(
    label: Child,
    name: str,
    *,
    value: Text | None = None,
    default_value: Text | None = None,
    hint: Text = "",
    error: Text = "",
    required: bool = True,
    disabled: Flag = False,
    type: Literal["text", "email", "tel", "url", "search", "number"] = "text",
    auto_complete: str = "off",
    input_mode: str = "",
    prefix: str = "",
    suffix: str = "",
    width: Width = "full",
    mask: str = "",
    on_change: Handler = None,
    on_blur: Handler = None,
    class_name: str = "",
    **props: Any,
) -> rx.Component:
    """Ask for one line of text.

    ``default_value`` follows the state until the person types; ``value`` holds the control to the
    state and needs ``on_change``. ``mask`` such as ``00.00.0000`` types the marks between digits.
    """
    attrs = _described(name, hint, error) | dict(props.pop("custom_attrs", {}))
    if mask:
        attrs["data-mask"] = mask
    control = rx.el.input(
        **_present(value=value, default_value=default_value, on_change=on_change, on_blur=on_blur),
        **_worded(auto_complete=auto_complete, input_mode=input_mode),
        name=name,
        id=fixed_id(f"field-{name}"),
        type=type,
        disabled=disabled,
        custom_attrs=attrs,
        class_name=words("" if prefix or suffix else "input", class_name),
        **props,
    )
    if prefix or suffix:
        control = rx.el.div(
            *_affix(prefix), control, *_affix(suffix), class_name=words("input", f"e-width-{width}")
        )
    elif width != "full":
        control = rx.el.div(control, class_name=f"e-width-{width}")
    return _field(label, name, control, hint=hint, error=error, required=required)


def password_field(
    label: Child = "Пароль",
    name: str = "password",
    *,
    hint: Text = "",
    error: Text = "",
    new: bool = False,
    kept: bool = True,
    disabled: Flag = False,
    meter: Child | None = None,
    **props: Any,
) -> rx.Component:
    """Ask for a password, with a button that shows what was typed.

    One that is not ``kept`` is no password of this site: browsers are asked not to remember it.
    """
    remembered = "new-password" if new else "current-password"
    control = rx.el.div(
        rx.el.input(
            name=name,
            id=fixed_id(f"field-{name}"),
            type="password",
            disabled=disabled,
            auto_complete=remembered if kept else "off",
            auto_capitalize="none",
            spell_check=False,
            custom_attrs=_described(name, hint, error),
            **props,
        ),
        rx.el.button(
            icon("eye"),
            rx.el.span("Показать", custom_attrs={"data-off": ""}),
            rx.el.span("Скрыть", custom_attrs={"data-on": ""}),
            rx.el.span(" пароль", class_name="e-hidden"),
            type="button",
            class_name="e-reveal",
            custom_attrs={"data-reveal": f"field-{name}", "aria-pressed": "false"},
        ),
        class_name="input",
    )
    if meter is not None:
        control = rx.fragment(control, meter)
    return _field(label, name, control, hint=hint, error=error)


def strength_meter(level: rx.Var[int], text: rx.Var[str]) -> rx.Component:
    """Show how strong a new password is, from 0 to 3, and say it aloud as it changes."""
    return rx.el.div(
        when(
            level.to(int) > 0,
            rx.el.meter(
                min=0,
                max=3,
                low=2,
                high=3,
                optimum=3,
                value=level,
                custom_attrs={"aria-label": "Надёжность пароля"},
                class_name="w-full",
            ),
        ),
        rx.el.p(text, role="status", class_name="e-hint"),
    )


def code_field(
    label: Child = "Код подтверждения",
    name: str = "code",
    *,
    length: int = 6,
    hint: Text = "",
    error: Text = "",
    **props: Any,
) -> rx.Component:
    """Ask for a one-time code; telephones offer it from the message by themselves."""
    return text_field(
        label,
        name,
        hint=hint,
        error=error,
        auto_complete="one-time-code",
        input_mode="numeric",
        max_length=length,
        width="short",
        class_name="e-code",
        **props,
    )


def date_field(
    label: Child, name: str, *, hint: Text = "Например, 27.03.1990", **props: Any
) -> rx.Component:
    """Ask for a date as ДД.ММ.ГГГГ; the dots appear while digits are typed."""
    return text_field(
        label,
        name,
        hint=hint,
        input_mode="numeric",
        mask="00.00.0000",
        max_length=10,
        width="short",
        **props,
    )


def phone_field(
    label: Child = "Телефон",
    name: str = "phone",
    *,
    hint: Text = "Например, +7 912 345-67-89",
    **props: Any,
) -> rx.Component:
    """Ask for a telephone number."""
    return text_field(
        label, name, hint=hint, type="tel", auto_complete="tel", width="medium", **props
    )


def snils_field(
    label: Child = "СНИЛС",
    name: str = "snils",
    *,
    hint: Text = "11 цифр, например 112-233-445 95",
    **props: Any,
) -> rx.Component:
    """Ask for a СНИЛС; its dashes appear while digits are typed."""
    return text_field(
        label,
        name,
        hint=hint,
        input_mode="numeric",
        mask="000-000-000 00",
        max_length=14,
        width="medium",
        **props,
    )


def textarea_field(
    label: Child,
    name: str,
    *,
    default_value: Text | None = None,
    value: Text | None = None,
    rows: int = 4,
    hint: Text = "",
    error: Text = "",
    required: bool = True,
    disabled: Flag = False,
    on_change: Handler = None,
    on_blur: Handler = None,
    **props: Any,
) -> rx.Component:
    """Ask for several lines."""
    control = rx.el.textarea(
        **_present(value=value, default_value=default_value, on_change=on_change, on_blur=on_blur),
        name=name,
        id=fixed_id(f"field-{name}"),
        rows=rows,
        disabled=disabled,
        custom_attrs=_described(name, hint, error),
        class_name="input e-textarea",
        **props,
    )
    return _field(label, name, control, hint=hint, error=error, required=required)


def select_field(
    label: Child,
    name: str,
    options: Sequence[tuple[str, str | Sequence[tuple[str, str]]]] | rx.Var[Any],
    *,
    grouped: bool = False,
    value: Text | None = None,
    default_value: Text | None = None,
    on_change: Handler = None,
    placeholder: str = "Выберите",
    hint: Text = "",
    error: Text = "",
    required: bool = True,
    disabled: Flag = False,
    width: Width = "full",
    **props: Any,
) -> rx.Component:
    """Ask to choose from many answers; ``options`` are pairs of value and text.

    A pair of a heading and a sequence of such pairs makes a group; a Var that is ``grouped`` holds
    rows with ``name`` and ``choices``. ``value`` holds the control to the state, which is seen on a
    slow line; ``default_value`` is only where it begins.
    """
    if isinstance(options, rx.Var) and grouped:
        shown = [
            rx.foreach(
                options,
                lambda group: rx.el.optgroup(
                    rx.foreach(group.choices, lambda pair: _option(pair[0], pair[1])),
                    label=group.name,
                ),
            )
        ]
    elif isinstance(options, rx.Var):
        shown = [rx.foreach(options, lambda pair: _option(pair[0], pair[1]))]
    else:
        shown = [
            _option(head, rest)
            if isinstance(rest, str)
            else rx.el.optgroup(*[_option(*pair) for pair in rest], label=head)
            for head, rest in options
        ]
    control = rx.el.select(
        *([rx.el.option(placeholder, value="")] if placeholder else []),
        *shown,
        **_present(value=value, default_value=default_value, on_change=on_change),
        name=name,
        id=fixed_id(f"field-{name}"),
        disabled=disabled,
        custom_attrs=_described(name, hint, error),
        class_name=words("input e-select", "" if width == "full" else f"e-width-{width}"),
        **props,
    )
    return _field(label, name, control, hint=hint, error=error, required=required)


def radio_cards(
    legend: Child,
    name: str,
    choices: Sequence[Choice],
    *,
    value: Text,
    on_change: Handler = None,
    hint: Text = "",
    error: Text = "",
    columns: Literal[1, 2] = 1,
    disabled: Flag = False,
    held: bool = True,
) -> rx.Component:
    """Ask to choose one of a few answers, each a large target; ``on_change`` gets its value.

    Unless ``held`` to the state, ``value`` is only where it begins.
    """
    cards = [
        radio_card(
            name,
            choice.value,
            choice.title,
            choice.text,
            chosen=(value == choice.value),
            on_change=on_change,
            disabled=disabled,
            first=position == 0,
            held=held,
        )
        for position, choice in enumerate(choices)
    ]
    return radio_cards_of(legend, name, *cards, hint=hint, error=error, columns=columns)


def radio_cards_of(
    legend: Child,
    name: str,
    *cards: Child,
    hint: Text = "",
    error: Text = "",
    columns: Literal[1, 2, "fit", "tight"] = 1,
) -> rx.Component:
    """Group ``radio_card`` parts made by ``rx.foreach``; ``fit`` sets as many in a row as there
    is room for, ``tight`` more of them where they are short.
    """
    return _group(
        legend,
        name,
        rx.el.div(*cards, class_name="e-choices", custom_attrs={"data-columns": str(columns)}),
        hint=hint,
        error=error,
    )


def radio_card(
    name: str,
    value: Text,
    title: Child,
    text: Text = "",
    *,
    chosen: Flag,
    on_change: Handler = None,
    disabled: Flag = False,
    first: bool = False,
    held: bool = True,
    key: Text = "",
) -> rx.Component:
    """One answer; ``first`` gives it the id that an error summary links to."""
    props = _present(on_change=on_change, id=fixed_id(f"field-{name}") if first else None)
    # Without a handler the browser keeps the choice, and a form submits it by name.
    props["checked" if held and on_change is not None else "default_checked"] = chosen
    control = rx.el.input(
        type="radio", name=name, value=value, disabled=disabled, class_name="radio", **props
    )
    return rx.el.label(
        control,
        rx.el.b(title),
        when(given(text), rx.el.span(text, class_name="e-choice-text")),
        class_name="e-choice",
        **keyed(key),
    )


def checkbox_field(
    label: Child,
    name: str,
    *,
    checked: Flag | None = None,
    default_checked: Flag = False,
    on_change: Handler = None,
    hint: Text = "",
    error: Text = "",
    disabled: Flag = False,
    **props: Any,
) -> rx.Component:
    """Ask to agree or to switch something on; ``label`` may hold links."""
    state: dict[str, Any] = (
        {"default_checked": default_checked} if checked is None else {"checked": checked}
    )
    control = rx.el.label(
        rx.el.input(
            **state,
            **_present(on_change=on_change),
            type="checkbox",
            name=name,
            id=fixed_id(f"field-{name}"),
            disabled=disabled,
            custom_attrs=_described(name, hint, error),
            class_name="checkbox",
            **props,
        ),
        rx.el.span(label),
        class_name="e-check",
    )
    return rx.el.div(
        *_messages(name, hint="", error=error),
        control,
        when(
            given(hint),
            rx.el.p(hint, id=fixed_id(f"hint-{name}"), class_name="e-hint e-check-hint"),
        ),
        class_name="e-field",
        custom_attrs={"data-invalid": _mark_invalid(error)},
    )


def field_row(*fields: Child, columns: Literal[2, 3] = 2) -> rx.Component:
    """Set short fields side by side where there is room."""
    return rx.el.div(*fields, class_name="e-row", custom_attrs={"data-columns": str(columns)})


def fieldset(legend: Child, *fields: Child, hint: Text = "") -> rx.Component:
    """Group fields that answer one question."""
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="e-legend"),
        when(given(hint), rx.el.p(hint, class_name="e-hint mb-4")),
        rx.el.div(*fields, class_name="e-form"),
    )


def error_summary(
    errors: Sequence[tuple[str, str]] | rx.Var[Any],
    *,
    title: str = "Проверьте, что заполнено",
) -> rx.Component:
    """List what is wrong, each line a link to its field; takes the focus when it appears.

    Fill ``errors`` (pairs of field name and message) on submit only: a list that changes while
    the person fills fields would pull the focus away.
    """
    if isinstance(errors, rx.Var):
        lines = [rx.foreach(errors, lambda pair: _error_line(pair[0], pair[1]))]
    else:
        lines = [_error_line(name, message) for name, message in errors]
    return when(
        some(errors),
        rx.el.div(
            rx.el.h2(title, id=fixed_id("error-summary-title")),
            rx.el.ul(*lines),
            role="alert",
            tab_index=-1,
            class_name="e-summary-errors",
            custom_attrs={
                "data-error-summary": "",
                "aria-labelledby": "error-summary-title",
            },
        ),
    )


def file_field(
    label: Child,
    name: str,
    *,
    upload_url: Text,
    limit_bytes: int,
    limit_text: str,
    accept: str = "application/pdf,image/jpeg",
    hint: Text = "",
    error: Text = "",
    file_name: Text = "",
    file_details: Text = "",
    pages: Sequence[str] | rx.Var[Any] = (),
    camera: bool = False,
    checking: Flag = False,
    on_remove: Handler = None,
    disabled: Flag = False,
    required: bool = True,
    fields: Mapping[str, Text] | None = None,
    bare: bool = False,
) -> rx.Component:
    """Ask for a file, sent at once to ``upload_url`` as the multipart field ``scan``.

    A ``bare`` one is the body itself, its name in the query: what is large is then stored as it
    comes.

    The small script shows progress and what the server refused; that a file has arrived is seen
    by ``file_name``, which the server changes by itself. ``pages`` are addresses of pictures.
    A ``camera`` is offered to fingers only: a telephone has one, a desk seldom.
    """
    preview, removal = f"preview-{name}", f"remove-{name}"
    removes = on_remove is not None and disabled is False
    described = _described(name, hint, error, f"limit-{name}", f"refusal-{name}")
    named = {"aria-labelledby": f"label-{name} choose-{name}"}

    def chooser() -> rx.Component:
        # Without a form owner: the file has gone its own way and is no part of what is submitted.
        return rx.el.input(
            type="file",
            name=name,
            form="",
            id=fixed_id(f"field-{name}"),
            accept=accept,
            disabled=disabled,
            custom_attrs=described | named | {"data-file": ""},
        )

    def shutter(text: str, kind: Kind) -> list[rx.Component]:
        if not camera:
            return []
        return [
            rx.el.div(
                rx.el.span(
                    icon("camera"),
                    rx.el.span(text, id=fixed_id(f"camera-{name}")),
                    class_name=CLASSES[kind],
                ),
                rx.el.input(
                    type="file",
                    form="",
                    accept="image/jpeg",
                    capture="environment",
                    disabled=disabled,
                    custom_attrs={
                        "aria-labelledby": f"label-{name} camera-{name}",
                        "aria-describedby": f"limit-{name} refusal-{name}",
                        "data-file": "",
                    },
                ),
                class_name="e-replace e-camera",
            )
        ]

    empty = rx.el.div(
        icon("upload"),
        rx.el.span(
            rx.el.b("Выберите файл", id=fixed_id(f"choose-{name}")),
            rx.el.span(_DRAG, class_name="e-drag"),
        ),
        rx.el.span(limit_text, id=fixed_id(f"limit-{name}"), class_name="e-hint"),
        chooser(),
        class_name="e-drop",
    )
    present = rx.el.div(
        rx.el.div(
            icon("file"),
            rx.el.span(
                rx.el.b(file_name),
                when(given(file_details), rx.el.span(file_details, class_name="e-hint")),
            ),
            class_name="e-file-name",
        ),
        rx.el.div(
            when(some(pages), dialog_button("Посмотреть", preview, kind="quiet", icon="eye")),
            rx.el.div(
                rx.el.span(
                    icon("upload"),
                    rx.el.span("Заменить", id=fixed_id(f"choose-{name}")),
                    class_name="btn btn-ghost",
                ),
                rx.el.span(limit_text, id=fixed_id(f"limit-{name}"), class_name="e-hidden"),
                chooser(),
                class_name="e-replace",
            ),
            *shutter("Переснять", "quiet"),
            *([dialog_button("Удалить", removal, kind="quiet", icon="trash")] if removes else []),
            class_name="e-file-actions",
        ),
        when(
            some(pages),
            dialog(
                preview, "Просмотр", _pages(pages), actions=(close_button("Закрыть", first=True),)
            ),
        ),
        *(
            [
                confirm_dialog(
                    removal,
                    "Удалить этот файл?",
                    file_name if isinstance(file_name, str) else file_name.to(str),
                    confirm="Удалить",
                    on_confirm=on_remove,
                )
            ]
            if removes
            else []
        ),
        class_name="e-file",
    )
    body = [
        when(
            given(file_name),
            present,
            rx.el.div(empty, *shutter("Сфотографировать", "secondary"), class_name="grid gap-2"),
        ),
        rx.el.div(
            rx.el.span("", custom_attrs={"data-file-status": ""}),
            rx.el.progress(
                value=0,
                max=100,
                class_name="e-progress",
                custom_attrs={"aria-label": "Отправка файла"},
            ),
            rx.el.button(
                "Отменить", type="button", class_name="e-link", custom_attrs={"data-file-stop": ""}
            ),
            hidden=True,
            class_name="e-upload",
            custom_attrs={"data-file-progress": "", "role": "status"},
        ),
        when(
            checking,
            rx.el.p(
                rx.el.span(class_name="e-spinner"),
                " Проверяем файл…",
                role="status",
                class_name="e-hint flex gap-2 items-center",
            ),
        ),
        rx.el.p(
            icon("alert"),
            rx.el.span("", custom_attrs={"data-file-refusal": ""}),
            id=fixed_id(f"refusal-{name}"),
            hidden=True,
            role="alert",
            class_name="e-error",
        ),
    ]
    attrs: dict[str, Any] = {
        "data-upload-url": upload_url,
        "data-limit": str(limit_bytes),
        "data-limit-text": limit_text,
        "data-invalid": _mark_invalid(error),
    }
    if bare:
        attrs["data-upload-bare"] = ""
    if fields:
        attrs |= {f"data-upload-{key}": text for key, text in fields.items()}
        attrs["data-upload-fields"] = json.dumps(list(fields))
    return rx.el.div(
        rx.el.label(
            label,
            *_optional(required),
            id=fixed_id(f"label-{name}"),
            html_for=f"field-{name}",
            class_name="e-label",
        ),
        *_messages(name, hint=hint, error=error),
        *body,
        class_name="e-field",
        custom_attrs=attrs,
    )


def send_form(*fields: Child, send_url: Text, send: str, sending: str) -> rx.Component:
    """Send files and words together to ``send_url``, as parts named like the controls.

    The small script sends them and shows what the server refused: beside the ``refusal`` that
    names the code of the answer, or under the button. That it was taken is seen by what the server
    changes on the page.
    """
    return rx.el.form(
        *fields,
        rx.el.p(
            icon("alert"),
            rx.el.span("", custom_attrs={"data-refusal-text": ""}),
            hidden=True,
            role="alert",
            class_name="e-error",
            custom_attrs={"data-refusal": ""},
        ),
        rx.el.div(
            button(send, type="submit", kind="secondary"),
            rx.el.span(
                "",
                role="status",
                class_name="e-muted self-center",
                custom_attrs={"data-sending": sending},
            ),
            class_name="e-actions",
        ),
        on_submit=None,
        no_validate=True,
        class_name="e-form",
        custom_attrs={"data-send-url": send_url},
    )


def picked_file(
    label: Child,
    name: str,
    *,
    accept: str,
    limit_bytes: int,
    limit_text: str,
    hint: Text = "",
    required: bool = True,
    codes: Sequence[str] = (),
) -> rx.Component:
    """Ask for a file that a ``send_form`` sends; ``codes`` are the refusals that are about it."""
    described = _described(name, hint, "", f"limit-{name}", f"refusal-{name}")
    return rx.el.div(
        rx.el.label(
            label,
            *_optional(required),
            id=fixed_id(f"label-{name}"),
            html_for=f"field-{name}",
            class_name="e-label",
        ),
        *_messages(name, hint=hint, error=""),
        rx.el.div(
            icon("upload"),
            rx.el.span(
                rx.el.b("Выберите файл", id=fixed_id(f"choose-{name}"), custom_attrs=_PICKED),
                rx.el.span(_DRAG, class_name="e-drag", custom_attrs={"data-unpicked": ""}),
            ),
            rx.el.span(limit_text, id=fixed_id(f"limit-{name}"), class_name="e-hint"),
            rx.el.input(
                type="file",
                name=name,
                id=fixed_id(f"field-{name}"),
                accept=accept,
                custom_attrs=described
                | {
                    "aria-labelledby": f"label-{name} choose-{name}",
                    "data-pick": "",
                    "data-limit": str(limit_bytes),
                    "data-limit-text": limit_text,
                }
                | ({"data-needed": ""} if required else {}),
            ),
            class_name="e-drop",
        ),
        refusal(name, codes),
        class_name="e-field",
    )


def refusal(name: str, codes: Sequence[str] = ()) -> rx.Component:
    """Return the place beside a control of a ``send_form`` for the refusals of these codes."""
    return rx.el.p(
        icon("alert"),
        rx.el.span("", custom_attrs={"data-refusal-text": ""}),
        id=fixed_id(f"refusal-{name}"),
        hidden=True,
        role="alert",
        class_name="e-error",
        custom_attrs={"data-refusal": " ".join(codes), "data-refusal-of": f"field-{name}"},
    )


_PICKED = {"data-picked": "Выберите файл"}
_DRAG = " или перетащите его сюда"


def _pages(pages: Sequence[str] | rx.Var[Any]) -> rx.Component:
    """Show the pictures of all pages, each fetched once it is looked at."""

    def picture(page: Text, number: Text) -> rx.Component:
        return rx.el.img(
            src=page,
            alt=words("Страница", number),
            loading="lazy",
            class_name="e-page-picture",
            **keyed(page),
        )

    if isinstance(pages, rx.Var):
        shown = [rx.foreach(pages, lambda page, index: picture(page, (index + 1).to(str)))]
    else:
        shown = [picture(page, str(number)) for number, page in enumerate(pages, 1)]
    return rx.el.div(*shown, class_name="grid gap-4")


def search_box(
    label: str,
    name: str = "query",
    *,
    value: Text | None = None,
    default_value: Text | None = None,
    on_change: Handler = None,
    on_submit: Handler = None,
    placeholder: str = "",
    hint: Text = "",
    busy: Flag = False,
) -> rx.Component:
    """Search a list: as the person types (``on_change``), or on the button (``on_submit``)."""
    control = rx.el.div(
        icon("search"),
        rx.el.input(
            **_present(value=value, default_value=default_value, on_change=on_change),
            type="search",
            name=name,
            id=fixed_id(f"field-{name}"),
            placeholder=placeholder,
            auto_complete="off",
            enter_key_hint="search",
            spell_check=False,
            custom_attrs=_described(name, hint, ""),
        ),
        when(
            busy,
            rx.el.span(class_name="e-spinner", custom_attrs={"aria-hidden": "true"}),
        ),
        class_name="input",
    )
    field = _field(label, name, control, hint=hint, error="")
    if on_submit is None:
        return rx.el.div(field, custom_attrs={"role": "search"})
    return rx.el.form(
        field,
        button("Найти", type="submit", kind="secondary"),
        on_submit=on_submit,
        no_validate=True,
        role="search",
        class_name="e-search",
    )


def _field(
    label: Child,
    name: str,
    control: rx.Component,
    *,
    hint: Text,
    error: Text,
    required: bool = True,
) -> rx.Component:
    return rx.el.div(
        rx.el.label(label, *_optional(required), html_for=f"field-{name}", class_name="e-label"),
        *_messages(name, hint=hint, error=error),
        control,
        class_name="e-field",
        custom_attrs={"data-invalid": _mark_invalid(error)},
    )


def _group(
    legend: Child, name: str, control: rx.Component, *, hint: Text, error: Text
) -> rx.Component:
    return rx.el.fieldset(
        rx.el.legend(legend, class_name="e-label"),
        *_messages(name, hint=hint, error=error),
        control,
        class_name="e-field",
        custom_attrs={
            "data-invalid": _mark_invalid(error),
            "aria-describedby": words(
                either(given(error), f"error-{name}", ""), either(given(hint), f"hint-{name}", "")
            ),
        },
    )


def _messages(name: str, *, hint: Text, error: Text) -> list[Child]:
    hint_line = rx.el.p(hint, id=fixed_id(f"hint-{name}"), class_name="e-hint")
    error_line = rx.el.p(
        icon("alert"),
        rx.el.span(rx.el.span("Ошибка: ", class_name="e-hidden"), error),
        id=fixed_id(f"error-{name}"),
        class_name="e-error",
    )
    return listed(
        [
            when(given(hint), hint_line) if given(hint) is not False else None,
            when(given(error), error_line) if given(error) is not False else None,
        ]
    )


def _described(name: str, hint: Text, error: Text, *further: str) -> dict[str, Any]:
    """Point a control at its hint, its error and ``further`` ids, as far as they are shown."""
    ids = [
        either(given(error), f"error-{name}", ""),
        either(given(hint), f"hint-{name}", ""),
        *further,
    ]
    attrs: dict[str, Any] = {"aria-invalid": either(given(error), "true", "false")}
    described = words(*ids)
    if isinstance(described, rx.Var) or described:
        attrs["aria-describedby"] = described
    return attrs


def _mark_invalid(error: Text) -> Any:
    """Give ``data-invalid`` a value only while there is an error; React leaves out ``None``."""
    return either(given(error), "true", rx.Var("undefined"))


def _error_line(name: Text, message: Text) -> rx.Component:
    target = f"#field-{name}" if isinstance(name, str) else "#field-" + name.to(str)
    return rx.el.li(plain_link(message, target))


def _option(value: Text, text: Text) -> rx.Component:
    return rx.el.option(text, value=value)


def _optional(required: bool) -> list[Child]:
    return [] if required else [rx.el.small(" (необязательно)")]


def _affix(text: str) -> list[Child]:
    return [rx.el.span(text, class_name="e-affix")] if text else []


def _present(**props: Any) -> dict[str, Any]:
    return {name: value for name, value in props.items() if value is not None}


def _worded(**props: str) -> dict[str, str]:
    return {name: value for name, value in props.items() if value}
