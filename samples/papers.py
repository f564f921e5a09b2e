"""Papers that others issued: ID cards, leases, health certificates, household pages.

All are marked 样例, none carries the state emblem.

Each function returns the sheet and its values by field name, as printed.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

import cv2
import numpy as np

from docproc.form.fill import wrap
from samples.canvas import BLACK, RED, Canvas, Colour, Style
from samples.fonts import signing_font
from samples.people import REGION, Person, chinese_day
from samples.seal import round_seal, thumb_print

LABEL: Colour = (150, 105, 40)
"""Blue of the labels on an ID card."""
Values = dict[str, str]


def watermark(canvas: Canvas, rng: random.Random, alpha: float = 0.07, size: float = 9.0) -> None:
    """Print 样例 across the sheet, faintly."""
    height, width = (v / canvas.scale for v in canvas.image.shape[:2])
    step = size * 4.2
    y = size
    while y < height:
        x = rng.uniform(0, step)
        while x < width:
            canvas.text(x, y, "样例", size, font="noto-sans", colour=(60, 60, 60), alpha=alpha)
            x += step
        y += step * 0.8


def emblem(canvas: Canvas, x: float, y: float, size: float, colour: Colour = RED) -> None:
    """A disc that says 样例 where the state emblem would be."""
    side = int(size * canvas.scale)
    mask = np.zeros((side, side), np.float32)
    cv2.circle(mask, (side // 2, side // 2), side // 2 - 1, 0.85, -1, cv2.LINE_AA)
    cv2.circle(mask, (side // 2, side // 2), int(side * 0.4), 0.35, max(1, side // 40), cv2.LINE_AA)
    canvas.blend(mask, x * canvas.scale - side / 2, y * canvas.scale - side / 2, colour)
    canvas.text(x, y, "样例", size * 0.28, font="noto-sans", colour=(0, 0, 0), align="centre", bold=0.02)


def _card(dpi: float, rng: random.Random) -> tuple[Canvas, Canvas]:
    """A card's ground (85.6 × 54 mm, GA 450 size) with its fine lines; the sheet it lies on comes second."""
    card = Canvas(85.6, 54.0, dpi)
    height, width = card.image.shape[:2]
    yy, xx = np.mgrid[0:height, 0:width].astype(np.float32) / card.scale
    tint = 0.5 + 0.5 * np.sin(xx / 14) * np.cos(yy / 11)
    low, high = np.array((236, 232, 214), np.float32), np.array((238, 226, 236), np.float32)
    ground = low + (high - low) * tint[:, :, None]
    waves = np.sin((yy + 1.6 * np.sin(xx / 5.0)) * 5.2) + np.sin((yy - 1.4 * np.sin(xx / 6.3)) * 4.6)
    card.image[:] = np.clip(ground - 5.0 * (waves > 1.3)[:, :, None], 0, 255).astype(np.uint8)
    sheet = Canvas(118.0, 84.0, dpi, tint=rng.choice((250, 225, 190)))
    return card, sheet


def _lay(card: Canvas, sheet: Canvas, rng: random.Random) -> Canvas:
    """Put the card with its round corners on the sheet, with a faint shadow."""
    height, width = card.image.shape[:2]
    mask = np.zeros((height, width), np.uint8)
    radius = int(3.18 * card.scale)
    cv2.rectangle(mask, (radius, 0), (width - radius, height), 255, -1)
    cv2.rectangle(mask, (0, radius), (width, height - radius), 255, -1)
    for x in (radius, width - radius - 1):
        for y in (radius, height - radius - 1):
            cv2.circle(mask, (x, y), radius, 255, -1, cv2.LINE_AA)
    sheet.text(59.0, 5.0, "样例　仅供测试", 3.2, font="noto-sans", align="centre", alpha=0.6)
    sheet.text(59.0, 79.5, "样例　仅供测试", 3.2, font="noto-sans", align="centre", alpha=0.6)
    x0 = int((16.2 + rng.uniform(-6, 6)) * sheet.scale)
    y0 = int((15.0 + rng.uniform(-4, 4)) * sheet.scale)
    soft = cv2.GaussianBlur(np.pad(mask, 30).astype(np.float32) / 255.0, (0, 0), 7) * 0.35
    sheet.blend(soft, x0 - 26, y0 - 25, (40, 40, 40))
    part = sheet.image[y0 : y0 + height, x0 : x0 + width]
    alpha = mask[:, :, None].astype(np.float32) / 255.0
    part[:] = (card.image * alpha + part * (1 - alpha)).astype(np.uint8)
    return sheet


def id_front(person: Person, rng: random.Random, dpi: float = 300.0) -> tuple[Canvas, Values]:
    """The side with the portrait."""
    card, sheet = _card(dpi, rng)
    for y, label in ((9.2, "姓　名"), (17.0, "性　别"), (24.6, "出　生"), (32.4, "住　址")):
        card.text(6.2, y, label, 2.7, font="noto-sans", colour=LABEL)
    card.text(29.0, 17.0, "民　族", 2.7, font="noto-sans", colour=LABEL)
    card.text(6.2, 48.2, "公民身份号码", 2.7, font="noto-sans", colour=LABEL)
    card.text(17.5, 9.2, person.name, 3.9, font="noto-sans", bold=0.006)
    card.text(17.5, 17.0, person.sex, 3.3, font="noto-sans")
    card.text(38.5, 17.0, person.nation, 3.3, font="noto-sans")
    born = person.born
    for x, text, unit in ((17.5, str(born.year), "年"), (31.0, str(born.month), "月"), (40.0, str(born.day), "日")):
        width = card.text(x, 24.6, text, 3.3, font="noto-sans")
        card.text(max(x + width + 1.0, x + 5.5), 24.6, unit, 2.7, font="noto-sans", colour=LABEL)
    for index, line in enumerate(wrap(person.address, 11.2)):
        card.text(17.5, 32.2 + index * 4.3, line, 3.3, font="noto-sans")
    card.text(30.0, 48.2, person.cid, 4.1, font="noto-sans", bold=0.012, spread=48.5)
    _portrait(card)
    values = {
        "name": person.name,
        "sex": person.sex,
        "ethnicity": person.nation,
        "born_on": chinese_day(born),
        "address": person.address,
        "cid": person.cid,
    }
    return _lay(card, sheet, rng), values


def _portrait(card: Canvas) -> None:
    """A grey outline of nobody."""
    side = (int(33 * card.scale), int(26 * card.scale))
    mask = np.zeros(side, np.float32)
    height, width = side
    cv2.circle(mask, (width // 2, int(height * 0.36)), int(width * 0.24), 0.45, -1, cv2.LINE_AA)
    cv2.ellipse(mask, (width // 2, height), (int(width * 0.44), int(height * 0.38)), 0, 180, 360, 0.55, -1, cv2.LINE_AA)
    card.blend(mask, 55.5 * card.scale, 8 * card.scale, (70, 60, 55))
    card.text(68.5, 20.6, "样例", 3.2, font="noto-sans", align="centre")


def id_back(person: Person, rng: random.Random, dpi: float = 300.0) -> tuple[Canvas, Values]:
    """The side with the authority and the validity."""
    card, sheet = _card(dpi, rng)
    emblem(card, 14.0, 14.0, 16.0)
    card.text(51.0, 11.0, "中华人民共和国", 5.0, font="noto-sans", bold=0.02, spread=48.0, align="centre")
    card.text(51.0, 21.0, "居民身份证", 6.6, font="noto-sans", bold=0.03, spread=48.0, align="centre")
    authority = "成都市公安局双流分局"
    until = "长期" if person.card_to is None else f"{person.card_to:%Y.%m.%d}"
    card.text(20.0, 40.5, "签发机关", 2.9, font="noto-sans", bold=0.01)
    card.text(35.0, 40.5, authority, 3.1, font="noto-sans")
    card.text(20.0, 47.0, "有效期限", 2.9, font="noto-sans", bold=0.01)
    card.text(35.0, 47.0, f"{person.card_from:%Y.%m.%d}-{until}", 3.1, font="noto-sans")
    values = {
        "authority": authority,
        "valid_from": person.card_from.isoformat(),
        "valid_to": "长期" if person.card_to is None else person.card_to.isoformat(),
    }
    return _lay(card, sheet, rng), values


def _paragraph(
    canvas: Canvas, x: float, y: float, text: str, size: float, width: float, font: str = "noto-serif"
) -> float:
    """Print a text in lines; returns the height of the next line."""
    for line in wrap(text, width / size):
        canvas.text(x, y, line, size, font=font)
        y += size * 1.75
    return y


def lease(
    person: Person,
    landlord: Person,
    address: str,
    begin: date,
    end: date,
    style: Style,
    rng: random.Random,
    dpi: float = 150.0,
) -> tuple[Canvas, Values]:
    """A lease of business premises, printed, with names and address filled in by hand or print."""
    sheet = Canvas(210.0, 297.0, dpi)
    watermark(sheet, rng, 0.05, 14.0)
    sheet.text(105.0, 32.0, "房屋租赁合同", 8.0, align="centre", bold=0.02, spread=70.0)
    sheet.text(185.0, 45.0, f"合同编号：样例-{rng.randint(1000, 9999)}", 3.4, align="right")

    def entry(y: float, label: str, value: str) -> None:
        width = sheet.text(25.0, y, label, 4.2)
        sheet.lines([(25.0 + width, y + 3.2), (185.0, y + 3.2)], 0.15)
        if style.jitter:
            sheet.hand(27.0 + width, y, value, 5.0, style, rng)
        else:
            sheet.text(27.0 + width, y, value, 4.2)

    entry(57.0, "出租方（甲方）：", landlord.name)
    entry(67.0, "承租方（乙方）：", person.name)
    y = _paragraph(
        sheet, 25.0, 80.0, "　　甲、乙双方在平等自愿的基础上，就房屋租赁事宜订立本合同（样例）：", 4.0, 162.0
    )
    sheet.text(25.0, y + 2, "第一条　租赁房屋", 4.2, bold=0.015)
    entry(y + 12.0, "房屋坐落：", address)
    sheet.text(25.0, y + 22.0, f"建筑面积：{rng.randint(20, 160)}平方米　　用途：经营", 4.2)
    sheet.text(25.0, y + 34.0, "第二条　租赁期限", 4.2, bold=0.015)
    sheet.text(25.0, y + 44.0, f"租赁期限：自{chinese_day(begin)}起至{chinese_day(end)}止。", 4.2)
    sheet.text(25.0, y + 56.0, "第三条　租金", 4.2, bold=0.015)
    rent = rng.randint(15, 90) * 100
    y = _paragraph(
        sheet, 25.0, y + 66.0, f"　　月租金为人民币{rent}元，按季支付，乙方应于每季度首月十日前支付。", 4.0, 162.0
    )
    y = _paragraph(
        sheet, 25.0, y + 2.0, "　　第四条　乙方依法经营，不得擅自改变房屋结构和用途；甲方保证房屋权属清楚。", 4.0, 162.0
    )
    y = _paragraph(sheet, 25.0, y + 2.0, "　　第五条　本合同一式两份，双方各执一份，自双方签字之日起生效。", 4.0, 162.0)
    for x, label, name in ((25.0, "甲方（签字）：", landlord.name), (110.0, "乙方（签字）：", person.name)):
        width = sheet.text(x, y + 16.0, label, 4.2)
        sheet.hand(x + width + 2, y + 16.0, name, 6.5, Style(signing_font(style.font, rng), BLACK, 1.0, 0.15, 1.0), rng)
        if rng.random() < 0.6:
            thumb_print(sheet, x + width + 16.0, y + 17.0, rng)
        sheet.text(x, y + 28.0, f"签订日期：{chinese_day(begin - timedelta(days=6))}", 4.0)
    values = {
        "landlord": landlord.name,
        "tenant": person.name,
        "address": address,
        "term": f"{chinese_day(begin)}至{chinese_day(end)}",
        "valid_to": end.isoformat(),
    }
    return sheet, values


def health(person: Person, issued: date, rng: random.Random, dpi: float = 200.0) -> tuple[Canvas, Values]:
    """A health certificate for food workers, valid for a year."""
    sheet = Canvas(148.0, 105.0, dpi)
    sheet.image[:] = (sheet.image * np.array((0.97, 1.0, 0.95))).astype(np.uint8)
    watermark(sheet, rng, 0.05, 10.0)
    sheet.frame((5, 5, 143, 100), 0.6, (90, 120, 40))
    sheet.frame((6.5, 6.5, 141.5, 98.5), 0.2, (90, 120, 40))
    sheet.text(74.0, 16.0, "从业人员健康证明", 7.2, font="noto-sans", align="centre", bold=0.02, spread=76.0)
    sheet.text(74.0, 24.0, f"编号：样例{rng.randint(100000, 999999)}", 3.2, align="centre")
    until = issued.replace(year=issued.year + 1) - timedelta(days=1)
    rows = (
        ("姓名", person.name),
        ("性别", person.sex),
        ("从业类别", "食品经营"),
        ("体检结果", "合格"),
        ("发证日期", chinese_day(issued)),
        ("有效期至", chinese_day(until)),
    )
    for index, (label, value) in enumerate(rows):
        y = 35.0 + index * 9.2
        sheet.text(16.0, y, f"{label}：", 4.4, font="noto-sans")
        sheet.text(39.0, y, value, 4.6)
        sheet.lines([(38.0, y + 3.2), (92.0, y + 3.2)], 0.15)
    _box_portrait(sheet, 104.0, 31.0)
    sheet.text(104.0, 84.0, "发证机构：", 3.6)
    sheet.text(104.0, 91.0, "双流区样例体检中心", 3.6)
    round_seal(sheet, 112.0, 84.0, "双流区样例体检中心", rng, diameter=24.0)
    return sheet, {"name": person.name, "valid_to": until.isoformat()}


def _box_portrait(sheet: Canvas, x: float, y: float) -> None:
    sheet.fill((x, y, x + 26, y + 34), (200, 170, 140), 0.8)
    sheet.text(x + 13, y + 17, "样例照片", 4.0, font="noto-sans", align="centre")


def household(person: Person, relation: str, rng: random.Random, dpi: float = 150.0) -> tuple[Canvas, Values]:
    """A page of the household register for one member."""
    sheet = Canvas(210.0, 148.0, dpi)
    sheet.image[:] = (sheet.image * np.array((0.93, 0.98, 1.0))).astype(np.uint8)
    watermark(sheet, rng, 0.05, 12.0)
    sheet.text(105.0, 15.0, "居民户口簿", 4.4, align="centre")
    sheet.text(105.0, 24.0, "常住人口登记卡", 6.5, font="noto-sans", align="centre", bold=0.02, spread=80.0)
    rows = (
        (("姓名", person.name), ("户主或与户主关系", relation)),
        (("性别", person.sex), ("民族", person.nation)),
        (("出生日期", chinese_day(person.born)), ("籍贯", "四川省成都市")),
        (("公民身份号码", person.cid), ("文化程度", "高中")),
        (("婚姻状况", "已婚"), ("服务处所", "无")),
        (("住址", person.address),),
    )
    top = 32.0
    for index, row in enumerate(rows):
        y0, y1 = top + index * 13.0, top + (index + 1) * 13.0
        width = 180.0 / len(row)
        for column, (label, value) in enumerate(row):
            x0 = 15.0 + column * width
            sheet.frame((x0, y0, x0 + 30, y1), 0.25)
            sheet.frame((x0 + 30, y0, x0 + width, y1), 0.25)
            sheet.text(x0 + 15, (y0 + y1) / 2, label, 3.3, align="centre")
            size = 4.2 if len(row) == 1 or len(value) < 18 else 3.9
            sheet.text(x0 + 32, (y0 + y1) / 2, value, size, font="noto-sans")
    sheet.text(40.0, 122.0, "承办人签章：样例", 3.6)
    sheet.text(170.0, 122.0, "登记日期：2020年06月01日", 3.6, align="right")
    round_seal(sheet, 150.0, 122.0, f"{REGION[3:]}样例户口专用章", rng, diameter=30.0)
    return sheet, {}
