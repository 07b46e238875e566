"""The wizard and the dashboard as a tab meets them: real events, honest and forged."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import select

from emk_app import clock
from emk_app.db.engine import reading
from emk_app.db.tables.applications import Application
from emk_app.domain.actors import Actor
from emk_app.domain.applications import ApplicationStatus
from emk_app.domain.corrections import Asked
from emk_app.domain.documents import ScanKind
from emk_app.domain.intake import Field
from emk_app.services import applying, checking
from emk_app.services.applying import WizardStep
from emk_app.states.apply import ApplyState, ClinicSearchState
from emk_app.states.dashboard import CaseState, DashboardState
from emk_app.states.session import MessageState
from tests.factories import (
    FORM,
    ask,
    make_clinic,
    make_draft,
    make_holder,
    make_operator,
    make_submitted,
    put,
    put_scan,
)
from tests.states.conftest import Screen, Screens

STATE = "reflex___state____state"
APPLY = f"{STATE}.emk_app___states___apply____apply_state"
SEARCH = f"{STATE}.emk_app___states___apply____clinic_search_state"
DASHBOARD = f"{STATE}.emk_app___states___dashboard____dashboard_state"
CASE = f"{STATE}.emk_app___states___dashboard____case_state"

NONSENSE: tuple[Any, ...] = (
    None,
    0,
    -1,
    10**30,
    True,
    "",
    "x" * 5000,
    [],
    {},
    {"a": [1]},
    "\ud800",
)

HANDLERS: dict[str, tuple[str, ...]] = {
    f"{APPLY}.resume": (),
    f"{APPLY}.open": ("step",),
    f"{APPLY}.change": ("name", "text"),
    f"{APPLY}.finish_details": ("form",),
    f"{APPLY}.finish_papers": (),
    f"{APPLY}.finish_clinic": (),
    f"{APPLY}.remove_scan": ("name",),
    f"{APPLY}.choose_clinic": ("clinic_id",),
    f"{APPLY}.consent": ("given",),
    f"{APPLY}.remove_signature": (),
    f"{APPLY}.submit": (),
    f"{SEARCH}.begin": (),
    f"{SEARCH}.type_query": ("text",),
    f"{SEARCH}.choose_region": ("code",),
    f"{SEARCH}.choose_kind": ("kind",),
    f"{SEARCH}.only_with_policy": ("wanted",),
    f"{SEARCH}.only_for_work": ("wanted",),
    f"{SEARCH}.only_in_force": ("wanted",),
    f"{SEARCH}.relax": ("name",),
    f"{SEARCH}.forget_filters": (),
    f"{SEARCH}.show_more": (),
    f"{DASHBOARD}.discard": (),
    f"{CASE}.open": (),
    f"{CASE}.begin_search": (),
    f"{CASE}.change": ("name", "text"),
    f"{CASE}.remove_scan": ("name",),
    f"{CASE}.correct": ("form",),
    f"{CASE}.withdraw": (),
    f"{CASE}.reapply": (),
    f"{CASE}.choose_clinic": ("clinic_id",),
}
"""Every handler of these screens with its arguments."""


@pytest.fixture
def moment(world: None) -> datetime:
    """Handlers read the clock themselves."""
    return clock.now()


def everything() -> list[dict[str, Any]]:
    with reading() as db:
        return [row.model_dump() for row in db.exec(select(Application)).all()]


async def messages(screen: Screen) -> tuple[str, str]:
    state = await screen.state(MessageState)
    return state.polite, state.assertive


def test_list_of_handlers_is_complete():
    from reflex_base.registry import RegistrationContext

    known = RegistrationContext.get().event_handlers
    ours = {
        name
        for name in known
        if name.startswith((APPLY, SEARCH, DASHBOARD, CASE)) and not name.endswith(".follow")
    }
    assert {name for name in ours if not name.endswith(".setvar")} == set(HANDLERS)


@pytest.mark.parametrize("name", HANDLERS)
async def test_stranger_and_operator_move_nothing(name: str, screens: Screens, moment: datetime):
    make_draft(make_holder(moment), moment)
    before = everything()
    payload = dict.fromkeys(HANDLERS[name], "1")
    stranger = await screens.stranger()
    await stranger.forge(name, **payload)
    assert stranger.gone_to == "/login"
    operator = await screens.signed_in(make_operator(moment).user_id)
    await operator.forge(name, **payload)
    assert operator.gone_to == "/forbidden"
    assert everything() == before


@pytest.mark.parametrize("name", [name for name, names in HANDLERS.items() if names])
async def test_nonsense_in_a_payload_breaks_nothing(name: str, screens: Screens, moment: datetime):
    holder = make_holder(moment)
    tab = await screens.signed_in(holder.user_id)
    for value in NONSENSE:
        await tab.forge(name, **dict.fromkeys(HANDLERS[name], value))
    assert tab.errors == []
    found = applying.standing_draft(holder, now=moment)
    assert found is None or found.clinic is None


async def test_foreign_draft_named_by_a_forged_state_is_not_touched(
    screens: Screens, moment: datetime
):
    victim = make_draft(make_holder(moment), moment)
    before = everything()
    tab = await screens.signed_in(make_holder(moment).user_id)
    state = await tab.state(ApplyState)
    state._draft_id = victim.id
    await tab.forge(f"{APPLY}.submit")
    await tab.forge(f"{APPLY}.change", name="snils", text="1")
    await tab.forge(f"{APPLY}.choose_clinic", clinic_id=make_clinic())
    assert everything() == before
    assert (await messages(tab))[1]


async def test_foreign_case_is_missing(screens: Screens, moment: datetime):
    victim = make_submitted(make_holder(moment), moment)
    tab = await screens.signed_in(make_holder(moment).user_id)
    await tab.send(CaseState.open(), "/cabinet/applications", number_arg=victim.number.slug)
    state = await tab.state(CaseState)
    assert state.is_missing
    assert not any(victim.number.slug in str(delta) for delta in tab.shown[1:])
    state._case_id = victim.id
    await tab.forge(f"{CASE}.withdraw")
    await tab.forge(f"{CASE}.correct", form={"reply": "x"})
    assert (
        applying.case(
            Actor(everything()[0]["holder_id"], make_holder(moment).role),
            victim.number.slug,
            now=moment,
        ).case.status
        is ApplicationStatus.SUBMITTED
    )


async def test_page_alone_makes_no_draft(screens: Screens, moment: datetime):
    tab = await screens.signed_in(make_holder(moment).user_id)
    await tab.send(ApplyState.resume())
    assert tab.gone_to == "/cabinet/apply/details"
    await tab.send(ApplyState.open("details"))
    await tab.send(ApplyState.change("snils", ""))
    assert everything() == []
    assert (await tab.state(ApplyState)).is_loaded
    await tab.leave()
    await tab.send(ApplyState.open("review"))
    assert tab.gone_to == "/cabinet/apply/details"


async def test_field_is_saved_as_it_is_left_with_its_problem_beside_it(
    screens: Screens, moment: datetime
):
    holder = make_holder(moment)
    tab = await screens.signed_in(holder.user_id)
    await tab.send(ApplyState.open("details"))
    await tab.send(ApplyState.change("snils", "1122334459"))
    state = await tab.state(ApplyState)
    assert "СНИЛС состоит из 11 цифр" in state.errors["snils"]
    assert [name for name, text in state.errors.items() if text] == ["snils"]
    assert state.fields["snils"] == "1122334459"
    assert state.summary == []
    await tab.send(ApplyState.change("snils", "11223344595"))
    state = await tab.state(ApplyState)
    assert not any(state.errors.values())
    assert state.fields["snils"] == "112-233-445 95"
    found = applying.standing_draft(holder, now=moment)
    assert found is not None and found.number.shown == state.number


async def test_next_on_an_empty_form_names_every_field(screens: Screens, moment: datetime):
    tab = await screens.signed_in(make_holder(moment).user_id)
    await tab.send(ApplyState.open("details"))
    await tab.send(ApplyState.finish_details({}))
    state = await tab.state(ApplyState)
    assert [name for name, _ in state.summary] == [
        *("name_last", "name_first", "born_on", "sex"),
        *("passport_series", "passport_number", "passport_issued_on", "passport_unit"),
        *("snils", "policy_number", "phone"),
        *("address_index", "address_text", "occupation", "kind"),
    ]
    assert dict(state.summary)["name_last"] == "Фамилия: заполните это поле."
    assert all(state.errors[name] for name, _ in state.summary)
    assert tab.gone_to is None


async def test_holder_goes_through_the_wizard_and_hands_in(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    clinic = make_clinic()
    tab = await screens.signed_in(holder.user_id)
    await tab.send(ApplyState.open("details"))
    await tab.send(ApplyState.finish_details({field.value: text for field, text in FORM.items()}))
    assert tab.gone_to == "/cabinet/apply/papers"

    await tab.leave()
    await tab.send(ApplyState.open("papers"))
    await tab.send(ApplyState.finish_papers())
    state = await tab.state(ApplyState)
    assert [name for name, _ in state.summary] == ["scan_passport", "scan_policy"]
    assert state.steps == {
        "details": "done",
        "papers": "current",
        "clinic": "upcoming",
        "review": "upcoming",
    }
    draft = applying.standing_draft(holder, now=moment)
    assert draft is not None
    for kind in (ScanKind.PASSPORT, ScanKind.POLICY):
        put_scan(holder, draft.id, kind, moment)
    await tab.send(ApplyState.finish_papers())
    assert tab.gone_to == "/cabinet/apply/clinic"

    await tab.leave()
    await tab.send(ApplyState.open("clinic"))
    await tab.send(ClinicSearchState.begin())
    search = await tab.state(ClinicSearchState)
    assert [row.id for row in search.found] == [clinic]
    await tab.send(ApplyState.choose_clinic(clinic))
    await tab.send(ApplyState.finish_clinic())
    assert tab.gone_to == "/cabinet/apply/review"

    await tab.leave()
    await tab.send(ApplyState.open("review"))
    await tab.send(ApplyState.submit())
    state = await tab.state(ApplyState)
    assert [row.name for row in state.problems] == ["consent"]
    await tab.send(ApplyState.consent(True))
    await tab.send(ApplyState.submit())
    state = await tab.state(ApplyState)
    assert state.sent_number == draft.number.shown
    assert not state.busy
    await tab.send(ApplyState.submit())
    assert [row["status"] for row in everything()] == [ApplicationStatus.SUBMITTED]
    assert tab.errors == []


async def test_draft_opens_at_the_step_where_it_was_on_another_device(
    screens: Screens, moment: datetime
):
    holder = make_holder(moment)
    make_draft(holder, moment)
    here, there = [await screens.signed_in(holder.user_id) for _ in range(2)]
    await here.send(ApplyState.open("clinic"))
    await there.send(ApplyState.resume())
    assert there.gone_to == "/cabinet/apply/clinic"


async def test_another_tab_sees_what_is_typed_and_that_it_is_gone(
    screens: Screens, moment: datetime
):
    holder = make_holder(moment)
    draft = make_draft(holder, moment)
    here, there = [await screens.signed_in(holder.user_id) for _ in range(2)]
    await there.send(ApplyState.open("details"))
    await there.follow(ApplyState.follow())
    await here.send(ApplyState.change("phone", "+7 900 111-22-33"))
    await there.until(ApplyState, lambda state: state.fields["phone"] == "+7 900 111-22-33")
    applying.submit(holder, draft.id, now=moment)
    await there.until(ApplyState, lambda state: state.is_gone)


async def test_details_step_shows_no_scans_and_papers_step_no_fields(
    screens: Screens, moment: datetime
):
    holder = make_holder(moment)
    make_draft(holder, moment)
    tab = await screens.signed_in(holder.user_id)
    await tab.send(ApplyState.open("papers"))
    state = await tab.state(ApplyState)
    assert not any(state.fields.values())
    assert state.scans["scan_passport"].name == "passport.jpg"
    assert not any("112-233-445" in str(delta) for delta in tab.shown)


async def test_dashboard_follows_each_commit(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    tab = await screens.signed_in(holder.user_id)
    await tab.follow(DashboardState.follow())
    await tab.until(DashboardState, lambda state: state.is_loaded)
    draft = make_draft(holder, moment)
    await tab.until(DashboardState, lambda state: state.has_draft)
    applying.submit(holder, draft.id, now=moment)
    state = await tab.until(DashboardState, lambda state: bool(state.current))
    assert state.current[0].status == "Отправлено"
    assert not state.has_draft
    checking.finish(draft.id, moment)
    state = await tab.until(DashboardState, lambda state: state.current[0].status == "Получено")
    assert state.news == f"Заявка {draft.number.shown}: получено."


async def test_dashboard_of_somebody_else_hears_nothing(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    other = await screens.signed_in(make_holder(moment).user_id)
    await other.follow(DashboardState.follow())
    await other.until(DashboardState, lambda state: state.is_loaded)
    heard = len(other.shown)
    make_submitted(holder, moment)
    assert len(other.shown) == heard


async def test_holder_sees_and_sends_exactly_what_is_asked(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    draft = make_submitted(holder, moment)
    where = {"number_arg": draft.number.slug}
    tab = await screens.signed_in(holder.user_id)
    await tab.follow(CaseState.follow(), **where)
    await tab.send(CaseState.open(), **where)
    ask(draft.id, Asked(frozenset({Field.SNILS})), "Проверьте СНИЛС.", moment)
    state = await tab.until(CaseState, lambda state: state.case.needs_correction)
    assert [name for name, asked in state.asks.items() if asked] == ["snils"]
    assert state.case.note == "Проверьте СНИЛС."
    assert {name: text for name, text in state.fields.items() if text} == {
        "snils": "112-233-445 95"
    }

    await tab.send(CaseState.correct({"snils": "1", "phone": "+7 900 000-00-00"}), **where)
    state = await tab.state(CaseState)
    assert [name for name, _ in state.summary] == ["snils"]
    assert state.fields["snils"] == "1"
    await tab.send(CaseState.correct({"snils": "087-654-303 00", "reply": "Исправлено"}), **where)
    state = await tab.state(CaseState)
    assert state.case.status == "На проверке"
    assert (await messages(tab))[0] == "Исправления отправлены. Проверка продолжается."
    assert state.events[0].text == "Исправлено"
    fields = applying.case(holder, draft.number.slug, now=moment).fields
    assert (fields["snils"], fields["phone"]) == ("087-654-303 00", FORM[Field.PHONE])


async def test_case_is_withdrawn_and_begun_anew(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    draft = make_submitted(holder, moment)
    where = {"number_arg": draft.number.slug}
    tab = await screens.signed_in(holder.user_id)
    await tab.send(CaseState.open(), **where)
    await tab.send(CaseState.withdraw(), **where)
    state = await tab.state(CaseState)
    assert (state.case.status, state.case.may_reapply) == ("Отозвано", True)
    await tab.send(CaseState.reapply(), **where)
    assert tab.gone_to == "/cabinet/apply"
    new = applying.standing_draft(holder, now=moment)
    assert new is not None and new.fields == {f.value: text for f, text in FORM.items()}


async def test_case_the_clinic_has_begun_can_not_be_left(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    draft = make_submitted(holder, moment)
    put(draft.id, status=ApplicationStatus.UNDER_REVIEW, examination="open")
    where = {"number_arg": draft.number.slug}
    tab = await screens.signed_in(holder.user_id)
    await tab.send(CaseState.open(), **where)
    for event in (CaseState.withdraw(), CaseState.choose_clinic(make_clinic())):
        await tab.send(event, **where)
        assert "уже начала осмотр" in (await messages(tab))[1]
    assert (await tab.state(CaseState)).case.status == "На проверке"


async def test_search_narrows_by_each_filter(screens: Screens, moment: datetime):
    good, other = make_clinic(points="23"), make_clinic(points="27")
    holder = make_holder(moment)
    draft = applying.draft(holder, now=moment)
    applying.change_fields(holder, draft.id, {Field.OCCUPATION: "cook"}, now=moment)
    applying.remember_step(holder, draft.id, WizardStep.CLINIC, now=moment)
    tab = await screens.signed_in(holder.user_id)

    async def found(event: Any) -> list[int]:
        await tab.send(event)
        return [row.id for row in (await tab.state(ClinicSearchState)).found]

    assert await found(ClinicSearchState.begin()) == [good]
    assert set(await found(ClinicSearchState.only_for_work(False))) == {good, other}
    state = await tab.state(ClinicSearchState)
    assert [bool(row.obstacle) for row in state.found if row.id == other] == [True]
    assert await found(ClinicSearchState.choose_region("66")) == []
    assert set(await found(ClinicSearchState.choose_region(""))) == {good, other}
    assert await found(ClinicSearchState.choose_kind("hospital")) == []
    assert await found(ClinicSearchState.only_with_policy(True)) == []
    assert set(await found(ClinicSearchState.forget_filters())) == {good, other}
    assert await found(ClinicSearchState.type_query("нет такой")) == []


async def test_search_is_as_it_was_left_and_says_how_to_widen_it(
    screens: Screens, moment: datetime
):
    make_clinic()
    holder = make_holder(moment)
    applying.draft(holder, now=moment)
    tab = await screens.signed_in(holder.user_id)
    await tab.send(ClinicSearchState.begin())
    await tab.send(ClinicSearchState.type_query("поликлинка"))
    state = await tab.state(ClinicSearchState)
    assert len(state.found) == 1
    assert state.corrected == (
        "По запросу «поликлинка» ничего нет. Показано найденное по «поликлиника»."
    )
    await tab.send(ClinicSearchState.choose_region("66"))
    state = await tab.state(ClinicSearchState)
    assert (state.found, state.relaxations) == (
        [],
        [["region", "Искать во всех регионах\u00a0· 1"]],
    )
    await tab.send(ClinicSearchState.begin())
    state = await tab.state(ClinicSearchState)
    assert (state.query, state.region) == ("поликлинка", "66")
    await tab.send(ClinicSearchState.relax("region"))
    await tab.send(ClinicSearchState.relax("nothing"))
    state = await tab.state(ClinicSearchState)
    assert (len(state.found), state.region) == (1, "")
    await tab.send(ClinicSearchState.only_in_force(True))
    assert len((await tab.state(ClinicSearchState)).found) == 1
