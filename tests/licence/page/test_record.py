from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.domain import Licence
from docproc.errors import InputError
from docproc.licence.page.record import licence_json, parse_licence_json


def test_a_licence_comes_back_as_it_was(licence: Licence) -> None:
    assert parse_licence_json(licence_json(licence)) == licence
    endless = replace(licence, valid_to=None)
    assert parse_licence_json(licence_json(endless)) == endless


def test_json_is_canonical(licence: Licence) -> None:
    data = licence_json(licence)
    assert json.dumps(json.loads(data), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() == data
    assert "示例市样例餐饮店" in data.decode(), "readable, not escaped"


def change(data: bytes, **entries: object) -> bytes:
    raw = json.loads(data) | entries
    return json.dumps(raw, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "entries",
    [
        {"schema": "docproc-licence-2"},
        {"unknown": 1},
        {"version": "1"},
        {"version": True},
        {"number": 5},
        {"issued_on": None},
        {"issued_on": "2026-13-01"},
        {"fields": [["a", "b"]]},
        {"fields": None},
    ],
)
def test_other_shapes_are_refused(licence: Licence, entries: dict[str, object]) -> None:
    with pytest.raises(InputError):
        parse_licence_json(change(licence_json(licence), **entries))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 5000, b"{}", b"a" * 300_000])
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        parse_licence_json(data)


def test_spaces_or_doubled_keys_are_refused(licence: Licence) -> None:
    data = licence_json(licence)
    with pytest.raises(InputError, match="canonical"):
        parse_licence_json(data + b" ")
    with pytest.raises(InputError, match="canonical"):
        parse_licence_json(data.replace(b'{"application"', b'{"application":"A-2","application"', 1))


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_survives(holder: str, value: str) -> None:
    try:
        holder.encode(), value.encode()
    except UnicodeEncodeError:
        return
    base = json.loads(SAMPLE)
    licence = parse_licence_json(SAMPLE)
    changed = replace(licence, holder=holder, fields=(("x", "标签", value),))
    assert parse_licence_json(licence_json(changed)) == changed
    assert base["number"] == licence.number


SAMPLE = (
    '{"application":"A-1","authority":"示例局","authority_code":"","fields":[],"holder":"样例","identifier":"",'
    '"issued_on":"2026-01-02","kind":"food_business","matter":"m","number":"N1","schema":"docproc-licence-1",'
    '"title":"食品经营许可证","valid_from":"2026-01-02","valid_to":null,"verify_url":"","version":1}'
).encode()
