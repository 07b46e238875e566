"""The wizard: data, papers, clinic, review; each step a page of its own."""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Any, Final

import reflex as rx

from emk_app.components import buttons, cards, forms, links, steps
from emk_app.components.badges import badge
from emk_app.components.icons import icon
from emk_app.components.markup import Child, given, some, some_or, when
from emk_app.domain.applications import REQUIRED_SCANS
from emk_app.domain.consent import CURRENT
from emk_app.domain.corrections import scan_control
from emk_app.domain.documents import LIMITS, ScanKind
from emk_app.domain.examinations import ExaminationKind
from emk_app.domain.intake import ASKED_IF, CERTIFICATE_MONTHS, AppliedBy, Field, HolderCategory
from emk_app.domain.papers import REQUIRED_IF
from emk_app.domain.passports import IdentityKind
from emk_app.domain.policies import PolicyKind
from emk_app.pages import esignature, frames
from emk_app.pages.consent import CONSENT, text_of
from emk_app.pages.menus import HOLDER_MENU
from emk_app.pages.table import Page
from emk_app.presenting import applications as rows
from emk_app.presenting.reference import SHIPPED
from emk_app.presenting.registers import every_region
from emk_app.services.applying import WizardStep
from emk_app.states.apply import ENTRY, ApplyState, ClinicSearchState
from emk_app.states.occupations import OccupationsState
from emk_app.states.session import PersonState

SCAN_HINTS: Final = {
    ScanKind.PASSPORT: "Цветной скан разворота с фотографией. Края и все буквы должны быть видны.",
    ScanKind.POLICY: "Цветной скан полиса или снимок карты с обеих сторон.",
    ScanKind.SNILS: "Карточка или уведомление о регистрации.",
    ScanKind.WORK_CERTIFICATE: "Если вы уже работаете: справка или направление от работодателя.",
    ScanKind.DIPLOMA: "Для медицинских и фармацевтических профессий.",
    ScanKind.STATUS_CERTIFICATE: "Страница или справка, где видны имя и срок действия.",
    ScanKind.CONSENT: "Если вы подписали согласие на бумаге.",
    ScanKind.POWER_OF_ATTORNEY: "Все страницы, с подписью и печатью нотариуса.",
    ScanKind.REPRESENTED_STATUS: (
        "Родители показывают свидетельство о рождении, опекуны документ об опеке."
    ),
    ScanKind.EXAM_CERTIFICATE: (
        f"Справка о состоянии здоровья, если осмотр был в последние {CERTIFICATE_MONTHS} месяцев."
    ),
}


def entry() -> rx.Component:
    """Return the page that leads to the step at which the draft was left."""
    return frames.signed_in(
        cards.loading("Открываем заявку…"),
        title="Оформление книжки",
        menu=HOLDER_MENU,
        current=ENTRY,
    )


def details() -> rx.Component:
    """Return the first step: who applies, for which work."""
    applied_by: Any = ApplyState.fields[Field.APPLIED_BY.value]
    is_represented = applied_by == AppliedBy.REPRESENTATIVE.value
    return _step_page(
        WizardStep.DETAILS,
        when(
            given(ApplyState.other_number),
            cards.notice(
                rx.el.p(
                    "У вас уже есть заявка ",
                    links.link(ApplyState.other_number, ApplyState.other_href),
                    ", решения по ней ещё нет. Вторая нужна, только если профессия другая.",
                ),
            ),
        ),
        forms.error_summary(ApplyState.summary),
        forms.form(
            cards.card(
                answer(Field.APPLIED_BY, ApplyState),
                when(
                    is_represented,
                    rx.el.div(
                        answer(Field.REPRESENTATIVE_BASIS, ApplyState),
                        forms.field_row(
                            answer(Field.REPRESENTATIVE_LAST, ApplyState),
                            answer(Field.REPRESENTATIVE_FIRST, ApplyState),
                            answer(Field.REPRESENTATIVE_PATRONYMIC, ApplyState),
                            columns=3,
                        ),
                        answer(Field.ATTORNEY_NUMBER, ApplyState),
                        answer(Field.ATTORNEY_NOTARY, ApplyState),
                        forms.field_row(
                            answer(Field.ATTORNEY_ISSUED_ON, ApplyState),
                            answer(Field.ATTORNEY_UNTIL, ApplyState),
                        ),
                        class_name="e-form",
                    ),
                ),
                title="Кто подаёт",
            ),
            cards.card(
                forms.field_row(
                    answer(Field.LAST_NAME, ApplyState),
                    answer(Field.FIRST_NAME, ApplyState),
                    answer(Field.PATRONYMIC, ApplyState),
                    columns=3,
                ),
                answer(Field.BIRTH_DATE, ApplyState),
                answer(Field.SEX, ApplyState),
                title=rx.cond(is_represented, "О владельце книжки", "О вас"),
            ),
            cards.card(
                answer(Field.IDENTITY_KIND, ApplyState),
                forms.field_row(
                    answer(Field.PASSPORT_SERIES, ApplyState),
                    answer(Field.PASSPORT_NUMBER, ApplyState),
                ),
                forms.field_row(
                    answer(Field.PASSPORT_ISSUED_ON, ApplyState),
                    answer(Field.PASSPORT_UNIT, ApplyState),
                ),
                answer(Field.IDENTITY_NUMBER, ApplyState),
                title="Документ",
            ),
            cards.card(
                answer(Field.SNILS, ApplyState),
                answer(Field.POLICY_KIND, ApplyState),
                answer(Field.POLICY_SERIES, ApplyState),
                answer(Field.POLICY_NUMBER, ApplyState),
                _hints(),
                title="СНИЛС и полис",
            ),
            cards.card(
                answer(Field.PHONE, ApplyState),
                answer(Field.POSTAL_INDEX, ApplyState),
                answer(Field.ADDRESS, ApplyState),
                title="Телефон и адрес",
            ),
            cards.card(
                answer(Field.OCCUPATION, ApplyState),
                answer(Field.KIND, ApplyState),
                answer(Field.CATEGORY, ApplyState),
                title="Работа",
            ),
            buttons.actions(
                buttons.primary_button("Далее: документы", type="submit", icon="arrow-right"),
            ),
            on_submit=ApplyState.finish_details,
        ),
        title="Ваши данные",
        lead="Заполняйте как в документах. Каждое поле сохраняется сразу, так что прерваться "
        "и продолжить можно в любой день и с любого устройства.",
    )


def papers() -> rx.Component:
    """Return the second step: scans."""
    return _step_page(
        WizardStep.PAPERS,
        forms.error_summary(ApplyState.summary),
        cards.card(
            rx.el.div(
                *[
                    when(ApplyState.needs[scan_control(kind)], scan_field(kind, ApplyState))
                    for kind in REQUIRED_IF
                ],
                class_name="e-form",
            ),
            title="Обязательные документы",
        ),
        cards.card(
            cards.details(
                "Приложить другие документы",
                rx.el.div(
                    *[
                        when(ApplyState.offers[scan_control(kind)], _further(kind))
                        for kind in ScanKind
                        if kind not in REQUIRED_SCANS
                    ],
                    class_name="e-form",
                ),
                opened=ApplyState.has_others,
            ),
        ),
        buttons.actions(
            buttons.primary_button(
                "Далее: медорганизация", ApplyState.finish_papers, icon="arrow-right"
            ),
            _back_to(WizardStep.DETAILS),
        ),
        title="Документы",
        lead="Снимите документы телефоном или отсканируйте их. Файлы хранятся зашифрованными, "
        "видят их только оператор и выбранная вами медорганизация.",
    )


def clinic() -> rx.Component:
    """Return the third step: where the examination will be."""
    return _step_page(
        WizardStep.CLINIC,
        forms.error_summary(ApplyState.summary),
        when(
            ApplyState.has_clinic,
            cards.card(
                clinic_facts(ApplyState.clinic),
                _error_line(ApplyState.errors["clinic"]),
                buttons.actions(
                    buttons.primary_button(
                        "Далее: проверка", ApplyState.finish_clinic, icon="arrow-right"
                    ),
                    _back_to(WizardStep.PAPERS),
                ),
                title="Вы выбрали",
                tone="success",
            ),
        ),
        clinic_search(ApplyState.choose_clinic, ApplyState.clinic_id),
        when(
            ~ApplyState.has_clinic,
            buttons.actions(
                buttons.primary_button(
                    "Далее: проверка", ApplyState.finish_clinic, icon="arrow-right"
                ),
                _back_to(WizardStep.PAPERS),
            ),
        ),
        title="Медорганизация",
        lead="Выберите, где пройдёте осмотр. Осмотр очный: прийти придётся самому. Выбор можно "
        "изменить, пока осмотр не начался.",
    )


def review() -> rx.Component:
    """Return the last step: look once more, agree, hand in."""
    return _step_page(
        WizardStep.REVIEW,
        when(
            some(ApplyState.problems),
            cards.notice(
                cards.prose(
                    rx.el.ul(
                        rx.foreach(
                            ApplyState.problems,
                            lambda row: rx.el.li(
                                rx.el.b(row["label"], ": "),
                                row["text"],
                                " ",
                                rx.cond(
                                    given(row["href"]),
                                    links.link("Исправить", row["href"]),
                                    links.plain_link("Исправить", "#field-" + row["name"]),
                                ),
                                key=row["name"],
                            ),
                        ),
                    )
                ),
                title="Заявка ещё не готова",
                tone="danger",
                live=True,
            ),
        ),
        _hints(),
        cards.card(
            cards.summary_list(
                rx.foreach(
                    ApplyState.answers,
                    lambda row: cards.summary_row(row["label"], row["value"]),
                )
            ),
            title="Ваши данные",
            actions=_change(WizardStep.DETAILS, "данные"),
        ),
        cards.card(
            cards.summary_list(
                rx.foreach(
                    ApplyState.papers,
                    lambda row: cards.summary_row(row["label"], _paper(row), empty="нет скана"),
                )
            ),
            title="Документы",
            actions=_change(WizardStep.PAPERS, "документы"),
        ),
        cards.card(
            when(
                ApplyState.has_clinic,
                clinic_facts(ApplyState.clinic),
                rx.el.p("Не выбрана", class_name="e-muted"),
            ),
            title="Медорганизация",
            actions=_change(WizardStep.CLINIC, "медорганизацию"),
        ),
        esignature.signing(ApplyState),
        cards.card(
            rx.el.div(
                cards.details(CURRENT.title, text_of(CURRENT)),
                rx.el.p(
                    "Отозвать согласие можно в любой день на странице ",
                    links.link("«Согласие»", CONSENT),
                    ". Там же есть бланк, если хотите подписать его на бумаге.",
                    class_name="e-muted",
                ),
                forms.checkbox_field(
                    "Я прочитал текст и согласен на обработку моих персональных данных, "
                    "в том числе сведений о здоровье",
                    "consent",
                    default_checked=ApplyState.consented,
                    key=ApplyState.revision,
                    on_change=ApplyState.consent,
                    error=ApplyState.errors["consent"],
                ),
                class_name="e-form",
            ),
            title="Согласие",
        ),
        buttons.actions(
            buttons.primary_button(
                "Отправить заявку",
                ApplyState.submit,
                busy=ApplyState.busy,
                busy_text="Отправляем…",
            ),
            _back_to(WizardStep.CLINIC),
        ),
        title="Проверка и отправка",
        lead="Сверьте всё с документами. После отправки исправить можно будет только то, о чём "
        "попросит оператор.",
    )


def answer(field: Field, state: Any) -> rx.Component:
    """Return the control of one field, shown while the other answers ask for it.

    ``state`` has ``fields``, ``errors`` and ``change``.
    """
    control = _control(field, state)
    conditions = [
        reduce(or_, (state.fields[other.value] == value for value in sorted(right)))
        for other, right in ASKED_IF.get(field, {}).items()
    ]
    return when(reduce(and_, conditions), control) if conditions else control


def _control(field: Field, state: Any) -> rx.Component:
    label, text = rows.FIELDS[field], state.fields[field.value]
    common: dict[str, Any] = {"error": state.errors[field.value]}
    typed = common | {
        "default_value": text,
        "on_blur": lambda typed: state.change(field.value, typed),
    }
    chosen = common | {"on_change": lambda value: state.change(field.value, value)}
    # A choice is kept by the browser, so that it is there before the server has answered.
    picked = chosen | {"held": False}
    match field:
        case Field.APPLIED_BY:
            choices = [
                forms.Choice(AppliedBy.HOLDER.value, "Я сам", "Книжка нужна мне."),
                forms.Choice(
                    AppliedBy.REPRESENTATIVE.value,
                    "Я представитель",
                    "Родитель, опекун или по доверенности. Так подают за тех, кому нет 18 лет.",
                ),
            ]
            applied_by = rx.cond(text, text, AppliedBy.HOLDER.value)
            return _renewed(
                state,
                forms.radio_cards(label, field, choices, value=applied_by, columns=2, **picked),
            )
        case Field.REPRESENTATIVE_BASIS:
            choices = [forms.Choice(basis.value, word) for basis, word in rows.BASES.items()]
            return _renewed(state, forms.radio_cards(label, field, choices, value=text, **picked))
        case Field.REPRESENTATIVE_LAST | Field.REPRESENTATIVE_FIRST:
            return forms.text_field(label, field, **typed)
        case Field.REPRESENTATIVE_PATRONYMIC:
            return forms.text_field(label, field, required=False, **typed)
        case Field.ATTORNEY_NUMBER:
            return forms.text_field(
                label, field, width="long", hint="Номер бланка или в реестре нотариуса.", **typed
            )
        case Field.ATTORNEY_NOTARY:
            return forms.text_field(
                label, field, hint="Имя нотариуса и его нотариальный округ.", **typed
            )
        case Field.ATTORNEY_ISSUED_ON:
            return forms.date_field(label, field, hint="Например, 15.01.2026", **typed)
        case Field.ATTORNEY_UNTIL:
            return forms.date_field(
                label,
                field,
                required=False,
                hint="Если срок не написан, доверенность действует год.",
                **typed,
            )
        case Field.CATEGORY:
            return forms.select_field(
                label,
                field,
                [(category.value, word) for category, word in rows.CATEGORIES.items()],
                default_value=rx.cond(text, text, HolderCategory.NONE.value),
                key=state.revision,
                placeholder="",
                width="long",
                hint="Студентам, пенсионерам и людям с инвалидностью понадобится документ об этом.",
                **chosen,
            )
        case Field.EXAM_CERTIFICATE_ON:
            return forms.date_field(
                label, field, required=False, hint="День, которым подписана справка.", **typed
            )
        case Field.LAST_NAME:
            return forms.text_field(label, field, auto_complete="family-name", **typed)
        case Field.FIRST_NAME:
            return forms.text_field(label, field, auto_complete="given-name", **typed)
        case Field.PATRONYMIC:
            return forms.text_field(
                label,
                field,
                auto_complete="additional-name",
                required=False,
                **typed,
            )
        case Field.BIRTH_DATE:
            return forms.date_field(label, field, auto_complete="bday", **typed)
        case Field.SEX:
            choices = [forms.Choice(sex.value, word) for sex, word in rows.SEXES.items()]
            return _renewed(
                state, forms.radio_cards(label, field, choices, value=text, columns=2, **picked)
            )
        case Field.IDENTITY_KIND:
            return forms.select_field(
                label,
                field,
                [(kind.value, word) for kind, word in rows.IDENTITY_KINDS.items()],
                default_value=rx.cond(text, text, IdentityKind.PASSPORT.value),
                key=state.revision,
                placeholder="",
                width="long",
                **chosen,
            )
        case Field.PASSPORT_SERIES:
            return forms.text_field(
                label,
                field,
                input_mode="numeric",
                hint="4 цифры",
                max_length=12,
                width="short",
                **typed,
            )
        case Field.PASSPORT_NUMBER:
            return forms.text_field(
                label,
                field,
                input_mode="numeric",
                hint="6 цифр",
                max_length=12,
                width="short",
                **typed,
            )
        case Field.PASSPORT_ISSUED_ON:
            return forms.date_field(label, field, hint="Например, 20.04.2010", **typed)
        case Field.PASSPORT_UNIT:
            return forms.text_field(
                label,
                field,
                input_mode="numeric",
                mask="000-000",
                hint="Рядом с датой выдачи, например 770-045",
                max_length=12,
                width="short",
                **typed,
            )
        case Field.IDENTITY_NUMBER:
            return forms.text_field(
                label,
                field,
                hint="Как в документе, серия и номер подряд.",
                width="medium",
                **typed,
            )
        case Field.SNILS:
            return forms.snils_field(label, field, **typed)
        case Field.POLICY_KIND:
            options = [(kind.value, label.text) for kind, label in rows.POLICY_KINDS.items()]
            return forms.select_field(
                label,
                field,
                options,
                default_value=rx.cond(text, text, PolicyKind.UNIFIED.value),
                key=state.revision,
                placeholder="",
                width="long",
                **chosen,
            )
        case Field.POLICY_SERIES:
            return forms.text_field(
                label, field, width="short", hint="Буквы и цифры перед номером.", **typed
            )
        case Field.POLICY_NUMBER:
            return forms.text_field(label, field, width="medium", hint=_policy_hint(state), **typed)
        case Field.PHONE:
            return forms.phone_field(
                label,
                field,
                hint="На него придут сообщения о заявке. Например, +7 912 345-67-89",
                **typed,
            )
        case Field.POSTAL_INDEX:
            return forms.text_field(
                label,
                field,
                input_mode="numeric",
                auto_complete="postal-code",
                width="tiny",
                max_length=12,
                **typed,
            )
        case Field.ADDRESS:
            return forms.text_field(
                label,
                field,
                auto_complete="street-address",
                hint="Город или посёлок, улица, дом, квартира, как в штампе паспорта.",
                **typed,
            )
        case Field.OCCUPATION:
            return forms.select_field(
                label,
                field,
                some_or(OccupationsState.groups, SHIPPED),
                grouped=True,
                default_value=text,
                key=state.revision,
                hint=rx.cond(state.work, state.work, "От профессии зависит, что войдёт в осмотр."),
                **chosen,
            )
        case Field.KIND:
            kinds = [
                forms.Choice(
                    ExaminationKind.PRE_PLACEMENT.value,
                    "Предварительный",
                    "Вы поступаете на работу или учёбу.",
                ),
                forms.Choice(ExaminationKind.PERIODIC.value, "Периодический", "Вы уже работаете."),
            ]
            return _renewed(
                state, forms.radio_cards(label, field, kinds, value=text, columns=2, **picked)
            )


def _renewed(state: Any, control: rx.Component) -> rx.Component:
    """Let a choice begin anew once it was changed elsewhere."""
    return rx.el.div(control, key=state.revision)


def scan_field(kind: ScanKind, state: Any, *, required: bool = True) -> rx.Component:
    """Return the control of one paper; ``state`` has ``slug``, ``scans``, ``errors``."""
    name = scan_control(kind)
    row = state.scans[name]
    field = forms.file_field(
        row["label"],
        name,
        upload_url="/api/scans/" + state.slug + f"/{kind}",
        limit_bytes=LIMITS[kind],
        limit_text=rows.limit_text(kind),
        hint=SCAN_HINTS.get(kind, ""),
        error=state.errors[name],
        file_name=row["name"],
        file_details=row["details"],
        pages=row["pages"],
        camera=True,
        on_remove=state.remove_scan(name),
        required=required,
    )
    warning = when(given(row["warning"]), cards.notice(rx.el.p(row["warning"]), tone="waiting"))
    return rx.el.div(field, warning, class_name="grid gap-3")


def _further(kind: ScanKind) -> rx.Component:
    field = scan_field(kind, ApplyState, required=False)
    if kind is not ScanKind.EXAM_CERTIFICATE:
        return field
    return rx.el.div(field, answer(Field.EXAM_CERTIFICATE_ON, ApplyState), class_name="e-form")


def clinic_search(on_choose: Any, chosen_id: Any) -> rx.Component:
    """Return the search of clinics; ``on_choose`` gets the identity of the chosen one."""
    return rx.el.div(
        cards.section(
            "Поиск",
            # A control that is put up anew loses what was typed into it: it waits for the search.
            when(
                ClinicSearchState.is_searched,
                rx.fragment(_search_controls(), _found_clinics(on_choose, chosen_id)),
                cards.loading("Ищем…"),
            ),
        ),
        custom_attrs={"data-arrows": ""},
    )


def _search_controls() -> rx.Component:
    state = ClinicSearchState
    return cards.card(
        rx.el.div(
            forms.search_box(
                "Название или код ОКПО",
                "clinic",
                default_value=state.query,
                on_change=state.type_query,
                hint="Например, «поликлиника 12» или «0003». Подойдёт и часть названия. "
                "Стрелка вниз ведёт к найденному.",
            ),
            forms.field_row(
                forms.select_field(
                    "Регион",
                    "region",
                    some_or(state.regions, every_region()),
                    default_value=state.region,
                    on_change=state.choose_region,
                    placeholder="Все регионы",
                ),
                forms.select_field(
                    "Тип",
                    "clinic_kind",
                    state.kinds,
                    default_value=state.kind,
                    on_change=state.choose_kind,
                    placeholder="Любой",
                ),
            ),
            rx.el.div(
                forms.checkbox_field(
                    rx.fragment("Есть услуга «Электронный полис»", state.policy_count),
                    "with_policy",
                    default_checked=state.with_policy,
                    on_change=state.only_with_policy,
                ),
                forms.checkbox_field(
                    rx.fragment("Лицензия действует", state.licence_count),
                    "in_force",
                    default_checked=state.in_force,
                    on_change=state.only_in_force,
                ),
                when(
                    state.has_work,
                    forms.checkbox_field(
                        "Проводит осмотр для моей профессии",
                        "for_work",
                        default_checked=state.for_work,
                        on_change=state.only_for_work,
                    ),
                ),
                class_name="grid gap-1",
            ),
            class_name="e-form",
            key=state.revision,
        ),
    )


def _found_clinics(on_choose: Any, chosen_id: Any) -> rx.Component:
    state = ClinicSearchState
    return rx.el.div(
        rx.el.div(
            when(given(state.corrected), rx.el.p(state.corrected)),
            rx.el.p(state.total, class_name="e-muted"),
            role="status",
        ),
        rx.el.ul(
            rx.foreach(state.found, lambda row: _found_clinic(row, on_choose, chosen_id)),
            class_name="grid gap-3",
        ),
        when(
            ~some(state.found),
            cards.empty_state(
                "Ничего не нашлось",
                "Проверьте название или снимите часть условий.",
                buttons.actions(
                    rx.foreach(
                        state.relaxations,
                        lambda pair: buttons.secondary_button(
                            pair[1], state.relax(pair[0]), key=pair[0]
                        ),
                    ),
                    buttons.quiet_button("Снять все условия", state.forget_filters),
                ),
                icon_name="search",
            ),
        ),
        when(
            state.has_more,
            buttons.actions(buttons.secondary_button("Показать ещё", state.show_more)),
        ),
        class_name="grid gap-3",
    )


def clinic_facts(row: Any) -> rx.Component:
    """Return what matters about a clinic."""
    return rx.el.div(
        rx.el.p(rx.el.b(row["name"])),
        rx.el.p(row["kind"], ", ", row["region"], ", ОКПО ", row["okpo"], class_name="e-muted"),
        rx.el.p(row["address"]),
        when(given(row["phone"]), rx.el.p(row["phone"], " · ", row["hours"])),
        rx.el.div(
            badge(row["licence"], row["licence_tone"]),
            badge(row["connection"], row["connection_tone"]),
            when(row["has_electronic_policy"], badge("Электронный полис", "info")),
            when(row["has_oms"], badge("Договор ОМС", "info")),
            class_name="flex flex-wrap gap-2 pt-1",
        ),
        class_name="grid gap-1 min-w-0",
    )


def _step_page(step: WizardStep, *children: Child, title: str, lead: str) -> rx.Component:
    listed = [
        steps.Step(
            name,
            "current" if each is step else ApplyState.steps[each.value],
            "" if each is step else rows.step_href(each),
        )
        for each, name in rows.STEPS.items()
    ]
    is_sent = given(ApplyState.sent_number)
    # Until the step is opened, the state is still that of the page one came from.
    is_shown = ApplyState.is_loaded & (ApplyState.step == step.value)
    content = rx.el.div(
        steps.wizard_steps(listed),
        when(
            given(ApplyState.number),
            rx.el.p(
                "Номер заявки ",
                rx.el.b(ApplyState.number, class_name="e-number"),
                ". ",
                ApplyState.saved,
                ".",
                class_name="e-muted",
            ),
        ),
        *children,
        class_name="e-body",
    )
    return frames.signed_in(
        rx.cond(
            is_sent,
            _sent(),
            rx.cond(
                ApplyState.is_gone,
                _gone(),
                rx.cond(is_shown, content, cards.loading("Открываем заявку…")),
            ),
        ),
        title=rx.cond(is_sent, "Готово", title),
        lead=rx.cond(is_sent, "", lead),
        menu=HOLDER_MENU,
        current=ENTRY,
        back=("Главная", "/cabinet"),
    )


def _sent() -> rx.Component:
    return rx.el.div(
        cards.result_panel(
            "Заявка отправлена", ApplyState.sent_text, number=ApplyState.sent_number
        ),
        cards.card(
            cards.prose(
                rx.el.ol(
                    rx.el.li("Сервис проверит заявку за несколько секунд."),
                    rx.el.li("Оператор сверит документы за 1–2 рабочих дня."),
                    rx.el.li(
                        "Осмотр можно пройти, не дожидаясь проверки. Возьмите с собой паспорт, "
                        "СНИЛС и полис ОМС."
                    ),
                )
            ),
            title="Что дальше",
        ),
        buttons.actions(
            buttons.button_link("Следить за заявкой", ApplyState.sent_href),
            buttons.copy_button("Скопировать номер", ApplyState.sent_number),
        ),
        class_name="e-body",
    )


def _gone() -> rx.Component:
    return cards.empty_state(
        "Этой заявки здесь больше нет",
        "Её отправили или удалили в другой вкладке.",
        buttons.button_link("На главную", "/cabinet"),
    )


def _hints() -> rx.Component:
    return when(
        some(ApplyState.hints),
        cards.notice(
            rx.foreach(ApplyState.hints, lambda text: rx.el.p(text)),
            title="Проверьте ещё раз",
            tone="waiting",
        ),
    )


def _found_clinic(row: Any, on_choose: Any, chosen_id: Any) -> rx.Component:
    act = rx.cond(
        row["id"] == chosen_id,
        badge("Выбрана", "success"),
        rx.cond(
            given(row["obstacle"]),
            rx.fragment(),
            buttons.secondary_button(
                rx.fragment("Выбрать", rx.el.span(" ", row["name"], class_name="e-hidden")),
                on_choose(row["id"]),
                custom_attrs={"data-arrow-stop": ""},
            ),
        ),
    )
    return rx.el.li(
        cards.card(
            rx.el.div(
                clinic_facts(row),
                act,
                class_name="grid gap-4 sm:grid-cols-[minmax(0,1fr)_auto] items-start",
            ),
            when(
                given(row["obstacle"]),
                rx.el.p(row["obstacle"], class_name="e-muted"),
            ),
        ),
        key=row["id"],
    )


def _paper(row: Any) -> rx.Component:
    return rx.cond(
        given(row["name"]),
        rx.el.span(
            links.plain_link(row["name"], row["preview_url"], target="_blank", rel="noopener"),
            rx.el.span(" ", row["details"], class_name="e-muted"),
        ),
        rx.el.span("Нет скана", class_name="e-muted"),
    )


def _change(step: WizardStep, what: str) -> rx.Component:
    return links.link(
        rx.fragment("Изменить", rx.el.span(f" {what}", class_name="e-hidden")),
        rows.step_href(step),
    )


def _back_to(step: WizardStep) -> rx.Component:
    return buttons.button_link("Назад", rows.step_href(step), kind="quiet")


def _error_line(text: Any) -> rx.Component:
    return when(given(text), rx.el.p(icon("alert"), rx.el.span(text), class_name="e-error"))


def _policy_kind(state: Any) -> Any:
    kind = state.fields[Field.POLICY_KIND.value]
    return rx.cond(kind, kind, PolicyKind.UNIFIED.value)


def _policy_hint(state: Any) -> Any:
    return rx.match(
        _policy_kind(state),
        (PolicyKind.TEMPORARY.value, "9 цифр со свидетельства."),
        (PolicyKind.OLD.value, "Номер после серии."),
        "16 цифр. Они есть на карте, в выписке и в мобильном приложении.",
    )


def _loads(step: WizardStep) -> tuple[Any, ...]:
    searching = (ClinicSearchState.begin,) if step is WizardStep.CLINIC else ()
    # The list comes before what was chosen of it.
    listed = (OccupationsState.load,) if step is WizardStep.DETAILS else ()
    opened = ApplyState.open(step.value)
    return (PersonState.load, *listed, opened, *searching, ApplyState.follow)


PAGES: Final = (
    Page(ENTRY, "Оформление книжки", entry, (PersonState.load, ApplyState.resume)),
    *(
        Page(rows.step_href(step), f"{rows.STEPS[step]}: заявка на книжку", page, _loads(step))
        for step, page in (
            (WizardStep.DETAILS, details),
            (WizardStep.PAPERS, papers),
            (WizardStep.CLINIC, clinic),
            (WizardStep.REVIEW, review),
        )
    ),
)
