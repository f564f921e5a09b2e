"""Seals of firms as they are cut and pressed in many ways, with the name that each carries.

What varies: face and proportions of the characters, round and oval shape, size, rings, the star, a line of purpose
(合同专用章) across, a number on the lower arc, how it is turned, and how well the ink took. Names are made up; for the
hard case a name differs from another by one or two characters.
"""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import pymupdf
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from docproc.assets import paths as assets
from docproc.licence.page.art import draw
from docproc.licence.page.art_svg import to_svg
from samples.canvas import RED, Canvas, Colour, Mask
from samples.fonts import font_path
from samples.seal import TIMES, worn

TUNING_FACES = ("noto-serif", "noto-sans")
"""Faces of the seals that the reader was tuned on."""
HELD_OUT_FACES = ("lxgw-wenkai", "droid", "art")
"""Faces that only a measurement uses: a Kai face, PyMuPDF's own, and the drawing of our licences' seals."""

PURPOSES = ("合同专用章", "财务专用章", "业务专用章", "发票专用章", "公　章")
REGIONS = ("成都", "四川", "双流区", "成都市双流区", "眉山", "绵阳市", "重庆", "德阳", "宜宾", "泸州市")
BRANDS = (
    "锦和悦江蓉棠禾云味香源福鲜竹川巷天宇博雅恒信达盛华美嘉佳润泰安康益众诚德仁义礼智明星光辉耀金银铜铁石玉珠宝"
    "春夏秋冬梅兰菊松柏杨柳林森海洋河湖溪泉山峰岭谷田园农牧渔工商贸易通运汇聚联合创新科技龙凤虎鹏鹤马羊牛百千万亿"
    "一二三四五六七八九十上中下东南西北左右前后大小高低长短方圆红黄蓝绿青紫白黑"
)
HELD_OUT_BRANDS = (
    "桂枫榕桐莲荷菱葵雪霜露霞虹雷风帆舟航港湾洲岛岳岷涪渝黔滇粤湘鲁豫秦陇琼琪琳瑞瑶璐璟琴瑟笙歌墨砚书画诗词曲艺"
    "晨曦曙昭昕晟景晴晓旭昌昊旺盈满裕硕丰茂葱翠碧靛橙橘杏桃李梨枣柿莓葡萄薯稻麦粟豆芝麻椒姜蒜韭芹菇笋"
)
"""Characters of names that only a measurement uses."""
TRADES = (
    "餐饮管理", "餐饮服务", "食品", "商贸", "贸易", "科技", "信息技术", "物流", "建筑工程", "装饰设计", "文化传播",
    "电子商务", "机械设备", "人力资源服务", "物业管理", "生物科技", "农业开发", "汽车销售服务", "医疗器械", "教育咨询",
)  # fmt: skip
FORMS = ("有限公司", "有限责任公司", "有限公司", "股份有限公司", "合伙企业", "有限公司双流分公司")
SHOPS = ("面馆", "小吃店", "火锅店", "餐饮店", "饮品店", "便利店", "服装店", "理发店", "五金经营部", "副食店", "药房")
LIKE = (
    "锦绵", "味昧", "未末", "天夫", "大太", "千干", "日曰", "土士", "人入", "已己", "石右", "田由", "明朋", "宏宠",
    "博搏", "源原", "福富", "香杳", "禾木", "竹仲", "林森", "江汇", "川州", "鑫金", "辉晖", "华毕", "泰秦", "安女",
)  # fmt: skip
"""Pairs of characters that look alike."""


@dataclass(frozen=True, slots=True)
class Cut:
    """How a seal is cut. Lengths in mm; shares are of the shorter half axis."""

    name: str
    width: float
    height: float
    """As the width for a round seal."""
    font: str
    glyph: float
    """Height of a character."""
    narrow: float
    """Greatest width of a character as a share of its height."""
    span: float
    """Most degrees of the arc that the name takes."""
    ring: float
    inner_ring: bool = False
    star: bool = True
    purpose: str = ""
    number: str = ""
    weight: float = 0.03
    """Thickening of the strokes, share of the character's height."""


@dataclass(frozen=True, slots=True)
class Press:
    """How a seal is pressed."""

    turn: float = 0.0
    """Degrees counter-clockwise."""
    ink: float = 1.0
    """Share of full ink."""
    missing: float = 0.0
    """Share of the seal, on one side, that did not touch the paper."""
    colour: Colour = RED


def make_name(rng: random.Random, brands: str = BRANDS) -> str:
    """Name of a firm or shop that does not exist."""
    brand = "样例" * (rng.random() < 0.3) + "".join(rng.sample(brands, rng.choice((2, 2, 3))))
    if rng.random() < 0.3:
        return f"双流区{brand}{rng.choice(SHOPS)}"
    return f"{rng.choice(REGIONS)}{brand}{rng.choice(TRADES)}{rng.choice(FORMS)}"


def near_name(name: str, changes: int, rng: random.Random, brands: str = BRANDS) -> str:
    """Another name, with other characters in some places, now and then ones that look alike."""
    letters = list(name)
    for place in rng.sample(range(len(letters)), changes):
        alike = [pair.replace(letters[place], "") for pair in LIKE if letters[place] in pair]
        choices = alike if alike and rng.random() < 0.5 else [c for c in brands if c != letters[place]]
        letters[place] = rng.choice(choices)
    return "".join(letters)


def make_cut(name: str, rng: random.Random, fonts: tuple[str, ...]) -> Cut:
    """A seal of one of the usual kinds: a firm's, one for a purpose, an oval one."""
    kind = rng.choices(("firm", "purpose", "oval"), (6, 3, 1))[0]
    number = "".join(rng.choice("0123456789") for _ in range(13)) if rng.random() < 0.5 else ""
    base = Cut(
        name,
        0.0,
        0.0,
        rng.choice(fonts),
        rng.uniform(0.24, 0.32),
        rng.uniform(0.6, 0.95),
        rng.uniform(225, 275),
        rng.uniform(0.8, 1.4),
        number=number,
        weight=rng.uniform(0.015, 0.05),
    )
    if base.font == "art":
        return replace(base, width=42.0, height=42.0, purpose=rng.choice(("", "", "行政审批专用章")))
    if kind == "oval":
        return replace(base, width=45.0, height=30.0, glyph=0.3, star=False, purpose=rng.choice(PURPOSES))
    size = rng.choice((38.0, 40.0, 42.0)) if kind == "firm" else rng.choice((38.0, 40.0, 42.0, 45.0))
    made = replace(base, width=size, height=size, inner_ring=rng.random() < 0.25)
    return replace(made, span=min(made.span, 235.0), purpose=rng.choice(PURPOSES)) if kind == "purpose" else made


def make_press(rng: random.Random) -> Press:
    """A seal pressed as people do."""
    colour = (rng.randint(25, 75), rng.randint(20, 70), rng.randint(185, 235))
    return Press(rng.gauss(0, 14), rng.uniform(0.75, 1.0), 0.0, colour)


def faded(press: Press, rng: random.Random) -> Press:
    """The same with nearly dry ink."""
    return replace(press, ink=rng.uniform(0.2, 0.45))


def half_pressed(press: Press, rng: random.Random) -> Press:
    """The same on one side only."""
    return replace(press, missing=rng.uniform(0.12, 0.4))


def press_seal(canvas: Canvas, x: float, y: float, cut: Cut, press: Press, rng: random.Random) -> None:
    """Press a seal with its centre at ``x``, ``y`` (mm)."""
    picture = _official(cut, canvas.scale * TIMES) if cut.font == "art" else _cut(cut, canvas.scale * TIMES)
    turned = picture.rotate(press.turn, PilImage.Resampling.BILINEAR)
    small = cv2.resize(np.asarray(turned), None, fx=1 / TIMES, fy=1 / TIMES, interpolation=cv2.INTER_AREA)
    mask = small.astype(np.float32) / 255.0 * worn(small.shape, rng) * press.ink
    if press.missing:
        mask *= _untouched(mask.shape, press.missing, rng)
    canvas.blend(mask, x * canvas.scale - mask.shape[1] / 2, y * canvas.scale - mask.shape[0] / 2, press.colour)


def _official(cut: Cut, scale: float) -> PilImage.Image:
    """The seal as our licences draw it."""
    purpose = cut.purpose.replace("\u3000", "")
    art = draw(cut.name, assets.font(assets.SERIF), diameter=cut.width, purpose=purpose, code=cut.number)
    with pymupdf.open(stream=to_svg(art), filetype="svg") as document:
        zoom = cut.width * scale / document[0].rect.width
        drawn = document[0].get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csGRAY)
    grey = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.stride)[:, : drawn.width]
    side = int(cut.width * 1.1 * scale)
    picture = PilImage.new("L", (side, side))
    ink = np.where(grey < 250, 255, 0).astype(np.uint8)
    picture.paste(PilImage.fromarray(ink), ((side - drawn.width) // 2, (side - drawn.height) // 2))
    return picture


def _cut(cut: Cut, scale: float) -> PilImage.Image:
    side = int(max(cut.width, cut.height) * 1.1 * scale)
    picture = PilImage.new("L", (side, side))
    _rings(picture, cut, scale)
    _name(picture, cut, scale)
    _middle(picture, cut, scale)
    if cut.number:
        pitch = cut.height * 0.055
        inset, high = cut.ring + 0.5 + cut.height * 0.025, cut.height * 0.045
        _along(picture, cut, scale, cut.number, inset, high, pitch, below=True)
    return picture


def _untouched(shape: tuple[int, ...], share: float, rng: random.Random) -> Mask:
    """1 where the seal touched the paper, falling to 0 over one side."""
    yy, xx = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    depth = np.cos(angle) * xx + np.sin(angle) * yy
    touched: Mask = np.clip((1 - 2 * share - depth) / 0.15, 0, 1).astype(np.float32)
    return touched


def _rings(picture: PilImage.Image, cut: Cut, scale: float) -> None:
    pen = ImageDraw.Draw(picture)
    middle = picture.width / 2
    half = np.array([cut.width, cut.height]) / 2 * scale
    rings = [(0.0, cut.ring)] + ([(cut.ring + 0.35, 0.25)] if cut.inner_ring else [])
    for inset, thick in rings:
        a, b = half - inset * scale
        pen.ellipse([middle - a, middle - b, middle + a, middle + b], outline=255, width=max(1, round(thick * scale)))


def _name(picture: PilImage.Image, cut: Cut, scale: float) -> None:
    height = cut.glyph * cut.height / 2
    inset = cut.ring + (0.9 if cut.inner_ring else 0.6) + 0.5 + height / 2
    pitch = (cut.width + cut.height) / 4 * np.deg2rad(24)
    _along(picture, cut, scale, cut.name, inset, height, pitch, below=False)


def _along(
    picture: PilImage.Image,
    cut: Cut,
    scale: float,
    text: str,
    inset: float,
    height: float,
    pitch: float,
    *,
    below: bool,
) -> None:
    """Set characters along the curve ``inset`` mm inside the rim, upright at the top, or at the bottom."""
    places, total = _curve(cut, inset)
    room = total * cut.span / 360
    step = min(pitch, room / max(len(text), 1))
    wide = min(height * cut.narrow, step * 0.96)
    face = _face(cut.font, max(4, round(height * scale)))
    for index, character in enumerate(text):
        along = (index - (len(text) - 1) / 2) * step
        x, y, turn = places(total / 2 - along if below else along)
        tile = _tile(face, character, wide * scale, height * scale, cut.weight)
        turned = tile.rotate(-turn + (180 if below else 0), PilImage.Resampling.BILINEAR, expand=True)
        left = round(picture.width / 2 + x * scale - turned.width / 2)
        top = round(picture.width / 2 + y * scale - turned.height / 2)
        picture.paste(255, (left, top, left + turned.width, top + turned.height), turned)


def _curve(cut: Cut, inset: float) -> tuple[Callable[[float], tuple[float, float, float]], float]:
    """Place on the curve parallel to the rim by its length from the top, clockwise: x, y, degrees; and its length."""
    t = np.linspace(0, 2 * np.pi, 1441)
    a, b = cut.width / 2, cut.height / 2
    normal = np.stack([np.sin(t) / a, -np.cos(t) / b])
    normal /= np.linalg.norm(normal, axis=0)
    x, y = np.stack([a * np.sin(t), -b * np.cos(t)]) - inset * normal
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    turn = np.unwrap(np.arctan2(normal[0], -normal[1]))

    def place(along: float) -> tuple[float, float, float]:
        at = along % length[-1]
        here = (np.interp(at, length, x), np.interp(at, length, y), np.rad2deg(np.interp(at, length, turn)))
        return float(here[0]), float(here[1]), float(here[2])

    return place, float(length[-1])


def _tile(face: ImageFont.FreeTypeFont, character: str, wide: float, high: float, weight: float) -> PilImage.Image:
    side = round(high * 1.3)
    tile = PilImage.new("L", (side, side))
    stroke = round(high * weight)
    ImageDraw.Draw(tile).text((side / 2, side / 2), character, 255, face, anchor="mm", stroke_width=stroke)
    squeeze = wide / high
    return tile.resize((max(2, round(side * squeeze)), side), PilImage.Resampling.BICUBIC)


@lru_cache(maxsize=64)
def _face(name: str, pixels: int) -> ImageFont.FreeTypeFont:
    path = font_path("noto-serif" if name == "art" else name) if name != "droid" else None
    return ImageFont.truetype(io.BytesIO(pymupdf.Font("cjk").buffer) if path is None else str(path), pixels)


def _middle(picture: PilImage.Image, cut: Cut, scale: float) -> None:
    pen = ImageDraw.Draw(picture)
    middle, radius = picture.width / 2, cut.height / 2 * scale
    if cut.star:
        corners = []
        for i in range(10):
            far, angle = radius * 0.3 * (1 if i % 2 == 0 else 0.382), i * np.pi / 5
            corners.append((middle + far * np.sin(angle), middle - far * np.cos(angle)))
        pen.polygon(corners, fill=255)
    if cut.purpose:
        size = min(radius * 0.22, radius * 1.15 / len(cut.purpose))
        down = 0.5 if cut.star else 0.1
        face = _face(cut.font, max(4, round(size)))
        pen.text((middle, middle + radius * down), cut.purpose, 255, face, anchor="mm")
