"""What is wrong with a field and what to do about it, in one or two Russian sentences each."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any, Final

from emk_app.domain import (
    accounts,
    amending,
    applications,
    books,
    clearance,
    consent,
    contacts,
    disclosures,
    documents,
    employing,
    enlisting,
    errors,
    esignature,
    examinations,
    inspecting,
    intake,
    news,
    numbers,
    passports,
    people,
    places,
    policies,
    prepared,
    register,
    representation,
    schedules,
    staff,
    support,
    vaccinations,
    values,
)
from emk_app.domain.erasure import PHRASE, PhraseDiffers
from emk_app.domain.errors import Invalid, InvalidValue
from emk_app.presenting import esignatures
from emk_app.presenting.formats import day, file_size, plural
from emk_app.storage import errors as storage_errors

_MONTHS_IN: Final = (
    *("январе", "феврале", "марте", "апреле", "мае", "июне"),
    *("июле", "августе", "сентябре", "октябре", "ноябре", "декабре"),
)
_LIKE_A_DIGIT: Final = dict(zip("OoОоIlЗзбЧ", "0000113364", strict=True))
_DIGITS: Final = ("цифра", "цифры", "цифр")
_DIGITS_OF: Final = ("цифры", "цифр", "цифр")
_YEARS: Final = ("год", "года", "лет")
_CHARACTERS: Final = ("знака", "знаков", "знаков")
_SEX: Final = {people.Sex.MALE: "мужской", people.Sex.FEMALE: "женский"}
_FOREIGN_TYPES: Final = {
    documents.ForeignType.HEIC: (
        "Это снимок HEIC. В настройках камеры телефона выберите «Наиболее совместимые» и "
        "снимите ещё раз: получится JPEG."
    ),
    documents.ForeignType.OFFICE: (
        "Это документ Word, Excel или похожей программы. Сохраните его как PDF и выберите снова."
    ),
    documents.ForeignType.ARCHIVE: "Это архив. Распакуйте его и выберите сам файл PDF или JPEG.",
    documents.ForeignType.UNKNOWN: (
        "Содержимое файла не похоже на PDF или JPEG. Выберите файл одного из этих видов."
    ),
}


def _number(n: int, words: tuple[str, str, str]) -> str:
    return f"{n} {plural(n, *words)}"


def _shown(character: str) -> str:
    """Name a character without letting an invisible or stacking one loose on the screen."""
    if unicodedata.category(character)[0] in "LNPS":
        return f"«{character}»"
    return f"с кодом U+{ord(character):04X}"


def _not_digits(error: values.NotDigits) -> str:
    if digit := _LIKE_A_DIGIT.get(error.character):
        return f"Вместо буквы «{error.character}» наберите цифру {digit}."
    return f"Здесь нужны только цифры. Уберите знак {_shown(error.character)}."


def _wrong_length(error: values.WrongLength) -> str:
    *others, last = error.expected
    needed = " или ".join((*map(str, others), _number(last, _DIGITS)))
    return f"Здесь должно быть {needed}, а набрано {error.found}. Сверьте номер с документом."


def _snils_length(error: numbers.SnilsLength) -> str:
    advice = (
        f"Возможно, пропущен ноль в начале: {error.suggestion}."
        if error.suggestion
        else "Сверьте номер с документом."
    )
    return f"СНИЛС состоит из 11 цифр, а здесь {error.found}. {advice}"


def _foreign_letter(error: people.ForeignLetter) -> str:
    if error.russian:
        return (
            f"Буква «{error.letter}» набрана латиницей. "
            f"Наберите русскую «{error.russian}»: они похожи только с виду."
        )
    return f"Буква «{error.letter}» не русская. Пишите русскими буквами, как в паспорте."


def _no_such_day(error: people.NoSuchDay) -> str:
    month = f"В {_MONTHS_IN[error.month - 1]} {error.year} года"
    return f"{month} {_number(error.last, ('день', 'дня', 'дней'))}. Проверьте день."


def _not_a_login(error: contacts.NotALogin) -> str:
    forms = "Введите номер мобильного телефона, адрес электронной почты или ИНН из 12 цифр."
    return f"{forms} Сейчас набрано: {_number(error.digits, _DIGITS)}." if error.digits else forms


def _implausible(error: examinations.Implausible) -> str:
    low, high, value = (f"{n:f}".replace(".", ",") for n in (error.low, error.high, error.value))
    name = f"{error.name[:1].upper()}{error.name[1:]}: бывает" if error.name else "Бывает"
    bounds = f"{name} от {low} до {high} {error.unit}".rstrip()
    return f"{bounds}, а введено {value}. Проверьте число."


def _scan_kind(error: documents.ScanKindNotAllowed) -> str:
    picture = f"Это картинка {error.found.value.upper()}. Сохраните её как JPEG и выберите снова."
    return _FOREIGN_TYPES.get(error.found, picture)


def _unknown_place(error: amending.UnknownPlaceholder) -> str:
    if not error.known:
        return "В этом сообщении нет мест для сведений: уберите фигурные скобки."
    names = ", ".join(f"{{{name}}}" for name in error.known)
    return f"Такого места здесь нет. Есть: {names}."


FIELD_ERRORS: Final[dict[type[InvalidValue], Callable[[Any], str]]] = {
    register.NotAnOid: lambda _: (
        "OID медорганизации выглядит как 1.2.643.5.1.13.13.12.2.77.1234. Сверьте его с реестром."
    ),
    register.NotAFlag: lambda _: "Напишите «да» или «нет».",
    register.NotAMedicalKind: lambda _: (
        "Непонятен вид организации. Нужна поликлиника, больница или центр."
    ),
    register.OidRepeated: lambda _: "Этот OID уже встречался выше. Оставьте одну строку.",
    register.DemoNotAccepted: lambda _: "Это вымышленная организация, в реестр она не пойдёт.",
    register.ColumnsAmiss: lambda _: (
        "В строке не столько столбцов, сколько в заголовке. Проверьте разделители и кавычки."
    ),
    register.NotText: lambda _: "Строка не читается. Сохраните файл в кодировке UTF-8.",
    InvalidValue: lambda _: "Это значение не подходит. Проверьте поле.",
    errors.Required: lambda _: "Заполните это поле.",
    errors.TooLong: lambda e: (
        f"Слишком длинно: можно не больше {_number(e.limit, _CHARACTERS)}. Сократите запись."
    ),
    staff.LoginKnown: lambda _: (
        "Под этой почтой уже кто-то входит. Найдите учётную запись поиском или укажите другую."
    ),
    staff.NoSuchClinic: lambda _: (
        "В реестре нет медорганизации с таким OID или ОКПО, или их несколько. Проверьте цифры."
    ),
    amending.DayPassed: lambda _: "Изменение начинается не раньше завтрашнего дня.",
    amending.DayTooFar: lambda _: "Это больше чем через два года. Проверьте год.",
    amending.UnknownPlaceholder: _unknown_place,
    amending.PlaceholderMissing: lambda e: (
        f"Без места {{{e.name}}} сообщение бесполезно. Добавьте его в текст."
    ),
    amending.MessageTooLong: lambda e: (
        f"СМС выйдет длиной {e.found}, а помещается {e.limit}. Сократите текст."
    ),
    prepared.TitleTaken: lambda _: "Готовый ответ с таким названием уже есть. Назовите иначе.",
    amending.RangeUpsideDown: lambda _: (
        "Верхняя граница должна быть больше нижней. Проверьте оба числа."
    ),
    amending.OutsidePossible: lambda _: (
        "Эта граница выходит за возможные значения. Исправьте её или их."
    ),
    amending.NameTaken: lambda _: "Профессия с таким названием уже есть в списке.",
    inspecting.EndBeforeStart: lambda _: "Конец раньше начала. Поменяйте местами или исправьте.",
    inspecting.NotACode: lambda _: (
        "Здесь бывают только латинские буквы, цифры, двоеточие и подчёркивание."
    ),
    inspecting.NobodyKnown: lambda _: (
        "Под этим логином никого нет. Введите его иначе или укажите номер учётной записи."
    ),
    errors.NotAChoice: lambda _: "Выберите один из предложенных вариантов.",
    schedules.HoursMalformed: lambda _: (
        "Укажите часы так: 09:00–13:00, 14:00–18:00. В выходной оставьте поле пустым."
    ),
    schedules.HoursBackwards: lambda _: "Приём кончается раньше, чем начинается. Проверьте часы.",
    schedules.HoursOverlap: lambda _: "Промежутки накладываются друг на друга. Проверьте часы.",
    schedules.NumberOutOfRange: lambda e: f"Укажите целое число от {e.low} до {e.high}.",
    schedules.NoHours: lambda _: "Укажите часы приёма хотя бы в один день.",
    schedules.SlotLongerThanHours: lambda _: (
        "Такой приём не помещается ни в один промежуток. Сократите его или измените часы."
    ),
    schedules.DayIsPast: lambda _: "Этот день уже прошёл. Укажите сегодняшний или будущий.",
    values.UnexpectedCharacter: lambda e: (
        f"Знак {_shown(e.character)} здесь не подходит. Уберите его."
    ),
    values.NotDigits: _not_digits,
    values.TooShort: lambda e: (
        f"Слишком коротко: нужно не меньше {_number(e.limit, _CHARACTERS)}. Напишите подробнее."
    ),
    values.WrongLength: _wrong_length,
    people.ForeignLetter: _foreign_letter,
    people.NotInNames: lambda e: (
        f"Знака {_shown(e.character)} в имени не бывает. Пишите полностью, как в паспорте."
    ),
    people.NameShape: lambda _: (
        "Дефис и апостроф ставят только между буквами. Уберите лишний знак."
    ),
    news.NotAMoment: lambda _: "Напишите дату и время так: 05.12.2026 18:00.",
    news.NotAfterStart: lambda _: "Конец должен быть позже начала.",
    news.MomentPassed: lambda _: "Это время уже прошло. Укажите то, которое ещё впереди.",
    people.NotADate: lambda _: "Напишите день, месяц и четыре цифры года, например 05.03.1990.",
    people.NoSuchMonth: lambda e: (
        f"Месяца {e.month} не бывает. Сначала пишут день, потом месяц: 25.03.1990."
    ),
    people.NoSuchDay: _no_such_day,
    people.YearOutOfRange: lambda e: f"Год {e.year:04} не подходит. Проверьте все его цифры.",
    people.InFuture: lambda _: "Этот день ещё не наступил. Проверьте год.",
    people.TooOld: lambda e: (
        f"По этой дате возраст {_number(e.age, _YEARS)}. Проверьте год рождения."
    ),
    people.TooYoung: lambda e: (
        f"По этой дате возраст {_number(e.age, _YEARS)}, а заявление за себя подают "
        f"с {_number(e.youngest, ('года', 'лет', 'лет'))}. "
        "За ребёнка его подаёт законный представитель."
    ),
    numbers.WrongCheckDigit: lambda _: (
        "Контрольная цифра не сходится, значит, в номере опечатка. Сверьте его с документом."
    ),
    numbers.SnilsLength: _snils_length,
    numbers.InnNotPersonal: lambda _: (
        "Это ИНН организации, из 10 цифр. Введите ИНН человека: в нём 12 цифр."
    ),
    numbers.NotAnOgrn: lambda _: (
        "ОГРН начинается с 1 или 5, ОГРНИП с 3. Похоже, это номер записи (ГРН): "
        "найдите в выписке именно ОГРН."
    ),
    passports.IssuedTooEarly: lambda e: (
        f"Паспорт выдают с 14 лет, здесь не раньше {day(e.earliest)}. "
        "Проверьте дату выдачи и дату рождения."
    ),
    contacts.NotAPhone: lambda _: (
        "Такого номера телефона не бывает. Проверьте его, пример: +7 912 345-67-89."
    ),
    contacts.PhoneLength: lambda e: (
        f"После +7 или 8 должно быть 10 цифр, а здесь {e.found}. Пример: +7 912 345-67-89."
    ),
    contacts.NotMobile: lambda _: (
        "На этот номер не приходят СМС. Укажите номер мобильного телефона."
    ),
    contacts.NotAnEmail: lambda _: "Это не адрес электронной почты. Пример: ivanova@example.ru.",
    contacts.MixedAlphabets: lambda e: (
        f"В адресе смешаны русские и латинские буквы. Проверьте раскладку у буквы «{e.letter}»."
    ),
    contacts.NotALogin: _not_a_login,
    places.NoSuchPostalIndex: lambda _: (
        "Такого почтового индекса нет. Он начинается с цифры от 1 до 6, например 101000."
    ),
    accounts.PasswordTooShort: lambda e: (
        f"Пароль должен быть не короче {_number(e.minimum, _CHARACTERS)}. Допишите ещё."
    ),
    accounts.PasswordTooCommon: lambda _: (
        "Такой пароль подбирают в первую очередь. Придумайте другой, например из нескольких слов."
    ),
    accounts.PasswordNamesLogin: lambda _: (
        "В пароле есть ваш логин, имя или телефон. Придумайте другой."
    ),
    accounts.WrongPresentPassword: lambda _: (
        "Нынешний пароль не подошёл. Проверьте раскладку и введите его ещё раз."
    ),
    accounts.SamePassword: lambda _: "Это нынешний пароль. Придумайте другой.",
    accounts.SameContact: lambda _: "Это уже ваш контакт. Укажите другой.",
    accounts.PasswordsDiffer: lambda _: "Пароли не совпадают. Повторите пароль ещё раз.",
    applications.TrackingNumberMalformed: lambda _: (
        "Номер заявления выглядит так: ЭМК-2026-000123-7. Проверьте его."
    ),
    applications.TrackingNumberMistyped: lambda _: (
        "В номере заявления опечатка: проверьте каждую цифру и их порядок."
    ),
    books.BookUnreadable: lambda _: (
        "Документ не читается как медицинская книжка. Получите его заново."
    ),
    clearance.UntilNotInFuture: lambda e: (
        f"Срок временной негодности должен быть позже {day(e.today)}. Укажите другую дату."
    ),
    clearance.ContraindicationsFound: lambda _: (
        "Исследования нашли противопоказания. Выберите другое заключение или добавьте ограничения."
    ),
    documents.ScanEmpty: lambda _: "Файл пустой. Выберите другой.",
    documents.ScanTooLarge: lambda e: (
        f"Файл занимает {file_size(e.size)}, а можно не больше {file_size(e.limit)}. "
        "Уменьшите его или отсканируйте с меньшим разрешением."
    ),
    documents.ScanKindNotAllowed: _scan_kind,
    documents.ScanNotReadable: lambda _: (
        "Файл не открывается: похоже, он повреждён. Сохраните его заново и выберите снова."
    ),
    documents.ScanEncrypted: lambda _: (
        "Файл защищён паролем. Сохраните его без пароля и выберите снова."
    ),
    documents.ScanActiveContent: lambda _: (
        "В файле есть сценарии или вложения. Напечатайте его в PDF и выберите снова."
    ),
    documents.ScanTooManyPages: lambda e: (
        f"В файле {_number(e.pages, ('страница', 'страницы', 'страниц'))}, "
        f"а можно не больше {e.limit}. Оставьте только нужные."
    ),
    documents.ScanTooManyPixels: lambda e: (
        f"В снимке {round(e.pixels / 1e6)} Мп, а можно не больше {round(e.limit / 1e6)} Мп. "
        "Уменьшите его и выберите снова."
    ),
    documents.ScanWarning: lambda _: "Проверьте, хорошо ли читается скан.",
    documents.ScanLooksGray: lambda _: (
        "Скан похож на чёрно-белый, а нужен цветной. Если есть возможность, замените его."
    ),
    documents.ScanTooSmall: lambda e: (
        f"Снимок {e.width} × {e.height} точек: мелкие буквы могут не прочитаться. "
        f"Лучше, когда длинная сторона не меньше {e.needed}."
    ),
    examinations.NumberMalformed: lambda e: (
        f"Введите {_number(e.parts, ('число', 'числа', 'чисел'))}, "
        + (
            f"после запятой не больше {_number(e.decimals, _DIGITS_OF)}."
            if e.decimals
            else "без дробной части."
        )
    ),
    examinations.Implausible: _implausible,
    examinations.Unlikely: lambda e: (
        f"{e.name[:1].upper()}{e.name[1:]} {e.value} {e.unit}".rstrip().replace(".", ",", 1)
        + ": такое бывает редко. Поправьте число или подтвердите его."
    ),
    examinations.TooMany: lambda e: f"Больше {e.limit} записей не нужно. Уберите лишние.",
    vaccinations.NotBySerology: lambda _: (
        "По этой инфекции антитела не засчитываются. Выберите другой вид записи."
    ),
    vaccinations.ExemptionOver: lambda _: (
        "Медотвод должен действовать и после сегодняшнего дня. Укажите более позднюю дату."
    ),
    examinations.NumbersOutOfOrder: lambda _: (
        "Первое число должно быть больше второго. Проверьте порядок, пример: 120/80."
    ),
    examinations.AttestationOutdated: lambda e: (
        f"Аттестация действовала до {day(e.valid_until)}. Укажите более позднюю."
    ),
    examinations.ResultOutdated: lambda e: (
        f"Этот результат действовал до {day(e.valid_until)}. Исследование нужно провести заново."
    ),
    examinations.MadeBeforeBirth: lambda _: "Эта дата раньше дня рождения пациента. Проверьте год.",
    employing.NumbersDiffer: lambda _: (
        "ИНН и ОГРН разного вида: у организации 10 и 13 цифр, у предпринимателя 12 и 15."
    ),
    employing.NotInvitable: lambda _: "Введите адрес электронной почты или номер телефона.",
    employing.NotALink: lambda _: (
        "Это не ссылка на книжку. В ссылке после /v/ стоят 26 латинских букв и цифр: проверьте, "
        "что она скопирована целиком."
    ),
    employing.LinkOver: lambda _: (
        "Эта ссылка закрыта или её срок прошёл. Попросите у сотрудника новую."
    ),
    enlisting.Repeated: lambda e: f"та же книжка уже стоит в строке {e.line}.",
    disclosures.CodeUnreadable: lambda _: "В коде восемь цифр. Попросите повторить его.",
    consent.ConsentOutdated: lambda _: (
        "Текст согласия обновился. Прочитайте новый и отметьте согласие снова."
    ),
    intake.CertificateTooOld: lambda e: (
        f"Справку можно было приложить до {day(e.last_day)}. Уберите её: осмотр вы пройдёте заново."
    ),
    representation.RepresentativeNeeded: lambda _: (
        "Владельцу нет 18 лет: за него заявку подаёт представитель, обычно родитель. "
        "Выберите «Я представитель»."
    ),
    representation.ParentOfAdult: lambda _: (
        "Владельцу уже 18 лет. Родитель действует за взрослого по доверенности: выберите её."
    ),
    representation.UntilBeforeIssue: lambda e: (
        f"Доверенность выдана {day(e.issued_on)}, её срок не может кончиться раньше. "
        "Проверьте обе даты."
    ),
    representation.AttorneyExpired: lambda e: (
        f"Доверенность действовала до {day(e.valid_until)}. Нужна новая."
    ),
    intake.ClinicNotOffered: lambda _: (
        "Эта организация не сможет провести ваш осмотр: у неё нет действующей лицензии на осмотры "
        "для вашей профессии или она не подключена к сервису. Выберите другую."
    ),
    support.NotAnIncident: lambda _: (
        "Номер ошибки — это 403, 404, 500 или восемь знаков со страницы с ошибкой. Если его нет, "
        "оставьте поле пустым."
    ),
    support.NotYourApplication: lambda _: "У вас нет заявки с таким номером. Выберите из списка.",
    PhraseDiffers: lambda _: f"Напишите без ошибок: {PHRASE}.",
    intake.ConsentMissing: lambda _: (
        "Без согласия на обработку персональных данных заявку не принять. Отметьте его."
    ),
    esignature.ESignatureRefused: lambda e: esignatures.sentence(e.check),
    esignature.ESignatureOutdated: lambda _: esignatures.OUTDATED,
    esignature.NothingToSign: lambda _: (
        "Подписать пока нечего: в данных есть ошибки. Исправьте их и вернитесь к подписи."
    ),
    storage_errors.ScanInfected: lambda _: (
        "В файле найдена вредоносная программа. Проверьте компьютер и выберите другой файл."
    ),
}
"""One entry for each subclass of ``InvalidValue`` below this layer; a test names those missing."""

WARNINGS: Final[dict[type[intake.FormWarning], Callable[[Any], str]]] = {
    passports.PassportOutlived: lambda w: (
        f"Паспорт меняют в {w.age} лет, а этот выдан раньше. Если новый уже получен, впишите его "
        "данные. Заявку примут и так."
    ),
    policies.BirthUnreadable: lambda _: (
        "Из номера полиса не читается дата рождения. Сверьте её со сканом."
    ),
    policies.BirthDiffers: lambda w: (
        f"В номере полиса дата рождения {day(w.encoded)}, а в заявлении {day(w.stated)}. "
        "Сверьте со сканом: само по себе это не причина отказа."
    ),
    policies.SexDiffers: lambda w: (
        f"В номере полиса пол {_SEX[w.encoded]}, а в заявлении {_SEX[w.stated]}. "
        "Сверьте со сканом: само по себе это не причина отказа."
    ),
}


def word(error: InvalidValue) -> str:
    """Say what is wrong with one field; an unknown class speaks as its nearest known base."""
    known = next(kind for kind in type(error).__mro__ if kind in FIELD_ERRORS)
    return FIELD_ERRORS[known](error)


def words(invalid: Invalid) -> dict[str, str]:
    """Say what is wrong with each field of a form."""
    return {field: word(error) for field, error in invalid.fields.items()}


def word_warning(warning: intake.FormWarning) -> str:
    """Say what does not fit together in a form, and refuses nothing."""
    return WARNINGS[type(warning)](warning)
