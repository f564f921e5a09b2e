"""Name of a person."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields import text as texts
from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import HAN, HAN_RANGES, LETTERS, Ranges, Slot, Spelling

_DOTS = re.compile("[•‧∙⋅・･﹒.](?=[\u3400-\u9fff\U00020000-\U0003ffff])")
_HAN_NAME = re.compile(rf"[{texts.HAN}]{{2,15}}(?:·[{texts.HAN}]{{1,15}}){{0,4}}|[{texts.HAN}]·[{texts.HAN}]{{1,15}}")
_LATIN_NAME = re.compile(r"[A-Z\u00c0-\u024f][A-Z\u00c0-\u024f'. ,-]{1,59}", re.IGNORECASE)
MAX_NAME = 4
"""Han characters of a person's name without a middle dot; longer ones are rare, and mostly contain other text."""
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤",
    "温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳管柴蒙鲍华"
    "喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄"
    "丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄"
    "平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜羊阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢嵇公哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀"
    "衣信展阴昝智幸奉植衡富尧闭由",
)
"""The hundred most common family names (85 of 100 people), and further ones."""
_DOUBLE_SURNAMES_TEXT = """
欧阳 上官 东方 诸葛 皇甫 尉迟 公孙 令狐 慕容 司徒 夏侯 轩辕 长孙 宇文 司马 端木 南宫 百里 呼延 闻人 澹台
淳于 万俟 独孤 拓跋 赫连 鲜于 申屠
"""
_DOUBLE_SURNAMES = frozenset(_DOUBLE_SURNAMES_TEXT.split())


def person_name(raw: str, *, today: date) -> Checked:
    """Name of a person: Han characters, a middle dot between parts of a name, or Latin letters as in a passport."""
    value = _DOTS.sub("·", texts.normalise_text(raw))
    value = re.sub(" ?· ?", "·", value)
    if _HAN_NAME.fullmatch(value) or _LATIN_NAME.fullmatch(value):
        return good(value)
    return bad(value, "姓名应与身份证件一致，只写汉字（外国人写护照上的字母），请核对")


def person_prior(value: str) -> float:
    """Return the log prior (nats) of a person's name: nearly all begin with a known family name.

    Of a hundred people in China 85 have one of the hundred most common family names, and 13 one of the next three
    hundred; the priors are weaker than these shares.
    """
    if "·" in value or value.isascii() or value[:2] in _DOUBLE_SURNAMES:
        return 0.0
    common, known = _SURNAMES
    return 0.0 if value[0] in common else -1.5 if value[0] in known else -3.5


def contains_more(value: str) -> bool:
    """Whether a name is so long that it probably contains other text."""
    return len(value) > MAX_NAME and not {"·", " "} & set(value) and not value.isascii()


TYPE = FieldType(
    name="person_name",
    kind="text",
    validator=person_name,
    example="欧阳修远",
    wrong="张",
    spelling=Spelling(
        shapes=(
            (Slot(HAN, 2, 15),),
            (Slot(HAN, 1, 10), Slot("·"), Slot(Ranges(*HAN_RANGES, also="·"), 1, 14)),
            (Slot(frozenset(LETTERS), 2, 20), Slot(frozenset(LETTERS + " .'-,"), 0, 30)),
        ),
        trust="named",
        confusions=dict.fromkeys(".•・．", (("·", 1.0),)),
        prior=person_prior,
        simplify=True,
        beam=16,
    ),
    lead_words=("姓名", "(负责人)", "(签章)"),
    incomplete=contains_more,
    mask=None,
    sensitive=False,
    prefill="always",
)
