"""The holder's look at their examination, and the staff page of a clinic, as tabs meet them."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from emk_app import clock
from emk_app.domain.actors import Actor, Position
from emk_app.domain.clearance import Fitness
from emk_app.domain.clinics import LicenceStatus
from emk_app.presenting.formats import day
from emk_app.services import appealing, examining
from emk_app.services.examining import Words
from emk_app.states.clinic import DayState, StaffState
from emk_app.states.my_examination import MyExaminationState
from tests.factories import (
    good_results,
    make_clinic,
    make_holder,
    make_physician,
    make_received,
)
from tests.scenes import kept
from tests.states.conftest import Screen, Screens

PAGE = "/cabinet/applications/[number_arg]"


@pytest.fixture
@kept
def moment(world: None) -> datetime:
    """Handlers read the clock themselves."""
    return clock.now()


@pytest.fixture
@kept
def clinic_id(world: None) -> int:
    return make_clinic()


@pytest.fixture
@kept
def chair(clinic_id: int, moment: datetime) -> Actor:
    return make_physician(clinic_id, moment, Position.CHAIR, "Седов Виктор Ильич")


@pytest.fixture
@kept
def holder(moment: datetime) -> Actor:
    return make_holder(moment)


@pytest.fixture
@kept
def number(holder: Actor, clinic_id: int, moment: datetime) -> str:
    return make_received(holder, moment, clinic_id=clinic_id).number.slug


@pytest.fixture
@kept
def opened(number: str, chair: Actor, moment: datetime) -> int:
    case = examining.open_case(chair, number, now=moment)
    examining.confirm_identity(chair, case, now=moment)
    return case


async def at_page(screens: Screens, actor: Actor, number: str) -> Screen:
    tab = await screens.signed_in(actor.user_id)
    await tab.follow(MyExaminationState.follow(), PAGE, number_arg=number)
    return tab


def find_unfit(chair: Actor, case: int, moment: datetime) -> None:
    from dataclasses import replace

    today = day(clock.day_of(moment))
    for result in good_results(
        examining.view(chair, case, now=moment).programme, clock.day_of(moment)
    ):
        examining.enter_result(chair, case, result.code, result.value, today, now=moment)
    seen = examining.view(chair, case, now=moment).version
    examining.conclude_and_sign(
        replace(chair, factor_at=moment),
        case,
        Fitness.UNFIT,
        Words(contraindication_codes=("skin",)),
        seen=seen,
        now=moment,
    )


async def test_result_reaches_the_holders_page_as_it_is_confirmed(
    screens: Screens, opened: int, number: str, holder: Actor, chair: Actor, moment: datetime
):
    tab = await at_page(screens, holder, number)
    state = await tab.until(MyExaminationState, lambda state: state.row.is_open)
    assert state.row.done == 0
    today = day(clock.day_of(moment))
    examining.enter_result(chair, opened, "bp", "145/95", today, now=moment)
    state = await tab.until(MyExaminationState, lambda state: state.row.done == 1)
    found = next(row for row in state.studies if row.code == "bp")
    assert (found.value, found.mark) == ("145/95 мм рт. ст.", "есть отклонение")
    examining.order_further(chair, opened, "ЭхоКГ", now=moment)
    state = await tab.until(MyExaminationState, lambda state: bool(state.row.further))
    assert state.row.further == "ЭхоКГ"


async def test_another_holder_gets_nothing_of_it(
    screens: Screens, opened: int, number: str, chair: Actor, moment: datetime
):
    examining.enter_result(chair, opened, "bp", "187/105", day(clock.day_of(moment)), now=moment)
    tab = await screens.signed_in(make_holder(moment).user_id)
    await tab.send(MyExaminationState.follow(), PAGE, number_arg=number)
    await tab.send(MyExaminationState.appeal({"reason": "моё"}), PAGE, number_arg=number)
    assert "187" not in json.dumps(tab.shown, default=str)
    assert not (await tab.state(MyExaminationState)).row.is_open


async def test_appeal_says_what_it_lacks_and_reaches_the_other_chair(
    screens: Screens,
    opened: int,
    number: str,
    holder: Actor,
    chair: Actor,
    clinic_id: int,
    moment: datetime,
):
    second = make_physician(clinic_id, moment, Position.CHAIR, "Юдина Раиса Фёдоровна")
    elsewhere, deserted = make_clinic(), make_clinic()
    closed = make_clinic(licence=LicenceStatus.SUSPENDED)
    for other in (elsewhere, closed):
        make_physician(other, moment, Position.CHAIR)
    find_unfit(chair, opened, moment)
    desk = await screens.signed_in(second.user_id)
    await desk.follow(DayState.follow())
    tab = await at_page(screens, holder, number)
    state = await tab.until(MyExaminationState, lambda state: state.row.may_appeal)
    assert state.conclusions[0].contraindications == "заболевание кожи открытых участков тела"
    assert [each[0] for each in state.commissions] == [str(clinic_id), str(elsewhere)]
    for forged in ("", "0", str(closed), str(deserted), "x"):
        form = {"reason": "Вылечился", "commission": forged}
        await tab.send(MyExaminationState.appeal(form), PAGE, number_arg=number)
        state = await tab.state(MyExaminationState)
        assert state.commission_error == "Выберите медорганизацию из списка."
    here = {"commission": str(clinic_id)}
    await tab.send(MyExaminationState.appeal(here | {"reason": " "}), PAGE, number_arg=number)
    state = await tab.state(MyExaminationState)
    assert state.appeal_error == "Напишите, с чем вы не согласны."
    await tab.send(
        MyExaminationState.appeal(here | {"reason": "Вылечился"}), PAGE, number_arg=number
    )
    state = await tab.state(MyExaminationState)
    assert (state.row.may_appeal, state.row.appeal) == (False, "ждёт второй комиссии")
    waiting = await desk.until(DayState, lambda state: bool(state.appeals))
    assert waiting.appeals[0].reason == "Вылечился"
    await desk.send(DayState.take_appeal(number))
    assert desk.gone_to == f"/clinic/exams/{opened}"
    assert appealing.waiting(second, now=moment) == ()


async def test_chair_gives_specialties_and_others_find_a_closed_page(
    screens: Screens, chair: Actor, clinic_id: int, moment: datetime
):
    physician = make_physician(clinic_id, moment, own_specialties=())
    tab = await screens.signed_in(chair.user_id)
    await tab.follow(StaffState.follow())
    await tab.until(StaffState, lambda state: len(state.rows) == 2)
    await tab.send(StaffState.set_specialty(physician.user_id, "dentist", True))
    state = await tab.state(StaffState)
    assert [row.codes for row in state.rows if row.is_physician] == [["dentist"]]
    await tab.send(StaffState.set_specialty(physician.user_id, "dentist", False))
    state = await tab.state(StaffState)
    assert [row.codes for row in state.rows if row.is_physician] == [[]]
    other = await screens.signed_in(physician.user_id)
    await other.follow(StaffState.follow())
    closed = await other.until(StaffState, lambda state: state.is_loaded)
    assert (closed.is_closed, closed.rows) == (True, [])
    await other.send(StaffState.set_specialty(physician.user_id, "dentist", True))
    assert [row.codes for row in state.rows if row.is_physician] == [[]]
