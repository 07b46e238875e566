"""Periods, norms and plausible ranges: by two administrators, from a day on; begun cases keep
theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import select

from emk_app import working
from emk_app.db.engine import reading
from emk_app.db.tables.journal import AuditEntry
from emk_app.domain import examinations as rules
from emk_app.domain.actors import Actor, Position, Role
from emk_app.domain.amending import (
    AmendmentAnswered,
    AmendmentKind,
    AmendmentPending,
    DayPassed,
    NothingAmended,
    OutsidePossible,
    RangeUpsideDown,
    SameEditor,
    TypedStudy,
    bound_name,
)
from emk_app.domain.errors import (
    FreshFactorNeeded,
    Invalid,
    NotAChoice,
    NotFound,
    NotPermitted,
    Required,
)
from emk_app.domain.examinations import (
    Bounds,
    CorrectionReason,
    ExaminationKind,
    Implausible,
    NumberMalformed,
    Numbers,
    ProgrammeItem,
    programme,
)
from emk_app.domain.people import Sex
from emk_app.presenting import field_texts, reference
from emk_app.services import amending, examining
from tests.factories import make_admin, make_clinic, make_holder, make_physician, make_received

pytestmark = pytest.mark.usefixtures("world", "shipped_after")

FROM = date(2026, 12, 1)
EVE = FROM - timedelta(days=1)
PRESSURE = {
    "low_0": "60",
    "high_0": "260",
    "norm_low_0": "90",
    "norm_high_0": "129",
    "rare_low_0": "90",
    "rare_high_0": "200",
    "low_1": "30",
    "high_1": "160",
    "norm_low_1": "60",
    "norm_high_1": "84",
    "rare_low_1": "50",
    "rare_high_1": "",
}
BP = TypedStudy("bp", "12", PRESSURE, "01.12.2026", "Клинические рекомендации 2026 года")
TYPHOID = TypedStudy("typhoid:23", "24", {}, "01.12.2026", "Приказ")


@pytest.fixture
def shipped_after() -> Iterator[None]:
    yield
    rules.amend([])


@pytest.fixture
def writing(now: datetime) -> Actor:
    return replace(make_admin(now), session_id=1, factor_at=now)


@pytest.fixture
def other(now: datetime) -> Actor:
    return replace(make_admin(now), session_id=2, factor_at=now)


def agree(writing: Actor, other: Actor, typed: TypedStudy, now: datetime) -> None:
    amending.confirm(other, amending.write_study(writing, typed, now=now), now=now)
    working.amend()


def studies(on: date, point: str = "23") -> dict[str, ProgrammeItem]:
    made = programme(point, 30, Sex.FEMALE, ExaminationKind.PERIODIC, on)
    return {each.code: each for each in made}


def systolic(study: ProgrammeItem) -> tuple[Decimal | None, Decimal | None]:
    assert isinstance(study.form, Numbers)
    return study.form.parts[0].norm_low, study.form.parts[0].norm_high


def test_norm_changes_on_its_day_for_cases_that_begin_then(
    writing: Actor, other: Actor, now: datetime
):
    number = amending.write_study(writing, BP, now=now)
    working.amend()
    assert systolic(studies(FROM)["bp"])[1] == 139, "nobody has agreed yet"
    assert amending.confirm(other, number, now=now) is AmendmentKind.STUDY
    working.amend()
    assert systolic(studies(EVE)["bp"]) == (90, 139)
    assert systolic(studies(FROM)["bp"]) == (90, 129)
    # After the order's own last day as well.
    assert systolic(studies(date(2028, 1, 1))["bp"]) == (90, 129)
    form = studies(FROM)["bp"].form
    assert isinstance(form, Numbers)
    assert (form.unit, form.descending, form.parts[1].rare_high) == ("мм рт. ст.", True, None)
    with reading() as db:
        acts = db.exec(select(AuditEntry.action).where(AuditEntry.fields == "bp")).all()
    assert list(acts) == ["amend_study", "amendment_confirmed"]


def test_case_keeps_what_it_began_with(writing: Actor, other: Actor, now: datetime):
    clinic_id = make_clinic()
    registrar = make_physician(clinic_id, now, Position.REGISTRAR)
    physician = make_physician(clinic_id, now)
    agree(writing, other, replace(BP, bounds=PRESSURE | {"high_0": "200"}), now)

    def opened(at: datetime) -> int:
        made = make_received(make_holder(at), at, clinic_id=clinic_id)
        case = examining.open_case(registrar, made.number.slug, now=at)
        examining.confirm_identity(registrar, case, now=at)
        return case

    later = now + timedelta(days=10)
    begun, fresh = opened(now), opened(later)
    for case in (begun, fresh):
        examining.enter_result(physician, case, "bp", "135/80", f"{later:%d.%m.%Y}", now=later)
    found = [
        examining.view(physician, case, now=later).entries["bp"].result.deviation
        for case in (begun, fresh)
    ]
    assert found == [False, True]
    entry = examining.view(physician, begun, now=later).entries["bp"]
    correction = (begun, entry.id, "210/80", f"{later:%d.%m.%Y}")
    examining.correct_result(
        physician, *correction, reason=CorrectionReason.TYPO, confirmed=True, now=later
    )
    with pytest.raises(Invalid) as refused:
        examining.enter_result(
            physician, opened(later), "bp", "210/80", f"{later:%d.%m.%Y}", now=later
        )
    assert isinstance(refused.value.fields["text"], Implausible)


def test_period_is_amended_for_one_point_alone(writing: Actor, other: Actor, now: datetime):
    assert not studies(FROM)["typhoid"].required
    agree(writing, other, TYPHOID, now)
    assert (studies(FROM)["typhoid"].period_months, studies(FROM)["typhoid"].required) == (24, True)
    assert studies(EVE)["typhoid"].period_months is None
    assert studies(FROM, "24")["typhoid"].period_months is None
    back = replace(TYPHOID, period="once", valid_from="01.03.2027")
    agree(writing, other, back, now)
    assert studies(date(2027, 2, 28))["typhoid"].period_months == 24
    assert studies(date(2027, 3, 1))["typhoid"].period_months is None


def test_every_study_can_be_written_as_it_stands_but_that_is_no_amendment(
    writing: Actor, now: datetime
):
    listed = rules.listed_studies(FROM)
    assert len({each.key for each in listed}) == len(listed)
    for each in listed:
        row = reference.opened_study(each)
        bounds = {
            bound_name(bound, number): getattr(part, bound)
            for number, part in enumerate(row.parts)
            for bound in ("low", "high", "norm_low", "norm_high", "rare_low", "rare_high")
        }
        assert row.period in {key for key, _ in row.periods}
        typed = TypedStudy(each.key, row.period, bounds, "01.12.2026", "Как есть")
        with pytest.raises(NothingAmended):
            amending.write_study(writing, typed, now=now)


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"norm_low_0": "130"}, {"norm_high_0": RangeUpsideDown}),
        ({"low_0": "260", "high_0": "60"}, {"high_0": RangeUpsideDown}),
        ({"low_0": "60", "high_0": "60"}, {"high_0": RangeUpsideDown}),
        ({"rare_low_0": "150", "rare_high_0": "100"}, {"rare_high_0": RangeUpsideDown}),
        ({"norm_high_0": "261"}, {"norm_high_0": OutsidePossible}),
        ({"norm_low_1": "29", "rare_high_1": "161"}, {
            "norm_low_1": OutsidePossible, "rare_high_1": OutsidePossible,
        }),
        ({"low_0": "", "high_1": " "}, {"low_0": Required, "high_1": Required}),
        ({"norm_low_0": "90,5"}, {"norm_low_0": NumberMalformed}),
        ({"high_0": "1000"}, {"high_0": NumberMalformed}),
        ({"low_0": "-60"}, {"low_0": NumberMalformed}),
        ({"low_0": "1e2"}, {"low_0": NumberMalformed}),
        ({"low_0": "٦٠"}, {"low_0": NumberMalformed}),
    ],
)  # fmt: skip
def test_bounds_are_refused_by_field(
    wrong: dict[str, str], fields: dict[str, type], writing: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        amending.write_study(writing, replace(BP, bounds=PRESSURE | wrong), now=now)
    assert {name: type(why) for name, why in refused.value.fields.items()} == fields
    assert all(field_texts.word(why) for why in refused.value.fields.values())
    assert amending.amendments(writing) == ()


@pytest.mark.parametrize(
    ("typed", "field", "error"),
    [
        (replace(BP, valid_from="23.11.2026"), "valid_from", DayPassed),
        (replace(BP, valid_from="01.01.2026"), "valid_from", DayPassed),
        (replace(BP, valid_from=""), "valid_from", Required),
        (replace(BP, reason=""), "reason", Required),
        (replace(BP, period=""), "period", Required),
        # The guide's four and the attestation are never made once only.
        (replace(BP, period="once"), "period", NotAChoice),
        (replace(TYPHOID, key="hygiene:23", period="once"), "period", NotAChoice),
        (replace(BP, period="0"), "period", NotAChoice),
        (replace(BP, period="61"), "period", NotAChoice),
        (replace(BP, period="-1"), "period", NotAChoice),
    ],
)
def test_day_reason_and_period_are_refused(
    typed: TypedStudy, field: str, error: type, writing: Actor, now: datetime
):
    with pytest.raises(Invalid) as refused:
        amending.write_study(writing, typed, now=now)
    assert {name: type(why) for name, why in refused.value.fields.items()} == {field: error}


def test_nobody_confirms_their_own_and_nothing_waits_twice(
    writing: Actor, other: Actor, now: datetime
):
    number = amending.write_study(writing, BP, now=now)
    with pytest.raises(SameEditor):
        amending.confirm(writing, number, now=now)
    with pytest.raises(AmendmentPending):
        amending.write_study(other, BP, now=now)
    amending.write_study(other, TYPHOID, now=now)
    day = now.replace(year=2026, month=12, day=1)
    with pytest.raises(AmendmentAnswered):
        amending.confirm(replace(other, factor_at=day), number, now=day)
    amending.decline(other, number, now=now)
    working.amend()
    assert systolic(studies(FROM)["bp"])[1] == 139
    for key in ("nothing", "typhoid", "typhoid:99", ""):
        with pytest.raises(NotFound):
            amending.write_study(writing, replace(BP, key=key), now=now)


def test_act_wants_an_administrator_and_a_fresh_factor(writing: Actor, now: datetime):
    with pytest.raises(FreshFactorNeeded):
        amending.write_study(replace(writing, factor_at=None), BP, now=now)
    for role in set(Role) - {Role.ADMIN}:
        with pytest.raises(NotPermitted):
            amending.write_study(replace(writing, role=role), BP, now=now)


def test_colleague_reads_what_is_and_what_will_be(writing: Actor, other: Actor, now: datetime):
    amending.write_study(writing, BP, now=now)
    today = now.date()
    [row] = reference.amendment_rows(amending.amendments(other), today)
    assert row.what == "Исследование"
    assert row.was == (
        "раз в год; систолическое от 60 до 260, норма 90–139, без вопроса 90–200; "
        "диастолическое от 30 до 160, норма 60–89, без вопроса 50–120"
    )
    assert row.said == (
        "Артериальное давление, всем: раз в год; "
        "систолическое от 60 до 260, норма 90–129, без вопроса 90–200; "
        "диастолическое от 30 до 160, норма 60–84, без вопроса от 50"
    )
    amending.confirm(other, row.id, now=now)
    working.amend()
    rows: list[Any] = reference.study_rows(amending.amendments(other), today)
    [shown] = [each for each in rows if each.key == "bp"]
    assert (shown.whose, shown.period) == ("всем", "раз в год")
    assert shown.norm == "Норма 90–139/60–89 мм рт. ст."
    assert shown.later.startswith("с 01.12.2026: раз в год; систолическое")


def test_amendment_of_another_form_leaves_the_numbers_as_they_ship():
    rules.amend([rules.AmendedStudy("bp", FROM, 24, (Bounds(Decimal(1), Decimal(2)),))])
    assert systolic(studies(FROM)["bp"])[1] == 139
    assert studies(FROM)["bp"].period_months == 24
