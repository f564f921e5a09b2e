"""Each field type accepts what offices issue, refuses what they do not, and says in Chinese what to do."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docproc.fields import VALIDATORS, ScopePhrase, cid_check_digit, split_scope, uscc_check_digit, validate

TODAY = date(2026, 11, 23)
HAN = re.compile("[\u4e00-\u9fff]")


def cid(body: str) -> str:
    return body + cid_check_digit(body)


GOOD = {
    "uscc": [
        "91110000600037341L",
        "91350200776049653A",
        "91440101MA5CJQ4N59",
        "９１１１００００600037341l",
        " 9111 0000 6000 37341L",
    ],
    "org_code": ["D2143569-X", "60003734-1", "776049653"],
    "regno": ["110108000000016"],
    "cid": [
        "11010519491231002X",
        "11010519491231002x",
        cid("51012219900101123"),
        cid("32059420180101123"),
        cid("81000019940823002"),
        cid("83000019940823002"),
    ],
    "prcard": [cid("93184019840801003"), "USA123456789012"],
    "hkmo_permit": ["H12345678", "M0123456701"],
    "tw_permit": ["12345678", "1234567801"],
    "passport": ["E12345678", "EA1234567", "G12345678", "SE1234567", "L898902C3"],
    "mobile": ["13800138000", "+86 199-1234-5678", "17012345678"],
    "phone": ["13800138000", "(028)85001234", "0512-62345678", "0512-62345678转12", "400-800-1234", "95588", "12345"],
    "bank_card": ["6222021234567890128", "4111 1111 1111 1111"],
    "bank_account": ["4402 2090 0910 0012 345"],
    "post_code": ["610200"],
    "vin": ["1M8GDM9AXKP042788"],
    "plate": ["川A·12345", "川AD12345", "苏E0000学", "粤Z1234港"],
    "food_licence_no": ["JY15308250014109", "JY13101060025900", "JY23506230105266"],
    "ecert": [
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
        "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
    ],
    "person_name": ["张三", "欧阳修远", "阿依古丽•买买提", "𠮷田", "ZHANG SAN", "José O'Neil"],
    "cn_name": ["成都（双流）宏达有限公司", "双流区东升街道2号小面馆", "ABB(中国)有限公司"],
    "address": ["四川省成都市双流区东升街道三强西路1号", "某某路1号"],
    "int": ["12", "１２人", "十二", "1,200个", "30岁"],
    "number": ["120.5", "120.50平方米", "35㎡", "-3.5", "5千克"],
    "scope": ["许可项目：食品销售；餐饮服务。"],
    "enum": ["retail", "a，b"],
    "sex": ["男", "女性"],
    "ethnicity": ["汉", "维吾尔族", "土家"],
    "date_or_long": ["长期", "2030.01.01"],
    "text": ["无"],
}

BAD = {
    "uscc": [
        "91110000600037341M",
        "91110000600037341I",
        "9111000060003734",
        "91110000600O37341L",
        "91110O00600037341L",
        "91A10000600037341L",
    ],
    "org_code": ["D2143569-1", "60003734-2", "6000373-41", "60003734"],
    "regno": ["110108000000017", "11010800000001", "1101080000000l6"],
    "cid": [
        "110105194912310021",
        "110105194902301234",
        cid("11010520280101123"),
        cid("11010518491231002"),
        "11O10519491231002X",
        "1101051949123100",
        "110105491231002",
        cid("93184019840801003"),
    ],
    "prcard": ["931840198408010034", cid("83184019840801003"), cid("93184019841301003"), "US1234567890123"],
    "hkmo_permit": ["H1234567", "X12345678"],
    "tw_permit": ["1234567"],
    "passport": ["护照", "E123", "ABCDEFGH"],
    "mobile": ["12345678901", "1380013800", "138001380000", "1380O138000"],
    "phone": ["10012345678", "62345678", "0123-4567", "电话"],
    "bank_card": ["6222021234567890129", "0000000000000000", "622202"],
    "bank_account": ["1234567", "00000000", "6222O21234567890"],
    "post_code": ["61020", "000000"],
    "vin": ["1M8GDM9A1KP042788", "1M8GDM9AXKPO42788", "1M8"],
    "plate": ["川A1234", "川I12345", "A12345", "川ABCDEF"],
    "food_licence_no": ["JY15308250014101", "JY1530825001410", "JZ15308250014109", "JY12345678901234"],
    "ecert": [
        "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000404.001.U",
        "1.2.156.3005.2.062301.1101101102.0624_001.001.U",
    ],
    "person_name": ["张", "张3", "张三，李四", "姓名：张三", "·张三", "X"],
    "cn_name": ["成都（双流宏达有限公司", "1234", "A", "名称：宏达公司"],
    "address": ["1号", "1234567", "路"],
    "int": ["1.5", "-1", "一二人半", "12万", "abc"],
    "number": ["100万", "1.2.3", "约", "1,00"],
    "scope": ["；", "。。"],
    "enum": [",", "、"],
    "sex": ["M", "男女"],
    "ethnicity": ["汗", "中国"],
    "date_or_long": ["2030-02-30", "不详"],
}


@pytest.mark.parametrize(("kind", "raw"), [(kind, raw) for kind, values in GOOD.items() for raw in values])
def test_issued_values_are_accepted(kind: str, raw: str) -> None:
    checked = validate(kind, raw, today=TODAY)
    assert checked.ok, checked.problem
    assert checked.problem == ""
    assert all(HAN.search(note) for note in checked.notes)


@pytest.mark.parametrize(("kind", "raw"), [(kind, raw) for kind, values in BAD.items() for raw in values])
def test_wrong_values_are_refused_with_what_to_do(kind: str, raw: str) -> None:
    checked = validate(kind, raw, today=TODAY)
    assert not checked.ok
    assert HAN.search(checked.problem)


def test_every_type_has_examples() -> None:
    elsewhere = {"date", "period", "date_range", "amount"}
    assert set(GOOD) | elsewhere == set(VALIDATORS)
    assert set(BAD) | elsewhere | {"text"} == set(VALIDATORS)


ALPHABET = st.one_of(
    st.text(),
    st.text("0123456789〇一二三十廿百千万亿壹贰拾佰仟元角分整年月日号至到自长期-/.:,;()·¥XJYSCEHAN 汉男", max_size=24),
)


@given(ALPHABET, st.sampled_from(sorted(VALIDATORS)))
def test_no_text_raises_and_values_are_stable(raw: str, kind: str) -> None:
    checked = validate(kind, raw, today=TODAY)
    again = validate(kind, checked.value, today=TODAY)
    assert again.value == checked.value
    assert checked.ok == (checked.problem == "")
    if checked.ok:
        assert again.ok


@given(st.sampled_from(sorted(set(GOOD) - {"text"})), st.data())
def test_accepted_values_stay_as_they_are(kind: str, data: st.DataObject) -> None:
    value = validate(kind, data.draw(st.sampled_from(GOOD[kind])), today=TODAY).value
    assert validate(kind, value, today=TODAY).value == value
    assert validate(kind, value, today=TODAY).ok


def test_normal_forms() -> None:
    forms = {
        ("uscc", "９１１１００００ 600037341l"): "91110000600037341L",
        ("org_code", "d2143569x"): "D2143569-X",
        ("mobile", "+86 138-0013-8000"): "13800138000",
        ("phone", "(028)8500 1234"): "028-85001234",
        ("phone", "0512-62345678转12"): "0512-62345678-12",
        ("plate", "川A·12345"): "川A12345",
        ("number", "1,200.50平方米"): "1200.5",
        ("int", "三十人"): "30",
        ("ethnicity", "维吾尔族"): "维吾尔",
        ("person_name", "阿依古丽 • 买买提"): "阿依古丽·买买提",
        ("cn_name", "成都（双流）宏达有限公司"): "成都(双流)宏达有限公司",
        ("enum", "a，b、a"): "a,b",
    }
    assert {key: validate(*key, today=TODAY).value for key in forms} == forms


def test_a_birth_after_today_is_refused_and_one_today_is_not() -> None:
    born = cid("51011620261123001")
    assert validate("cid", born, today=TODAY).ok
    assert not validate("cid", born, today=date(2026, 11, 22)).ok


def test_an_unknown_region_is_only_worth_a_look() -> None:
    for kind, value in (
        ("cid", cid("19991119900101123")),
        ("uscc", "91999999600037341" + uscc_check_digit("91999999600037341")),
    ):
        checked = validate(kind, value, today=TODAY)
        assert checked.ok
        assert "行政区划" in checked.notes[0]


def test_the_inner_code_of_a_credit_code_is_checked_too() -> None:
    body = "91110000600037340"
    checked = validate("uscc", body + uscc_check_digit(body), today=TODAY)
    assert not checked.ok
    assert "第9至17位" in checked.problem


def test_one_of_several_types_is_enough() -> None:
    assert validate("cid|passport", "EA1234567", today=TODAY).ok
    assert "18位" in validate("cid|hkmo_permit", "X1", today=TODAY).problem


def test_blank_is_a_problem_and_an_unknown_type_is_an_error() -> None:
    assert validate("text", " \u3000", today=TODAY).problem == "此项未填写，请补填"
    with pytest.raises(ValueError, match="'nonsense': use one of address"):
        validate("cid|nonsense", "1", today=TODAY)


def test_scopes_are_split_by_phrase_and_kind() -> None:
    assert split_scope("许可项目：食品销售；餐饮服务。一般项目：百货（须批准的，经批准；后开展）") == (
        ScopePhrase("食品销售", "许可"),
        ScopePhrase("餐饮服务", "许可"),
        ScopePhrase("百货(须批准的,经批准;后开展)", "一般"),
    )
    assert [phrase.text for phrase in split_scope("日用百货、五金销售")] == ["日用百货", "五金销售"]
    assert [phrase.text for phrase in split_scope("鞋、帽销售；餐饮服务")] == ["鞋、帽销售", "餐饮服务"]
