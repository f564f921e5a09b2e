"""Single papers that no application of :mod:`samples.make` holds: older business licences, and food licences."""

from __future__ import annotations

import random
from datetime import timedelta

import numpy as np

from samples.canvas import Canvas
from samples.case import TODAY, make_permit_no
from samples.damage import apply, choose
from samples.make import QUALITY, PageTruth, SamplePage, jpeg, normalised_fields
from samples.older import EDITIONS, older_licence
from samples.papers import Values
from samples.people import make_company, make_person, make_trader
from samples.permit import food_permit

MATTER = "food_licence"
"""The matter whose materials these are."""
ITEMS = ("预包装食品销售", "散装食品销售", "热食类食品制售", "冷食类食品制售", "糕点类食品制售", "自制饮品制售")


def make_singles(seed: int, kind: str = "mixed") -> list[SamplePage]:
    """One business licence of each older edition and one food licence.

    Args:
        seed: decides everything.
        kind: of damage, see :func:`samples.damage.choose`, or ``mixed``.
    """
    rng = random.Random(f"singles {seed}")
    drawn = [("bizlic", _older(edition, rng)) for edition in EDITIONS]
    return [_page(material, sheet, rng, kind) for material, sheet in (*drawn, ("old_permit", _permit(rng)))]


def _older(edition: str, rng: random.Random) -> tuple[Canvas, Values]:
    owner = make_person(rng, TODAY)
    firm = (make_company if rng.random() < 0.6 else make_trader)(rng, owner, TODAY)
    return older_licence(firm, firm.founded, rng, edition, rng.choice((130.0, 150.0, 180.0)))


def _permit(rng: random.Random) -> tuple[Canvas, Values]:
    firm = (make_company if rng.random() < 0.5 else make_trader)(rng, make_person(rng, TODAY), TODAY)
    items = "；".join(sorted(rng.sample(ITEMS, rng.randint(1, 3)), key=ITEMS.index))
    until = TODAY + timedelta(days=rng.randint(-300, 1500))
    return food_permit(firm, make_permit_no(rng), until, items, rng, rng.choice((130.0, 150.0, 180.0)))


def _page(material: str, drawn: tuple[Canvas, Values], rng: random.Random, kind: str) -> SamplePage:
    sheet, values = drawn
    how = rng.choice(("scan", "photo")) if kind == "mixed" else kind
    wanted = choose(how, rng)
    image, moved = apply(sheet.image, wanted, rng)
    matrix = moved @ np.array([[sheet.scale, 0, -0.5], [0, sheet.scale, -0.5], [0, 0, 1]])
    truth = PageTruth(
        material,
        1,
        normalised_fields(MATTER, material, values),
        values,
        sheet.size,
        tuple(tuple(float(v) for v in row) for row in matrix / matrix[2, 2]),
        tuple((name, round(strength, 3)) for name, strength in wanted),
        sheet.dpi,
        "noto-serif",
    )
    return SamplePage(jpeg(image, QUALITY[how]), f"{material}.jpg", truth)
