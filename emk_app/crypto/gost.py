"""GOST R 34.10-2012 signatures and GOST R 34.11-2012 digests (Стрибог), checked in pure Python.

A signature of 256 bits takes 50 to 100 ms, one of 512 bits 250 ms, and the digest 4 to 6 ms a
kilobyte, all of it with the interpreter's lock held: never call this on the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from gostcrypto import gosthash, gostsignature  # pyright: ignore[reportMissingTypeStubs]

from emk_app.crypto import der
from emk_app.crypto.der import NotDer

KEY_256: Final = "1.2.643.7.1.1.1.1"
KEY_512: Final = "1.2.643.7.1.1.1.2"
STREEBOG_256: Final = "1.2.643.7.1.1.2.2"
STREEBOG_512: Final = "1.2.643.7.1.1.2.3"
SIGNATURE_256: Final = "1.2.643.7.1.1.3.2"
SIGNATURE_512: Final = "1.2.643.7.1.1.3.3"

KEY_BITS: Final[Mapping[str, int]] = MappingProxyType({KEY_256: 256, KEY_512: 512})
DIGEST_BITS: Final[Mapping[str, int]] = MappingProxyType({STREEBOG_256: 256, STREEBOG_512: 512})
SIGNATURE_BITS: Final[Mapping[str, int]] = MappingProxyType(
    {SIGNATURE_256: 256, SIGNATURE_512: 512}
)
OUTDATED: Final = frozenset(
    {
        "1.2.643.2.2.19",  # key of GOST R 34.10-2001
        "1.2.643.2.2.3",  # GOST R 34.10-2001 with 34.11-94
        "1.2.643.2.2.4",  # GOST R 34.10-94 with 34.11-94
        "1.2.643.2.2.9",  # digest of GOST R 34.11-94
        "1.2.643.2.2.20",  # key of GOST R 34.10-94
    }
)
"""What went before; signatures by it may not be made since 2019."""

# Parameter sets by the names of the library, misspelt there in two cases (RFC 9215, 4.2).
PARAMETER_SETS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType(
    {
        "1.2.643.2.2.35.1": (256, "id-tc26-gost-3410-2012-256-paramSetB"),  # CryptoPro A
        "1.2.643.2.2.35.2": (256, "id-tc26-gost-3410-2012-256-paramSetC"),  # CryptoPro B
        "1.2.643.2.2.35.3": (256, "id-tc26-gost-3410-2012-256-paramSetD"),  # CryptoPro C
        "1.2.643.2.2.36.0": (256, "id-tc26-gost-3410-2012-256-paramSetB"),  # CryptoPro XchA
        "1.2.643.2.2.36.1": (256, "id-tc26-gost-3410-2012-256-paramSetD"),  # CryptoPro XchB
        "1.2.643.7.1.2.1.1.1": (256, "id-tc26-gost-3410-2012-256-paramSetA"),
        "1.2.643.7.1.2.1.1.2": (256, "id-tc26-gost-3410-2012-256-paramSetB"),
        "1.2.643.7.1.2.1.1.3": (256, "id-tc26-gost-3410-2012-256-paramSetC"),
        "1.2.643.7.1.2.1.1.4": (256, "id-tc26-gost-3410-2012-256-paramSetD"),
        "1.2.643.7.1.2.1.2.1": (512, "id-tc26-gost-3410-12-512-paramSetA"),
        "1.2.643.7.1.2.1.2.2": (512, "id-tc26-gost-3410-12-512-paramSetB"),
        "1.2.643.7.1.2.1.2.3": (512, "id-tc26-gost-3410-2012-512-paramSetC"),
    }
)


@dataclass(frozen=True, slots=True)
class GostKey:
    """A public key: a point of a curve that is known, proven to lie on it."""

    parameter_set: str
    x: int
    y: int

    @property
    def bits(self) -> int:
        """Length of a coordinate: 256 or 512."""
        return PARAMETER_SETS[self.parameter_set][0]


def read_key(public_key_info: bytes) -> GostKey:
    """Read the SubjectPublicKeyInfo of a certificate (RFC 9215, 4); raise ``NotDer`` for others."""
    algorithm, bits = _two(der.element(public_key_info, der.SEQUENCE), der.SEQUENCE, der.BIT_STRING)
    kind, parameters = _two(algorithm, der.OBJECT_IDENTIFIER, der.SEQUENCE)
    size = KEY_BITS.get(der.dotted(kind.content))
    # The set of the digest may follow; it says nothing that the size of the key does not.
    named = parameters.children()
    if size is None or not 1 <= len(named) <= 3:
        raise NotDer("not a key of GOST R 34.10-2012")
    if any(each.tag != der.OBJECT_IDENTIFIER for each in named):
        raise NotDer("parameters that are no identifiers")
    parameter_set = der.dotted(named[0].content)
    if PARAMETER_SETS.get(parameter_set, (0, ""))[0] != size:
        raise NotDer("a parameter set unknown for this size")
    if bits.content[:1] != b"\0":
        raise NotDer("a key that is no whole number of bytes")
    point = der.element(bits.content[1:], der.OCTET_STRING).content
    half = size // 8
    if len(point) != 2 * half:
        raise NotDer("a point of another size")
    key = GostKey(
        parameter_set,
        int.from_bytes(point[:half], "little"),
        int.from_bytes(point[half:], "little"),
    )
    if not _is_on_curve(key):
        raise NotDer("a point beside the curve")
    return key


def is_signed(key: GostKey, signature: bytes, payload: bytes) -> bool:
    """Say whether ``signature``, as X.509 and CMS write it (s, then r), is the key's.

    Takes up to 250 ms and 6 ms for each kilobyte of the payload; not for the event loop.
    """
    half = key.bits // 8
    if len(signature) != 2 * half:
        return False
    return _verifier(key.parameter_set).verify(
        key.x.to_bytes(half, "big") + key.y.to_bytes(half, "big"),
        # The standard takes the digest for a number written from its last byte on.
        streebog(key.bits, payload)[::-1],
        signature[half:] + signature[:half],
    )


def streebog(bits: int, payload: bytes) -> bytes:
    """Return the digest of 256 or 512 bits; 4 to 6 ms a kilobyte, not for the event loop."""
    # All at once: the library miscounts when a second piece ends a block exactly.
    library: Any = gosthash
    return bytes(library.new(f"streebog{bits}", data=bytearray(payload)).digest())


@cache
def _verifier(parameter_set: str) -> Any:
    """Return the library's curve; making it costs more than an addition of points by far."""
    library: Any = gostsignature
    mode = library.MODE_256 if PARAMETER_SETS[parameter_set][0] == 256 else library.MODE_512
    return library.new(mode, _curve(parameter_set))


def _curve(parameter_set: str) -> Mapping[str, int]:
    library: Any = gostsignature
    return library.CURVES_R_1323565_1_024_2019[PARAMETER_SETS[parameter_set][1]]


def _is_on_curve(key: GostKey) -> bool:
    """Say whether the library may compute with the point.

    It does not ask itself, and takes a coordinate of zero for «the generator of the curve»: with
    such a key everybody could sign.
    """
    curve = _curve(key.parameter_set)
    p, a, b = curve["p"], curve["a"], curve["b"]
    if not (0 < key.x < p and 0 < key.y < p):
        return False
    return (key.y**2 - key.x**3 - a * key.x - b) % p == 0


def _two(parent: der.Element, first_tag: int, second_tag: int) -> tuple[der.Element, der.Element]:
    children = parent.children()
    if [child.tag for child in children] != [first_tag, second_tag]:
        raise NotDer("not the two elements expected")
    return children[0], children[1]
