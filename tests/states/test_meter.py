"""The meter under a new password: the rules that refuse it speak, and nothing of it is kept."""

from __future__ import annotations

import pytest

from emk_app.domain.accounts import Strength
from emk_app.states.meter import MeterState
from tests.states.conftest import Screens


@pytest.mark.parametrize(
    ("password", "level", "said"),
    [
        ("", 0, ""),
        ("короткий", Strength.UNFIT, "12"),
        ("qwerty123456", Strength.UNFIT, "подбирают"),
        ("anna-сидит-дома", Strength.UNFIT, "логин"),
        ("лесная тропа 42", Strength.GOOD, "Добавьте"),
        ("лесная тропа ведёт к озеру", Strength.STRONG, "Надёжный"),
        ("x" * 1000, Strength.UNFIT, "128"),
    ],
)
async def test_meter_says_what_to_change_and_keeps_nothing(
    screens: Screens, password: str, level: int, said: str
):
    screen = await screens.stranger()
    await screen.send(MeterState.weigh(password, "anna@example.ru"), "/register")
    state = await screen.state(MeterState)
    assert state.level == level and said in state.text
    await screen.leave()
    await screen.send(MeterState.load, "/register")
    assert (await screen.state(MeterState)).level == 0
    assert not password or password not in repr(state.dict()) + repr(screen.shown)
