"""Check-digit kernels against an independent implementation, published numbers, and every single wrong character."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric
from stdnum.cn import uscc as stdnum_uscc
from stdnum.iso7064 import mod_11_10, mod_37_36

from docproc.fields import (
    cid_birth_sex,
    cid_check_digit,
    luhn_valid,
    make_identifier,
    mod11_10,
    mod37_36,
    mrz_check_digit,
    org_check_digit,
    uscc_check_digit,
    validate,
    vin_check_digit,
)
from docproc.fields.check_digits import ALNUM, DIGITS, USCC_ALPHABET

TODAY = date(2026, 11, 23)

orgs = st.text(USCC_ALPHABET, min_size=8, max_size=8).filter(lambda body: org_check_digit(body) in USCC_ALPHABET)
uscc_bodies = st.builds(
    lambda head, region, org: head + region + org + org_check_digit(org),
    st.sampled_from(["91", "92", "11", "12", "52", "N2", "A1", "Y1"]),
    st.sampled_from(["510116", "320594", "110105", "100000"]),
    orgs,
)
usccs = uscc_bodies.map(lambda body: body + uscc_check_digit(body))
cid_bodies = st.builds(
    lambda region, birth, order: f"{region}{birth:%Y%m%d}{order:03d}",
    st.sampled_from(["510122", "510116", "320594", "110105", "810000", "830000"]),
    st.dates(date(1900, 1, 1), TODAY),
    st.integers(0, 999),
)
cids = cid_bodies.map(lambda body: body + cid_check_digit(body))


@given(uscc_bodies)
def test_credit_code_agrees_with_stdnum(body: str) -> None:
    assert uscc_check_digit(body) == stdnum_uscc.calc_check_digit(body)


@given(cid_bodies)
def test_identity_number_agrees_with_stdnum(body: str) -> None:
    assert cid_check_digit(body) == ric.calc_check_digit(body + "0")


@given(st.text(DIGITS, min_size=1, max_size=20), st.text(ALNUM, min_size=1, max_size=70))
def test_hybrid_systems_agree_with_stdnum(digits: str, text: str) -> None:
    assert mod11_10(digits) == mod_11_10.calc_check_digit(digits)
    assert mod37_36(text) == mod_37_36.calc_check_digit(text)


@given(usccs)
def test_credit_code_holds_and_every_single_change_is_detected(code: str) -> None:
    assert validate("uscc", code, today=TODAY).ok
    for place, right in enumerate(code):
        for wrong in set(ALNUM) - {right}:
            assert not validate("uscc", code[:place] + wrong + code[place + 1 :], today=TODAY).ok


@given(cids)
def test_identity_number_holds_and_every_single_change_is_detected(number: str) -> None:
    assert validate("cid", number, today=TODAY).ok
    for place, right in enumerate(number):
        for wrong in set("0123456789X") - {right}:
            assert not validate("cid", number[:place] + wrong + number[place + 1 :], today=TODAY).ok


@given(cid_bodies, st.integers(0, 999))
def test_birth_and_sex_are_read_from_the_number(body: str, order: int) -> None:
    birth, sex = cid_birth_sex(body + cid_check_digit(body))
    assert f"{birth:%Y%m%d}" == body[6:14]
    assert sex == ("男" if body[16] in "13579" else "女")


@pytest.mark.parametrize("number", ["", "11010519491331002X", "110105194912310", "11010519491231002Y"])
def test_no_birth_is_read_from_what_is_no_number(number: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cid_birth_sex(number)


def test_published_examples() -> None:
    assert org_check_digit("D2143569") == "X"  # GB 11714-1997
    assert cid_check_digit("11010519491231002") == "X"  # GB 11643-1999
    assert cid_check_digit("44052418800101001") == "4"  # GB 11643-1999
    assert mrz_check_digit("L898902C3") == "6"  # ICAO 9303-4, appendix A
    assert mrz_check_digit("740812") == "2"
    assert mrz_check_digit("ZE184226B<<<<<") == "1"
    assert vin_check_digit("1M8GDM9AXKP042788") == "X"
    assert luhn_valid("4111111111111111")
    assert not luhn_valid("4111111111111112")


@pytest.mark.parametrize(
    ("kernel", "body"),
    [
        (uscc_check_digit, "9111000060003734I"),
        (uscc_check_digit, "911100"),
        (org_check_digit, "D21435691"),
        (cid_check_digit, "1101051949123100X"),
        (mod11_10, "12A"),
        (mod37_36, "a"),
        (mrz_check_digit, "ä"),
        (luhn_valid, ""),
        (luhn_valid, "41 1"),
        (vin_check_digit, "IM8GDM9AXKP042788"),
        (vin_check_digit, "1M8"),
    ],
)
def test_kernels_refuse_what_is_outside_their_alphabet(kernel, body: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"."):
        kernel(body)


@given(
    st.text(ALNUM, min_size=21, max_size=21),
    uscc_bodies,
    st.text(ALNUM, min_size=1, max_size=32),
    st.integers(1, 999),
    st.data(),
)
def test_licence_identifier_round_trip_and_changes(
    kind: str, issuer: str, serial: str, version: int, data: st.DataObject
) -> None:
    identifier = make_identifier(kind, issuer + uscc_check_digit(issuer), serial, version)
    assert validate("ecert", identifier, today=TODAY).value == identifier
    assert validate("ecert", identifier, today=TODAY).ok
    places = [place for place, char in enumerate(identifier) if place > 14 and char != "."]
    place = data.draw(st.sampled_from(places))
    wrong = data.draw(st.sampled_from(sorted(set(ALNUM) - {identifier[place]})))
    assert not validate("ecert", identifier[:place] + wrong + identifier[place + 1 :], today=TODAY).ok


@pytest.mark.parametrize(
    ("kind", "issuer", "serial", "version"),
    [
        ("1" * 20, "1" * 18, "1", 1),
        ("1" * 21, "1" * 19, "1", 1),
        ("1" * 21, "1" * 18, "", 1),
        ("1" * 21, "1" * 18, "1", 1000),
    ],
)
def test_licence_identifier_refuses_parts_that_do_not_fit(kind: str, issuer: str, serial: str, version: int) -> None:
    with pytest.raises(ValueError, match="is not"):
        make_identifier(kind, issuer, serial, version)
