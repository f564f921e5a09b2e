"""Measure how well the name on a seal is told: ``docproc bench seal-name``.

Scans of a form, each with a seal pressed into its box by ``samples.seals``: faces, characters and seeds that the
reader was not tuned on, damaged like the samples' scans and photographs. Every seal is judged against the name that it
carries, against another firm's, and against names that differ from it by one and by two characters. What can hardly be
read is measured apart: faded, signed across, half pressed, and photocopied in grey.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from statistics import mean
from typing import Any

from docproc.check.seal_match import Outcome, compare_seals
from docproc.domain import Seal
from docproc.form.layout import FieldBox
from docproc.read.pipeline import page_engine
from docproc.read.seal.read_seal import read_seals
from docproc.scan.files.split import split
from docproc.scan.image.geometry import Image
from docproc.scan.registration.homography import find_registration

MATTER, MATERIAL, FIELD = "food_licence", "application", "stamp"
HARD = ("faded", "signed", "cut", "grey")
"""Kinds of scans that are measured apart."""
KINDS = ("right", "other", "near_one", "near_two")
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Pressed:
    """A scan of a form with a seal."""

    image: Image
    name: str
    """On the seal."""


def run(
    seed: int = 1, right: int = 500, other: int = 200, hard: int = 40, *, tuning: bool = False, tell: Tell | None = None
) -> dict[str, Any]:
    """Read generated seals and judge them.

    Args:
        seed: of the scans.
        right: scans judged against the name that the seal carries.
        other: how many of them are judged against other names too.
        hard: scans of each hard kind.
        tuning: seals like those that the reader was tuned on instead of the ones held out.
        tell: shows what is done, how many of how many.
    """
    counts: dict[str, Counter[Outcome]] = {kind: Counter() for kind in (*KINDS, *HARD, *(f"{k}_other" for k in HARD))}
    cost: list[float] = []
    done, total = 0, max(right, other) + hard * len(HARD)
    for kind, number in (("", max(right, other)), *((kind, hard) for kind in HARD)):
        for index, (pressed, rng) in enumerate(_scans(kind, number, seed, tuning)):
            seals, spent = _read(pressed.image)
            cost += [spent] if not kind else []
            for key, name in _names(pressed.name, kind, index < right, index < other, rng, tuning):
                counts[key][_judge(seals, name)] += 1
            done += 1
            if tell is not None:
                tell(kind or "seals", done, total)
    return {
        "seed": seed,
        "held_out": not tuning,
        "cpu_seconds_seal": round(mean(cost), 3) if cost else None,
        "kinds": {kind: _figures(counts[kind]) for kind in counts if counts[kind]},
    }


def _figures(counts: Mapping[Outcome, int]) -> dict[str, float]:
    total = sum(counts.values())
    shares = {name: round(counts.get(name, 0) / total, 4) for name in ("same", "differs", "unreadable")}
    return {"scans": total, **shares}


def _names(
    name: str, kind: str, right: bool, other: bool, rng: random.Random, tuning: bool
) -> Iterator[tuple[str, str]]:
    """Names to judge a seal against, each with the count that it belongs to."""
    from samples.seals import BRANDS, HELD_OUT_BRANDS, make_name, near_name

    brands = BRANDS if tuning else HELD_OUT_BRANDS
    others = {
        "other": make_name(rng, brands),
        "near_one": near_name(name, 1, rng, brands),
        "near_two": near_name(name, 2, rng, brands),
    }
    if kind:
        yield kind, name
        yield f"{kind}_other", others["other"]
    else:
        yield from [("right", name)] if right else []
        yield from others.items() if other else ()


def _judge(seals: tuple[Seal, ...] | None, name: str) -> Outcome:
    return compare_seals(seals, [name]).outcome


def _read(image: Image) -> tuple[tuple[Seal, ...] | None, float]:
    """The seals of a scan and the CPU seconds that they took; none where the page cannot be registered."""
    registration = find_registration(image)
    if registration is None:
        return None, 0.0
    begun = time.process_time()
    seals = read_seals(image, registration, _place().box, page_engine(threads=1))
    return seals, time.process_time() - begun


def _place() -> FieldBox:
    from samples.forms import placed

    return next(place for place in placed(MATTER, MATERIAL)[2].fields if place.name == FIELD)


def _scans(kind: str, number: int, seed: int, tuning: bool) -> Iterator[tuple[Pressed, random.Random]]:
    for index in range(number):
        rng = random.Random(f"{seed}/{kind}/{index}")
        yield press(kind, rng, tuning), rng


def press(kind: str, rng: random.Random, tuning: bool = False) -> Pressed:
    """A scan of a form on which a seal was pressed.

    Args:
        kind: one of :data:`HARD`, or empty for a scan or photograph as they come.
        rng: source of every chance.
        tuning: see :func:`run`.
    """
    from samples import seals as cutting
    from samples.canvas import BLUE, Style
    from samples.damage import apply, choose
    from samples.fonts import font_path
    from samples.forms import sign
    from samples.make import jpeg

    brands = cutting.BRANDS if tuning else cutting.HELD_OUT_BRANDS
    all_faces = cutting.TUNING_FACES if tuning else cutting.HELD_OUT_FACES
    faces = tuple(face for face in all_faces if face in ("droid", "art") or font_path(face) is not None)
    name = cutting.make_name(rng, brands)
    canvas = _blank(rng.choice((150, 180, 200)))
    x0, y0, x1, y1 = _place().box
    x, y = (x0 + x1) / 2 + rng.gauss(0, 6), (y0 + y1) / 2 + rng.gauss(0, 4)
    pressed = cutting.make_press(rng)
    if kind == "faded":
        pressed = cutting.faded(pressed, rng)
    elif kind == "cut":
        pressed = cutting.half_pressed(pressed, rng)
    cutting.press_seal(canvas, x, y, cutting.make_cut(name, rng, faces), pressed, rng)
    if kind == "signed":
        sign(canvas, (x - 22, y - 14, x + 22, y + 10), name[-7:-3], Style("noto-serif", BLUE), rng)
    usual = [item for item in choose("photo" if rng.random() < 0.35 else "scan", rng) if item[0] != "copy"]
    damages = [*usual, ("copy", rng.uniform(0.1, 0.5))] if kind == "grey" else usual
    image, _ = apply(canvas.image, damages, rng)
    return Pressed(split(jpeg(image, rng.choice((75, 85, 92))))[0].image, name)


def _blank(dpi: int) -> Any:
    """The printed form, not filled in; a fresh copy each time."""
    from samples.canvas import Canvas

    if dpi not in _BLANKS:
        from samples.forms import blank_pages

        _BLANKS[dpi] = blank_pages(MATTER, MATERIAL, "TEST000001", dpi)[0].image
    return Canvas(210.0, 297.0, dpi, _BLANKS[dpi].copy())


_BLANKS: dict[int, Image] = {}
