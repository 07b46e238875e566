"""A fresh second factor, asked for in the form of the act it confirms (D13)."""

from __future__ import annotations

from typing import Any

import reflex as rx

from emk_app.components import buttons, forms
from emk_app.components.markup import given, when
from emk_app.components.passkeys import passkey_button
from emk_app.domain.factors import Purpose
from emk_app.states.session import PersonState


def fresh_factor(name: str = "code", *, hint: Any = "", error: Any = "", **props: Any) -> Any:
    """Ask for a code, or a key in its place: once it has answered, the form goes on by itself.

    Recovery codes are taken as well, so there is room for them.
    """
    return rx.el.div(
        forms.code_field(PersonState.code_label, name, length=11, hint=hint, error=error, **props),
        when(
            PersonState.has_passkey,
            passkey_button("Подтвердить ключом доступа", Purpose.RENEW, kind="secondary"),
        ),
        when(
            PersonState.has_sms,
            rx.el.div(
                buttons.quiet_button("Получить код по СМС", on_click=PersonState.send_code),
                rx.el.p(
                    when(given(PersonState.sms_said), PersonState.sms_said),
                    role="status",
                    class_name="e-hint",
                ),
            ),
        ),
        class_name="space-y-3",
    )
