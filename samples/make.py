"""Make applications: seeded pages as image bytes, each with its truth.

``python -m samples.make --out DIR --seed N --count K --matter M`` writes them as
JPEG files with ``expected.json``; benchmarks call :func:`make_application`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import cv2
import numpy as np

from docproc.fields import VALIDATORS, find_type, normalise_text, validate
from docproc.form.draw import CROCKFORD
from docproc.form.layout import FieldBox
from docproc.matter.load import find_matter
from samples.business import business_licence
from samples.canvas import Canvas, Image
from samples.case import TODAY, Case, make_case
from samples.damage import apply, choose
from samples.fonts import TUNING_FONTS, available
from samples.forms import fill_form, placed
from samples.papers import health, household, id_back, id_front, lease

QUALITY = {"clean": 88, "scan": 78, "photo": 72, "hard": 55}
"""JPEG quality by kind of damage."""


@dataclass(frozen=True, slots=True)
class PageTruth:
    """What is on a page, and what was done to it."""

    material: str
    page: int
    """1-based page of the material."""
    fields: dict[str, str]
    """Normalised as a reading is; ``""`` for a blank field; ``present`` for what is signed, sealed or drawn."""
    raw: dict[str, str]
    """As on the paper."""
    page_mm: tuple[float, float]
    homography: tuple[tuple[float, ...], ...]
    """3×3, page mm to pixels (whole numbers at the pixels' middles); without the bending of the paper."""
    damage: tuple[tuple[str, float], ...]
    """Name and strength, in order."""
    dpi: float
    font: str
    """Handwriting or print of the values."""


@dataclass(frozen=True, slots=True)
class SamplePage:
    """One page as it is handed in."""

    image: bytes
    """JPEG."""
    name: str
    truth: PageTruth


@dataclass(frozen=True, slots=True)
class _Sheet:
    material: str
    page: int
    canvas: Canvas
    raw: dict[str, str]


def make_application(
    seed: int,
    matter: str,
    kind: str = "scan",
    *,
    fonts: Sequence[str] = TUNING_FONTS,
    dpi: float | None = None,
) -> list[SamplePage]:
    """A complete and correct application.

    Args:
        seed: decides everything; the same seed and fonts give the same bytes.
        matter: ``food_licence`` or ``sole_trader``.
        kind: of damage: ``clean``, ``scan``, ``photo``, ``hard``, or ``mixed``.
        fonts: names of :mod:`samples.fonts` to choose the hand from; those that are missing are left out.
        dpi: resolution of the forms; by chance 150 to 240 where ``None``.

    Raises:
        ValueError: no such matter or kind, or none of the fonts is on this machine.
    """
    rng = random.Random(seed)
    present = available(tuple(fonts))
    if not present:
        raise ValueError(f"none of the fonts {', '.join(fonts)} is here: run `python -m samples.fonts`")
    return draw_case(make_case(matter, rng, rng.choice(present)), rng, kind, dpi)


def draw_case(case: Case, rng: random.Random, kind: str, dpi: float | None = None) -> list[SamplePage]:
    """Draw every page of an application and damage it."""
    found: list[SamplePage] = []
    for sheet in _sheets(case, rng, dpi):
        how = rng.choice(("scan", "photo")) if kind == "mixed" else kind
        wanted = case.damage.get((sheet.material, sheet.page)) or choose(how, rng)
        image, moved = apply(sheet.canvas.image, wanted, rng)
        scale = sheet.canvas.scale
        matrix = moved @ np.array([[scale, 0, -0.5], [0, scale, -0.5], [0, 0, 1]])
        truth = PageTruth(
            sheet.material,
            sheet.page,
            normalised_fields(case.matter, sheet.material, sheet.raw),
            sheet.raw,
            sheet.canvas.size,
            tuple(tuple(float(v) for v in row) for row in matrix / matrix[2, 2]),
            tuple((name, round(strength, 3)) for name, strength in wanted),
            sheet.canvas.dpi,
            case.style.font,
        )
        name = f"{len(found) + 1:02d}-{sheet.material}-{sheet.page}.jpg"
        found.append(SamplePage(jpeg(image, QUALITY.get(how, 75)), name, truth))
    return found


def jpeg(image: Image, quality: int) -> bytes:
    """The picture as a JPEG file."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("the image could not be encoded")
    return bytes(data)


def _sheets(case: Case, rng: random.Random, dpi: float | None) -> list[_Sheet]:
    found: list[_Sheet] = []
    signers = {"": case.owner.name, **case.signers}
    for material, values in case.forms.items():
        resolution = dpi or rng.choice((150.0, 200.0, 200.0, 240.0))
        serial = "".join(rng.choice(CROCKFORD) for _ in range(10))
        pages = fill_form(
            case.matter, material, serial, values, case.style, rng, resolution, signers=signers, sealer=case.seal
        )
        _, _, layout = placed(case.matter, material)
        for number, canvas in enumerate(pages, 1):
            raw = {p.name: _on_paper(p, values.get(p.name, ""), case, signers) for p in layout.on_page(number)}
            found.append(_Sheet(material, number, canvas, raw))
    found.append(_Sheet("idcard", 1, *id_front(case.card, rng)))
    found.append(_Sheet("idcard", 2, *id_back(case.card, rng)))
    if case.firm is not None:
        found.append(
            _Sheet("bizlic", 1, *business_licence(case.firm, case.firm.founded, rng, rng.choice((130.0, 150.0, 180.0))))
        )
    for person, issued in case.health:
        found.append(_Sheet("health", 1, *health(person, issued, rng)))
    if case.lease is not None:
        landlord, address, begin, end = case.lease
        found.append(_Sheet("lease", 1, *lease(case.owner, landlord, address, begin, end, case.style, rng, 170.0)))
    for person, relation in case.household:
        found.append(_Sheet("family_doc", 1, *household(person, relation, rng)))
    return found


def _on_paper(place: FieldBox, value: str, case: Case, signers: dict[str, str]) -> str:
    """What a field shows: the name that is signed or sealed, else the value."""
    ink = place.field_type.ink
    if not value or ink is None or place.field_type.kind == "drawing":
        return value
    return case.seal if ink.stamped else signers.get(place.name, signers[""])


def normalised_fields(matter: str, material: str, raw: Mapping[str, str]) -> dict[str, str]:
    """Values of a reading by field name for what stands on a page of a material."""
    types = _types(matter, material)
    return {name: normalised(types.get(name, "text"), value) for name, value in raw.items()}


def normalised(kind: str, raw: str, today: date = TODAY) -> str:
    """The value of a reading for what stands on the paper."""
    if raw and find_type(kind).is_presence:
        return "present"
    if not raw or raw == "长期" or find_type(kind).kind == "choice":
        return raw
    return validate(kind, raw, today=today).value if kind in VALIDATORS else normalise_text(raw)


def _types(matter: str, material: str) -> dict[str, str]:
    found = find_matter(matter)
    if found.find_material(material).kind == "form":
        return {place.name: place.type for place in placed(matter, material)[2].fields}
    return {spec.name: spec.type for spec in found.find_material(material).field}


def expected(matter: str, pages: Sequence[SamplePage], verdict: str, findings: Sequence[str]) -> dict[str, object]:
    """Content of ``expected.json``."""
    return {
        "matter": matter,
        "today": TODAY.isoformat(),
        "files": [page.name for page in pages],
        "truth": [asdict(page.truth) for page in pages],
        "verdict": verdict,
        "findings": list(findings),
    }


def write(folder: Path, matter: str, pages: Sequence[SamplePage], verdict: str, findings: Sequence[str]) -> None:
    """Write one application: its pages and ``expected.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages:
        (folder / page.name).write_bytes(page.image)
    content = expected(matter, pages, verdict, findings)
    (folder / "expected.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m samples.make", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--matter", choices=("food_licence", "sole_trader"), default="food_licence")
    parser.add_argument("--kind", choices=("clean", "scan", "photo", "hard", "mixed"), default="mixed")
    chosen = parser.parse_args(arguments)
    for seed in range(chosen.seed, chosen.seed + chosen.count):
        pages = make_application(seed, chosen.matter, chosen.kind)
        write(chosen.out / f"{chosen.matter}-{seed:04d}", chosen.matter, pages, "pass", [])
        print(f"{chosen.matter}-{seed:04d}: {len(pages)} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
