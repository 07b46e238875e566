"""The electronic signature as the tabs of its holder and of an operator meet it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from emk_app import clock
from emk_app.domain.corrections import Asked
from emk_app.domain.intake import Field
from emk_app.services import applying, checking, esigning
from emk_app.settings import settings
from emk_app.states.apply import ApplyState
from emk_app.states.dashboard import CaseState
from emk_app.states.review import ReviewState
from tests.factories import ask, make_draft, make_holder, make_operator
from tests.files.signers import signature
from tests.services.test_esigning import OTHER_ROOT, ROOT, person
from tests.states.conftest import Screens


@pytest.fixture
def moment(world: None) -> Iterator[datetime]:
    """Handlers read the clock themselves."""
    settings().trusted_roots.mkdir(parents=True)
    (settings().trusted_roots / "root.cer").write_bytes(ROOT.certificate)
    yield clock.now()
    shutil.rmtree(settings().trusted_roots)


async def test_signature_given_elsewhere_shows_at_once_and_can_be_taken_back(
    screens: Screens, moment: datetime
):
    holder = make_holder(moment)
    draft = make_draft(holder, moment)
    tab = await screens.signed_in(holder.user_id)
    await tab.send(ApplyState.open("review"))
    state = await tab.state(ApplyState)
    assert (state.signature.word, state.can_sign) == ("", True)
    await tab.follow(ApplyState.follow())

    text = esigning.text(holder, draft.number.slug, now=moment).content
    signer = person(dates=(moment - timedelta(days=1), moment + timedelta(days=1)))
    esigning.accept(holder, draft.number.slug, signature(signer, text), None, now=moment)
    state = await tab.until(ApplyState, lambda state: bool(state.signature.word))
    assert (state.signature.word, state.signature.tone) == ("Подпись верна", "success")
    assert ["СНИЛС", "как в заявке"] in state.signature.facts
    assert not state.signature.is_outdated

    applying.change_fields(holder, draft.id, {Field.LAST_NAME: "Петрова"}, now=moment)
    state = await tab.until(ApplyState, lambda state: state.signature.is_outdated)
    assert state.signature.word == "Под прежним текстом"
    await tab.send(ApplyState.submit())
    state = await tab.state(ApplyState)
    [problem] = state.problems
    assert (problem.name, problem.href) == ("esignature", "")
    assert "удалите подпись" in problem.text
    assert not state.sent_number

    await tab.send(ApplyState.remove_signature())
    state = await tab.state(ApplyState)
    assert (state.signature.word, state.problems) == ("", [])
    await tab.send(ApplyState.submit())
    assert (await tab.state(ApplyState)).sent_number == draft.number.shown
    assert tab.errors == []


async def test_form_with_a_mistake_offers_nothing_to_sign(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    draft = make_draft(holder, moment)
    applying.change_fields(holder, draft.id, {Field.SNILS: "1"}, now=moment)
    tab = await screens.signed_in(holder.user_id)
    await tab.send(ApplyState.open("review"))
    assert not (await tab.state(ApplyState)).can_sign


async def test_steps_before_the_last_say_nothing_of_the_certificate(
    screens: Screens, moment: datetime
):
    holder = make_holder(moment)
    draft = make_draft(holder, moment)
    text = esigning.text(holder, draft.number.slug, now=moment).content
    signer = person(dates=(moment - timedelta(days=1), moment + timedelta(days=1)))
    esigning.accept(holder, draft.number.slug, signature(signer, text), None, now=moment)
    tab = await screens.signed_in(holder.user_id)
    await tab.send(ApplyState.open("papers"))
    assert not any("Пробный центр" in str(delta) for delta in tab.shown)


async def test_foreign_signature_named_by_a_forged_state_stays(screens: Screens, moment: datetime):
    victim = make_holder(moment)
    draft = make_draft(victim, moment)
    text = esigning.text(victim, draft.number.slug, now=moment).content
    signer = person(dates=(moment - timedelta(days=1), moment + timedelta(days=1)))
    esigning.accept(victim, draft.number.slug, signature(signer, text), None, now=moment)
    tab = await screens.signed_in(make_holder(moment).user_id)
    state = await tab.state(ApplyState)
    state._draft_id = draft.id
    await tab.send(ApplyState.remove_signature())
    found = applying.standing_draft(victim, now=moment)
    assert found is not None
    assert found.signature is not None


async def test_holder_and_operator_follow_what_the_check_finds(screens: Screens, moment: datetime):
    holder = make_holder(moment)
    draft = make_draft(holder, moment)
    slug = draft.number.slug
    text = esigning.text(holder, slug, now=moment).content
    dates = (moment - timedelta(days=1), moment + timedelta(days=1))
    signer = person(issuer=OTHER_ROOT, dates=dates)
    esigning.accept(holder, slug, signature(signer, text), None, now=moment)
    applying.submit(holder, draft.id, now=moment)
    tab = await screens.signed_in(holder.user_id)
    desk = await screens.signed_in(make_operator(moment).user_id)
    await tab.send(CaseState.open(), "/cabinet/applications", number_arg=slug)
    await tab.follow(CaseState.follow(), number_arg=slug)
    await desk.follow(ReviewState.follow(), number_arg=slug)

    checking.run(draft.id, moment)
    case = await tab.until(CaseState, lambda state: bool(state.checks))
    review = await desk.until(ReviewState, lambda state: bool(state.checks))
    for checks, word in ((case.checks, "посмотрит оператор"), (review.checks, "сверьте сами")):
        [row] = [row for row in checks if row.title == "Электронная подпись"]
        assert row.word == word
        assert "издатель не в списке доверенных" in row.text
    for shown in (case.signature, review.signature):
        assert shown.word == "Издатель не в списке доверенных"
        assert shown.certificate_href == f"/api/esignatures/{slug}/kept/certificate"

    ask(draft.id, Asked(fields=frozenset({Field.ADDRESS})), "Уточните адрес", moment)
    changed = {Field.ADDRESS: "г. Тверь, ул. Новая, д. 1"}
    applying.change_fields(holder, draft.id, changed, now=moment)
    applying.correct(holder, draft.id, now=moment)
    checking.run(draft.id, moment)
    for screen, kind in ((tab, CaseState), (desk, ReviewState)):
        state = await screen.until(kind, lambda state: state.signature.is_outdated)
        assert "под прежним текстом" in state.signature.text
