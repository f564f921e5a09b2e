"""What is read and compared quickly is what pyHanko and asn1crypto read and compare, trouble included."""

from __future__ import annotations

import io
import itertools
import random
from typing import Any

import pytest
from asn1crypto import x509
from pyhanko.pdf_utils import generic, misc
from pyhanko.pdf_utils.misc import PdfError

from docproc.licence.pki import quick_names, quick_pdf

HEX = b"0123456789abcdefABCDEF"


def outcome(read: Any, data: bytes) -> tuple[str, object, int]:
    """What reading gives, or the kind of its error, and how far it came where it came to an end."""
    stream = io.BytesIO(data)
    try:
        found = read(stream)
    except (PdfError, ValueError) as error:
        return type(error).__name__, str(error), 0
    return type(found).__name__, found, stream.tell()


def strings() -> list[bytes]:
    rng = random.Random(7)
    plain = [
        b"<>",
        b"<0>",
        b"<00>",
        b"<FEFF8BC1>",
        b"<feff8bc1>junk>",
        b"<41 42\n43>",
        b"<4G>",
        b"<41",
        b"<",
        b"<4%c\n1>",
        b"<<>",
    ]
    long = [b"<" + bytes(rng.choices(HEX, k=size)) + b">tail" for size in (65_534, 65_535, 65_536, 65_537, 300_001)]
    alphabet = HEX + b" \n\t\r\0%<>)(G\xff"
    wild = [b"<" + bytes(rng.choices(alphabet, k=rng.randrange(30))) + b">" for _ in range(3000)]
    nearly = [
        b"<" + bytes(rng.choices(HEX, k=rng.randrange(40))) + rng.choice((b">", b"", b" >", b"x>")) for _ in range(1000)
    ]
    return plain + long + wild + nearly


def test_hexadecimal_strings_are_read_as_ever() -> None:
    for data in strings():
        assert outcome(generic.read_hex_string_from_stream, data) == outcome(quick_pdf._read_hex, data), data[:60]


def test_reading_goes_on_where_the_string_ends() -> None:
    found = generic.read_object(io.BytesIO(b"<< /A <4142> /B [<43> <44>] /C (x) >>"), generic.Reference(0, 0, None))
    assert [found["/A"], *found["/B"], found["/C"]] == ["AB", "C", "D", "x"]


def test_words_names_and_blanks_are_read_as_ever() -> None:
    rng = random.Random(11)
    alphabet = b"abcXYZ019#/.+-_ \t\r\n\0\x0c()<>[]{}%\x7f\xe8"
    words = [bytes(rng.choices(alphabet, k=rng.randrange(12))) for _ in range(4000)]
    words += [b"a" * size + end for size in (63, 64, 65, 130) for end in (b"", b" ", b"/x", b"%\n ")]
    blanks = misc.PDF_WHITESPACE + misc.PDF_DELIMITERS
    for word in words:
        for read, plain in (
            (lambda it: misc._read_until_class(blanks, it), lambda it: quick_pdf._read_until(blanks, it)),
            (lambda it: misc._read_until_class(b"\n", it, maxchars=3), lambda it: quick_pdf._read_until(b"\n", it, 3)),
            (generic.read_non_whitespace, quick_pdf._read_past_blanks),
            (lambda it: generic.read_non_whitespace(it, True), lambda it: quick_pdf._read_past_blanks(it, True)),
            (lambda it: generic._decode_name(it.read()), lambda it: quick_pdf._decode_name(it.read())),
        ):
            assert outcome(read, word) == outcome(plain, word), word


def name(**parts: str) -> x509.Name:
    return x509.Name.load(x509.Name.build(parts).dump())


NAMES = [
    name(common_name="示例机构（样例）", country_name="CN"),
    name(common_name="示例机构(样例)", country_name="CN"),
    name(common_name="Example  Office", country_name="CN"),
    name(common_name="example office", country_name="CN"),
    name(common_name=" Example Office ", country_name="CN"),
    name(common_name="Example Office", organization_name="CN"),
    name(common_name="Example Office"),
    name(),
]


@pytest.mark.parametrize("again", range(2))
def test_names_are_compared_by_rfc_5280_as_ever(again: int) -> None:
    for one, two in itertools.product(NAMES, repeat=2):
        assert (one == two) == quick_names._same_name(one, two)
        assert (one != two) != (one == two)
    assert [item.hashable for item in NAMES] == [quick_names._name_key(item) for item in NAMES]
    assert NAMES[0] != "示例机构" and NAMES[2] == NAMES[3]


def test_a_name_that_must_not_be_is_refused_each_time() -> None:
    forbidden = name(common_name="private \ue000 use")
    for _ in range(2):
        with pytest.raises(ValueError, match="private use"):
            _ = forbidden == name(common_name="other")
        with pytest.raises(ValueError, match="private use"):
            _ = forbidden.hashable


def test_a_name_inside_something_else_is_the_same_name() -> None:
    inside = x509.GeneralName(name="directory_name", value=NAMES[0])
    assert x509.GeneralName.load(inside.dump()).chosen == NAMES[0]
    assert x509.GeneralName.load(inside.dump()).chosen != NAMES[1] or NAMES[0] == NAMES[1]
