"""From addresses to codes of GB/T 2260, by year, with zones, and without guessing."""

from __future__ import annotations

from datetime import date

import pytest

from docproc.fields import current_code, locate, region_known, region_name, same_address, validate
from docproc.fields.region import units

TODAY = date(2026, 11, 23)
IN_FORCE = tuple(unit for unit in units() if unit.last is None)


@pytest.mark.parametrize(
    ("address", "code", "rest"),
    [
        ("四川省成都市双流区东升街道三强西路1号", "510116", "东升街道三强西路1号"),
        ("四川成都双流东升", "510116", "东升"),
        ("住所：610200 四川省成都市双流区东升街道", "510116", "东升街道"),
        ("江苏省苏州市吴中区木渎镇", "320506", "木渎镇"),
        ("江苏省昆山市玉山镇", "320583", "玉山镇"),
        ("吉林省朝阳区工农大路", "220104", "工农大路"),
        ("吉林市船营区", "220204", ""),
        ("北京市市辖区朝阳区建国路1号", "110105", "建国路1号"),
        ("上海浦东新区世纪大道", "310115", "世纪大道"),
        ("河南省济源市天坛路", "419001", "天坛路"),
        ("广东省东莞市南城街道", "441900", "南城街道"),
        ("凉山州西昌市航天大道", "513401", "航天大道"),
        ("海南藏族自治州共和县", "632521", ""),
        ("内蒙古呼和浩特", "150100", ""),
        ("香港特别行政区", "810000", ""),
    ],
)
def test_addresses_are_located(address: str, code: str, rest: str) -> None:
    place = locate(address)
    assert place is not None
    assert (place.code, place.rest, place.former) == (code, rest, False)


@pytest.mark.parametrize(
    "address", ["朝阳区建国路1号", "鼓楼区", "海口路12号", "北京东路5号", "东升街道三强西路1号", "省", ""]
)
def test_what_names_no_unit_or_several_is_not_guessed(address: str) -> None:
    assert locate(address) is None


def test_former_names_lead_to_the_unit_of_today() -> None:
    place = locate("成都市双流县东升镇", year=2014)
    assert place is not None
    assert (place.code, place.name, place.former) == ("510116", "四川省成都市双流区", True)
    tibet = locate("西藏日喀则地区江孜县")
    assert tibet is not None
    assert (tibet.code, tibet.former) == ("540222", True)
    assert "旧名称" in validate("address", "成都市双流县东升镇1号", today=TODAY).notes[0]


@pytest.mark.parametrize(
    ("address", "code", "zone"),
    [
        ("江苏省苏州市苏州工业园区星湖街1号", "320594", "苏州工业园区"),
        ("苏州工业园区星湖街1号", "320594", "苏州工业园区"),
        ("苏州市工业园区星湖街1号", "320594", "苏州工业园区"),
        ("四川天府新区华阳街道", "510100", "四川天府新区"),
        ("成都市天府新区正兴街道", "510100", "四川天府新区"),
        ("中国（四川）自由贸易试验区成都高新区天府大道", "510109", "成都高新区"),
        ("中国（四川）自由贸易试验区成都市天府新区兴隆街道", "510100", "四川天府新区"),
        ("成都市高新区天府大道", "510109", "成都高新区"),
        ("成都市双流区西南航空港经济开发区", "510116", "西南航空港经济开发区"),
        ("上海市闸北区共和新路", "310106", "闸北区"),
    ],
)
def test_functional_zones_and_abolished_districts(address: str, code: str, zone: str) -> None:
    place = locate(address)
    assert place is not None
    assert (place.code, place.zone) == (code, zone)


def test_common_zone_names_count_only_in_their_city() -> None:
    place = locate("四川省绵阳市高新区")
    assert place is not None
    assert (place.code, place.zone) == ("510700", "")
    assert locate("高新区天府大道") is None


def test_every_unit_in_force_is_found_under_its_full_name() -> None:
    missed = []
    for unit in IN_FORCE:
        name = region_name(unit.code)
        place = locate(f"{name}人民路1号")
        if place is None or (place.code, place.name, place.rest) != (unit.code, name, "人民路1号"):
            missed.append((unit, place))
    assert missed == []
    assert len(IN_FORCE) > 3200


def test_only_a_divided_city_asks_for_the_district() -> None:
    assert validate("address", "广东省东莞市南城街道1号", today=TODAY).notes == ()
    assert "区（县）" in validate("address", "四川省成都市人民路1号", today=TODAY).notes[0]


def test_known_codes() -> None:
    assert all(
        region_known(code) for code in ("510122", "510116", "320594", "542527", "110000", "440101", "110100", "429000")
    )
    assert not any(region_known(code) for code in ("999999", "510199", "999901", "", "51011"))
    assert region_name("999999") == ""
    assert current_code("510122") == current_code("510116") == "510116"
    assert current_code("320594") == "320594"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("四川省成都市双流县东升街道三强西路一号", "双流区东升街道三强西路1号"),
        ("四川省成都市双流区东升街道三强西路 1 号", "四川成都双流区东升街道三强西路１号"),
        ("江苏省苏州市工业园区星湖街3号二楼", "苏州工业园区星湖街三号2楼"),
        ("东升街道5号", "东升街道五号"),
    ],
)
def test_same_addresses(one: str, other: str) -> None:
    assert same_address(one, other)
    assert same_address(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("四川省成都市双流区东升街道1-2号", "四川省成都市双流区东升街道12号"),
        ("四川省成都市双流区东升街道1号", "四川省成都市武侯区东升街道1号"),
        ("四川省成都市双流区东升街道1号", "东升街道1号"),
        ("成都市双流区", "成都市"),
        ("", ""),
    ],
)
def test_different_addresses(one: str, other: str) -> None:
    assert not same_address(one, other)
    assert not same_address(other, one)
