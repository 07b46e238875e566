"""Sealed columns and files open only whole, under their key and in their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emk_app.crypto.errors import SealBroken
from emk_app.crypto.sealing import (
    CHUNK,
    MAX_STREAM,
    Keyring,
    blind_index,
    new_data_key,
    place,
    seal,
    seal_stream,
    unseal,
    unseal_stream,
)

KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
NAME = place("holders", "name", 42)
HEAD = 18


def sealed_file(content: bytes, where: str = NAME) -> bytes:
    return b"".join(seal_stream(KEY, [content], where))


def opened_file(blob: bytes, where: str = NAME, key: bytes = KEY) -> bytes:
    return b"".join(unseal_stream(key, [blob], where))


def chunks_of(blob: bytes) -> list[bytes]:
    size = CHUNK + 16
    return [blob[at : at + size] for at in range(HEAD, len(blob), size)]


def test_every_flipped_bit_of_a_blob_is_refused() -> None:
    blob = seal(KEY, "Ёлкина Мария Сергеевна".encode(), NAME)
    for bit in range(8 * len(blob)):
        changed = bytearray(blob)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            unseal(KEY, bytes(changed), NAME)


def test_every_cut_of_a_blob_is_refused() -> None:
    blob = seal(KEY, b"112-233-445 95", NAME)
    for length in range(len(blob)):
        with pytest.raises(SealBroken):
            unseal(KEY, blob[:length], NAME)
    with pytest.raises(SealBroken):
        unseal(KEY, blob + b"\0", NAME)


@pytest.mark.parametrize(
    "elsewhere",
    [
        place("holders", "name", 43),
        place("holders", "name", 4),
        place("holders", "snils", 42),
        place("users", "name", 42),
        place("holders", "name", 42, 1),
        "",
    ],
)
def test_blob_moved_to_another_row_or_column_is_refused(elsewhere: str) -> None:
    with pytest.raises(SealBroken):
        unseal(KEY, seal(KEY, b"value", NAME), elsewhere)


def test_blob_under_another_key_is_refused() -> None:
    with pytest.raises(SealBroken):
        unseal(OTHER_KEY, seal(KEY, b"value", NAME), NAME)


@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused(blob: bytes) -> None:
    with pytest.raises(SealBroken):
        unseal(KEY, blob, NAME)
    with pytest.raises(SealBroken):
        opened_file(blob)
    with pytest.raises(SealBroken):
        Keyring({1: KEY}, 1).unwrap(blob, NAME)


@given(st.binary(max_size=2000), st.integers(0, 255))
def test_what_was_sealed_opens(plaintext: bytes, kid: int) -> None:
    blob = seal(KEY, plaintext, NAME, kid)
    assert unseal(KEY, blob, NAME) == plaintext
    assert blob[1] == kid
    assert len(blob) == len(plaintext) + 30


def test_same_value_is_never_sealed_the_same() -> None:
    assert len({seal(KEY, b"value", NAME) for _ in range(100)}) == 100


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(24), bytes(31), bytes(33)])
def test_key_of_another_length_is_a_mistake_of_the_caller(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        seal(key, b"value", NAME)
    with pytest.raises(ValueError, match="32 bytes"):
        blind_index(key, "snils", "1")


@pytest.mark.parametrize(
    "parts", [("a|b", "c", 1), ("a", "b|", 1), ("a", "", 1), ("a", "b", "x|y")]
)
def test_place_cannot_be_read_in_two_ways(parts: tuple[str, str, object]) -> None:
    with pytest.raises(ValueError, match="part of a place"):
        place(*parts)


def test_ring_opens_what_an_older_key_sealed() -> None:
    data_key = new_data_key()
    old = Keyring({1: KEY}, 1).wrap(data_key, NAME)
    ring = Keyring({1: KEY, 2: OTHER_KEY}, 2)
    assert ring.unwrap(old, NAME) == data_key
    assert ring.needs_rewrap(old)
    renewed = ring.wrap(data_key, NAME)
    assert ring.unwrap(renewed, NAME) == data_key
    assert not ring.needs_rewrap(renewed)


def test_ring_without_the_key_refuses() -> None:
    blob = Keyring({1: KEY, 2: OTHER_KEY}, 2).wrap(new_data_key(), NAME)
    with pytest.raises(SealBroken):
        Keyring({1: KEY}, 1).unwrap(blob, NAME)


def test_blob_that_names_another_key_of_the_ring_is_refused() -> None:
    ring = Keyring({1: KEY, 2: KEY}, 2)
    blob = bytearray(ring.wrap(new_data_key(), NAME))
    blob[1] = 1
    with pytest.raises(SealBroken):
        ring.unwrap(bytes(blob), NAME)


def test_wrapped_key_moved_to_another_person_is_refused() -> None:
    ring = Keyring({1: KEY}, 1)
    blob = ring.wrap(new_data_key(), place("holders", "data_key", 1))
    with pytest.raises(SealBroken):
        ring.unwrap(blob, place("holders", "data_key", 2))


def test_wrapped_value_that_is_no_key_is_refused() -> None:
    with pytest.raises(SealBroken):
        Keyring({1: KEY}, 1).unwrap(seal(KEY, b"short", NAME), NAME)


@pytest.mark.parametrize(
    ("keys", "current"), [({}, 1), ({1: KEY}, 2), ({0: KEY}, 0), ({256: KEY}, 256), ({1: b"x"}, 1)]
)
def test_impossible_ring_is_refused(keys: dict[int, bytes], current: int) -> None:
    with pytest.raises(ValueError, match="key"):
        Keyring(keys, current)


def test_blind_index_tells_values_columns_and_keys_apart() -> None:
    marks = {
        blind_index(key, column, value)
        for key in (KEY, OTHER_KEY)
        for column in ("snils", "phone")
        for value in ("11223344595", "11223344596", "1122334459")
    }
    assert len(marks) == 12
    assert {len(mark) for mark in marks} == {64}


def test_blind_index_finds_equal_values() -> None:
    assert blind_index(KEY, "name", "ёлкина") == blind_index(KEY, "name", "е\u0308лкина")


@pytest.mark.parametrize("length", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5])
@pytest.mark.parametrize("piece", [1000, CHUNK, 10 * CHUNK])
def test_file_of_any_length_comes_back_whatever_the_pieces(length: int, piece: int) -> None:
    content = bytes(number % 251 for number in range(length))
    pieces = [content[at : at + piece] for at in range(0, length, piece)]
    blob = b"".join(seal_stream(KEY, pieces, NAME))
    read = [blob[at : at + piece] for at in range(0, len(blob), piece)]
    assert b"".join(unseal_stream(KEY, read, NAME)) == content


def test_file_cut_anywhere_is_refused() -> None:
    blob = sealed_file(bytes(2 * CHUNK + 100))
    full = CHUNK + 16
    for length in [*range(HEAD + 16), HEAD + full, HEAD + 2 * full, len(blob) - 1, len(blob) - 100]:
        with pytest.raises(SealBroken):
            opened_file(blob[:length])


def test_file_cut_where_a_chunk_was_full_is_refused() -> None:
    blob = sealed_file(bytes(2 * CHUNK))
    with pytest.raises(SealBroken):
        opened_file(blob[: HEAD + CHUNK + 16])


def test_chunks_in_another_order_are_refused() -> None:
    blob = sealed_file(bytes(3 * CHUNK + 5))
    one, two, three, last = chunks_of(blob)
    for order in (
        [two, one, three, last],
        [one, one, two, three, last],
        [one, three, last],
        [two, three, last],
        [one, two, three],
        [last],
        [one, two, three, last, last],
        [],
    ):
        with pytest.raises(SealBroken):
            opened_file(blob[:HEAD] + b"".join(order))


def test_chunk_from_another_file_of_the_same_place_is_refused() -> None:
    one, other = sealed_file(bytes(2 * CHUNK + 5)), sealed_file(bytes(2 * CHUNK + 5))
    mixed = [chunks_of(one)[0], chunks_of(other)[1], chunks_of(one)[2]]
    with pytest.raises(SealBroken):
        opened_file(one[:HEAD] + b"".join(mixed))


def test_every_flipped_bit_of_a_short_file_is_refused() -> None:
    blob = sealed_file(b"%PDF-1.7 a short file")
    for bit in range(8 * len(blob)):
        changed = bytearray(blob)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(SealBroken):
            opened_file(bytes(changed))


def test_file_in_another_place_or_under_another_key_is_refused() -> None:
    blob = sealed_file(b"%PDF-1.7")
    with pytest.raises(SealBroken):
        opened_file(blob, place("holders", "name", 43))
    with pytest.raises(SealBroken):
        opened_file(blob, key=OTHER_KEY)


def test_column_is_not_a_file_nor_a_file_a_column() -> None:
    with pytest.raises(SealBroken):
        opened_file(seal(KEY, b"value" * 10, NAME))
    with pytest.raises(SealBroken):
        unseal(KEY, sealed_file(b"value" * 10), NAME)


def test_file_over_the_limit_is_not_sealed() -> None:
    pieces = (bytes(CHUNK) for _ in range(MAX_STREAM // CHUNK + 1))
    with pytest.raises(ValueError, match="too long"):
        for _ in seal_stream(KEY, pieces, NAME):
            pass


def test_file_of_the_limit_comes_back() -> None:
    pieces = (bytes(CHUNK) for _ in range(MAX_STREAM // CHUNK))
    opened = unseal_stream(KEY, seal_stream(KEY, pieces, NAME), NAME)
    assert sum(len(piece) for piece in opened) == MAX_STREAM


def test_file_opens_chunk_by_chunk_and_fails_at_the_first_bad_one() -> None:
    blob = bytearray(sealed_file(b"a" * CHUNK + b"b" * CHUNK + b"c"))
    blob[HEAD + CHUNK + 16] ^= 1
    opened = unseal_stream(KEY, [bytes(blob)], NAME)
    assert next(opened) == b"a" * CHUNK
    with pytest.raises(SealBroken):
        next(opened)
