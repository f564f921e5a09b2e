"""Name of an organisation."""

from __future__ import annotations

import re
from datetime import date

from docproc.fields.check_digits import DIGITS
from docproc.fields.field_type import FieldType
from docproc.fields.result import Checked, bad, good
from docproc.fields.spelling import HAN_RANGES, LETTERS, Ranges, Slot, Spelling
from docproc.fields.text import HAN, normalise_text

_CN_NAME = re.compile(rf"(?=.*[{HAN}])[{HAN}A-Za-z0-9()·&.,'\-—+ ]{{2,100}}")
_FIELD_LABEL = re.compile("(?:姓名|名称|住所|地址|身份证|号码|电话):")
_ENDINGS_TEXT = """
公司 合伙企业 (有限合伙) (普通合伙) (特殊普通合伙) 合作社 联社 厂 店 部 馆 室 站 场 所 坊 屋 院 园 楼 城
铺 吧 局 会 中心 集团 经营户 工商户 学校 食堂 酒家 超市
"""
_ENDINGS = tuple(_ENDINGS_TEXT.split())
_TRADES_TEXT = """
餐饮 食品 商贸 贸易 科技 技术 管理 服务 咨询 文化 传媒 广告 装饰 工程 建筑 建材 物流 运输 电子 机械 设备
实业 投资 置业 房地产 物业 医药 医疗 器械 化工 纺织 服饰 服装 网络 信息 软件 农业 农产品 生物 环保 能源
汽车 酒店 旅游 教育 培训 美容 便利 超市 百货 烟酒 茶 面馆 小吃 火锅 快餐 饭店 水果 蔬菜 五金 制造
"""
_TRADES = tuple(_TRADES_TEXT.split())
_FIRM = Ranges(*HAN_RANGES, also="〇（）()·&-—－、" + DIGITS + LETTERS)


def cn_name(raw: str, *, today: date) -> Checked:
    """Name of an organisation: Han characters, letters, digits, brackets that match."""
    value = normalise_text(raw)
    if not _CN_NAME.fullmatch(value) or _FIELD_LABEL.search(value):
        return bad(value, "名称应为2至100个字，与营业执照一致，请核对")
    return good(value) if _balanced(value) else bad(value, "名称中的括号不成对，请核对")


def _balanced(value: str) -> bool:
    depth = 0
    for char in value:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def has_firm_suffix(value: str) -> bool:
    """Whether a name ends like the name of a firm, shop or institution."""
    return value.endswith(_ENDINGS)


def firm_prior(value: str) -> float:
    """Return the log prior (nats) of a firm's name: most names contain their trade and end in a known suffix.

    Assumed, not measured: one name in fifty has an unknown suffix, one in seven a trade that is not listed.
    """
    ending = 0.0 if has_firm_suffix(value) else -4.0
    return ending + (0.0 if any(trade in value for trade in _TRADES) else -2.0)


def ends_otherwise(value: str) -> bool:
    """Whether the end of a name is missing, or something follows it."""
    return not has_firm_suffix(value)


TYPE = FieldType(
    name="cn_name",
    kind="text",
    validator=cn_name,
    example="成都(双流)样例有限公司",
    wrong="成都(双流样例有限公司",
    spelling=Spelling(
        shapes=((Slot(_FIRM, 2, 60),),), trust="named", prior=firm_prior, folded=True, simplify=True, beam=32
    ),
    lines=2,
    incomplete=ends_otherwise,
    mask=None,
    sensitive=False,
    prefill="always",
)
