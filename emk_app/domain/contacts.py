"""How somebody is reached, and what he may sign in with."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

from emk_app.domain.errors import InvalidValue, Required, TooLong
from emk_app.domain.numbers import Inn
from emk_app.domain.values import (
    DASHES,
    DIGITS,
    NUMBER_LIMIT,
    NotDigits,
    Personal,
    UnexpectedCharacter,
    WrongLength,
    one_line,
)

EMAIL_LIMIT: Final = 254
LOCAL_LIMIT: Final = 64
LABEL_LIMIT: Final = 63


class NotAPhone(InvalidValue):
    """No operator has such a number."""


class PhoneLength(WrongLength):
    """A Russian number with more or fewer than 10 digits after +7 or 8."""


class NotMobile(InvalidValue):
    """A number that gets no SMS."""


class NotAnEmail(InvalidValue):
    """Not a name, one ``@`` and a domain with a dot."""


class MixedAlphabets(InvalidValue):
    """Latin and Russian letters in one word; ``letter`` is of the rarer, likely a look-alike."""

    def __init__(self, letter: str) -> None:
        super().__init__(f"mixed alphabets at {letter!a}")
        self.letter = letter


class NotALogin(InvalidValue):
    """Neither a mobile phone nor an e-mail address nor a person's ИНН; ``digits`` were typed."""

    def __init__(self, digits: int) -> None:
        super().__init__(f"no login: {digits} digits")
        self.digits = digits


@dataclass(frozen=True, slots=True, repr=False)
class Phone(Personal):
    """A phone number of any country; without a country's code it is Russian."""

    e164: str

    @classmethod
    def parse(cls, text: str) -> Phone:
        """Read a number; raise ``NotDigits``, ``PhoneLength`` or ``NotAPhone``."""
        line = one_line(text, NUMBER_LIMIT).translate(DASHES)
        if not line:
            raise Required
        for character in line:
            if character not in DIGITS and character not in "+-(). ":
                raise NotDigits(character)
        try:
            number = phonenumbers.parse(line, "RU")
        except NumberParseException:
            raise _no_phone(line) from None
        if not phonenumbers.is_valid_number(number):
            raise _no_phone(line)
        return cls(phonenumbers.format_number(number, PhoneNumberFormat.E164))

    @classmethod
    def parse_mobile(cls, text: str) -> Phone:
        """Read a number that gets SMS; raise ``NotMobile`` for a line or a service number."""
        phone = cls.parse(text)
        kind = phonenumbers.number_type(phonenumbers.parse(phone.e164))
        if kind not in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE):
            raise NotMobile
        return phone

    def __str__(self) -> str:
        number = phonenumbers.parse(self.e164)
        return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)

    @property
    def masked(self) -> str:
        """The country's code and the last four digits: «+7 *** ***-67-89»."""
        code, rest = str(self).split(" ", 1)
        hidden = sum(each.isdigit() for each in rest) - 4
        return f"{code} {re.sub('[0-9]', '*', rest, count=hidden)}"


def _no_phone(line: str) -> InvalidValue:
    """Return what to tell about a number nobody has: most often a digit is lost."""
    typed = re.sub("[^0-9+]", "", line)
    national = re.sub("^([+]7|[78](?=[3489]))", "", typed)
    if national.startswith("+") or len(national) in (0, 10):
        return NotAPhone()
    return PhoneLength(len(national), (10,))


@dataclass(frozen=True, slots=True, repr=False)
class Email(Personal):
    """An e-mail address in the form by which two spellings of one mailbox are equal."""

    address: str

    @classmethod
    def parse(cls, text: str) -> Email:
        """Read an address in Latin or Russian letters; «xn--» domains become readable ones.

        Raises ``TooLong``, ``UnexpectedCharacter``, ``MixedAlphabets`` or ``NotAnEmail``.
        """
        line = unicodedata.normalize("NFC", one_line(text, EMAIL_LIMIT).casefold())
        if not line:
            raise Required
        local, _, domain = line.rpartition("@")
        for character in line:
            if not _IN_EMAILS.match(character):
                raise UnexpectedCharacter(character)
        if not _LOCAL.fullmatch(local) or len(local) > LOCAL_LIMIT:
            raise NotAnEmail
        labels = [_readable(label) for label in domain.split(".")]
        if len(labels) < 2 or not all(map(_LABEL.fullmatch, labels)) or labels[-1].isdigit():
            raise NotAnEmail
        for part in (local, *labels):
            _refuse_mixture(part)
        email = cls(f"{local}@{'.'.join(labels)}")
        if len(email.ascii) > EMAIL_LIMIT:
            raise NotAnEmail
        return email

    @property
    def ascii(self) -> str:
        """The address with the domain as DNS knows it, for the envelope of a message."""
        local, _, domain = self.address.partition("@")
        return f"{local}@{'.'.join(map(_encoded, domain.split('.')))}"

    def __str__(self) -> str:
        return self.address

    @property
    def masked(self) -> str:
        """The first letter and the domain: «и***@почта.рф»."""
        return f"{self.address[0]}***{self.address[self.address.index('@') :]}"


_IN_EMAILS: Final = re.compile(r"[0-9a-zß-öø-ÿа-яё.!#$%&'*+/=?^_`{|}~@-]")
_LOCAL: Final = re.compile(r"[^@.]+(?:\.[^@.]+)*")
_LABEL: Final = re.compile(r"[0-9a-zß-öø-ÿа-яё](?:[0-9a-zß-öø-ÿа-яё-]{0,61}[0-9a-zß-öø-ÿа-яё])?")


def _readable(label: str) -> str:
    """Return a domain's label with punycode decoded; raise ``NotAnEmail`` if it is none."""
    if not label.startswith("xn--"):
        return label if len(_encoded(label)) <= LABEL_LIMIT else ""
    try:
        readable = label[4:].encode("ascii").decode("punycode")
    except UnicodeError:
        raise NotAnEmail from None
    if _encoded(readable) != label:
        raise NotAnEmail
    return readable


def _encoded(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"


def _refuse_mixture(part: str) -> None:
    """Raise ``MixedAlphabets`` where one word has Latin and Russian letters."""
    russian = [each for each in part if "а" <= each <= "ё"]
    latin = [each for each in part if each.isalpha() and each not in russian]
    if russian and latin:
        raise MixedAlphabets(min(latin, russian, key=len)[0])


class LoginKind(StrEnum):
    """What somebody signs in with."""

    PHONE = "phone"
    EMAIL = "email"
    INN = "inn"


@dataclass(frozen=True, slots=True, repr=False)
class Login(Personal):
    """A login in the form in which it is stored and looked up."""

    kind: LoginKind
    value: str

    @classmethod
    def parse(cls, text: str) -> Login:
        """Read a login: an ``@`` makes an e-mail, 12 bare digits an ИНН, other numbers a phone.

        Raises ``NotALogin`` for what can be none of the three, else what the kind raises.
        """
        line = one_line(text, EMAIL_LIMIT)
        if not line:
            raise Required
        if "@" in line:
            return cls(LoginKind.EMAIL, Email.parse(line).address)
        digits = sum(each in DIGITS for each in line)
        if digits == 12 and "+" not in line:
            return cls(LoginKind.INN, Inn.parse_personal(line).digits)
        try:
            return cls(LoginKind.PHONE, Phone.parse_mobile(line).e164)
        except (NotAPhone, NotDigits, PhoneLength, TooLong):
            raise NotALogin(digits) from None

    def __str__(self) -> str:
        return str(self._typed)

    @property
    def masked(self) -> str:
        """The login as its kind masks it."""
        return self._typed.masked

    @property
    def _typed(self) -> Phone | Email | Inn:
        match self.kind:
            case LoginKind.PHONE:
                return Phone(self.value)
            case LoginKind.EMAIL:
                return Email(self.value)
            case LoginKind.INN:
                return Inn(self.value)
