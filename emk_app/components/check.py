"""The forms of the check page as finished HTML: no script fills them or sends them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from emk_app.components.icons import PATHS

CHECK_SLOT: Final = "<!--VERDICT-CHECK-->"

PICK: Final = (
    '<div class="e-pick">',
    '<span class="btn btn-outline" aria-hidden="true">Выбрать файл</span>'
    '<span aria-hidden="true" data-none>Файл не выбран</span>'
    '<span aria-hidden="true" data-picked>Файл выбран</span></div>',
)
"""What stands around a ``required`` file's field: the browser's own button speaks its language."""
PICTURES: Final = "image/jpeg,image/png,image/webp,image/gif"
LINK, NUMBER, SNILS, PICTURE = "code", "number", "snils", "picture"


def check_forms_html(
    typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None
) -> str:
    """Write the forms with ``typed`` in the fields and each of ``errors`` beside its field."""
    kept, wrong = typed or {}, errors or {}
    link = _field(
        LINK,
        "Ссылка или код",
        "Вставьте ссылку, которую прислал работник, или 26 знаков кода из неё.",
        kept,
        wrong,
        'autocomplete="off" autocapitalize="off" spellcheck="false" maxlength="1000"',
    )
    picture = _field(
        PICTURE,
        "Картинка с QR-кодом",
        "Фотография или снимок экрана: JPEG, PNG, WebP или GIF до 5 МБ. Мы её не сохраняем.",
        {},
        wrong,
        f'accept="{PICTURES}" required title=""',
        kind="file",
        control="",
    )
    number = _field(
        NUMBER,
        "Номер книжки",
        "12 цифр, например 77-01-000123-26.",
        kept,
        wrong,
        'autocomplete="off" inputmode="numeric" maxlength="30"',
        width="medium",
    )
    snils = _field(
        SNILS,
        "СНИЛС владельца",
        "11 цифр. Имя покажем не полностью.",
        kept,
        wrong,
        'autocomplete="off" inputmode="numeric" maxlength="30" data-mask="000-000-000 00"',
        width="medium",
    )
    forms = "".join(
        (
            _form("/check/open", "get", link, "Проверить", "search"),
            _section(
                "По картинке",
                _form("/check/picture", "post", picture, "Прочитать код", "upload", is_upload=True),
            ),
            _section(
                "По номеру и СНИЛС",
                _form("/check/number", "post", number + snils, "Найти книжку", "search"),
            ),
        )
    )
    return f'<div class="e-body">{forms}</div>'


def _section(title: str, body: str) -> str:
    return (
        f'<section class="e-section"><div class="e-card-head"><h2>{title}</h2></div>'
        f"{body}</section>"
    )


def _form(
    action: str, method: str, fields: str, text: str, icon: str, *, is_upload: bool = False
) -> str:
    encoding = ' enctype="multipart/form-data"' if is_upload else ""
    return (
        f'<form class="e-form max-w-2xl" action="{action}" method="{method}"{encoding} novalidate>'
        f'{fields}<div class="e-actions"><button class="btn btn-primary" type="submit">'
        '<svg aria-hidden="true" class="e-icon" focusable="false" viewBox="0 0 24 24">'
        f'<path d="{PATHS.get(icon, PATHS["search"])}"/></svg><span>{text}</span></button></div>'
        "</form>"
    )


def _field(
    name: str,
    label: str,
    hint: str,
    typed: Mapping[str, str],
    errors: Mapping[str, str],
    attributes: str,
    *,
    kind: str = "text",
    width: str = "long",
    control: str = "input",
) -> str:
    error = errors.get(name, "")
    value = f' value="{escape(typed[name])}"' if typed.get(name) else ""
    line = (
        f'<p class="e-error" id="error-{name}"><svg aria-hidden="true" class="e-icon" '
        f'focusable="false" viewBox="0 0 24 24"><path d="{PATHS["alert"]}"/></svg>'
        f'<span><span class="e-hidden">Ошибка: </span>{escape(error)}</span></p>'
        if error
        else ""
    )
    described = f"hint-{name} error-{name}" if error else f"hint-{name}"
    invalid = ' data-invalid="true"' if error else ""
    focus = " autofocus" if error and name == next(iter(errors)) else ""
    before, after = '<div class="e-width-' + width + '">', "</div>"
    if kind == "file":
        before, after = PICK
    return (
        f'<div class="e-field"{invalid}><label class="e-label" for="field-{name}">{label}</label>'
        f'<p class="e-hint" id="hint-{name}">{hint}</p>{line}{before}'
        f'<input class="{control}" id="field-{name}" name="{name}" type="{kind}"{value} '
        f'aria-describedby="{described}" aria-invalid="{"true" if error else "false"}" '
        f"{attributes}{focus}>{after}</div>"
    )
