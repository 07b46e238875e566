"""A new password with its meter, wherever one is chosen."""

from __future__ import annotations

from typing import Any, Final

import reflex as rx

from emk_app.components import forms
from emk_app.states.meter import MeterState

LOGIN: Final = rx.Var("(document.getElementById('field-login')?.value ?? '')", _var_type=str)
"""What stands in the field of the login, on pages that have one: no password is made of it."""
PAUSE: Final = 400
"""Milliseconds without a key after which the password is looked at."""


def new_password_field(label: str, name: str, *, error: Any) -> rx.Component:
    """Ask for a new password; say at once how strong it is."""
    return forms.password_field(
        label,
        name,
        new=True,
        hint="Не короче 12 символов. Подойдёт фраза из нескольких слов.",
        error=error,
        meter=forms.strength_meter(MeterState.level, MeterState.text),
        on_change=lambda typed: MeterState.weigh(typed, LOGIN).debounce(PAUSE),
    )
