"""The small stages with pictures: each page is drawn by the code that draws real ones, its fields get boxes on it.

Run as ``python -m tests.api.pages.drawn_stages NAME QUEUES`` with the settings in the environment.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from io import BytesIO

from PIL import Image, ImageDraw

from docproc.domain import PageReading, Quality, Said
from docproc.flow.core.stages import Stages
from docproc.flow.jobs.guardian import end_with_parent
from docproc.flow.worker import run_worker
from docproc.matter.model import Matter
from docproc.settings import Settings
from tests.flow import small_stages

WIDTH, HEIGHT = 1240, 1754
GOOD = Quality("good")


@dataclass(frozen=True)
class Picture:
    index: int
    view: bytes
    thumb: bytes
    width: int = WIDTH
    height: int = HEIGHT
    quality: Quality = GOOD


def box(place: int) -> tuple[float, float, float, float]:
    return (200.0, 150.0 + 70 * place, 900.0, 200.0 + 70 * place)


def read_file(
    data: bytes,
    filename: str,
    matter: Matter,
    *,
    material: str | None,
    said: Mapping[int, Said] | None = None,
    today: date,
) -> Sequence[PageReading]:
    readings = small_stages.read_file(data, filename, matter, material=material, said=said, today=today)
    return [
        replace(r, fields={n: replace(f, box=box(i)) for i, (n, f) in enumerate(r.fields.items())}) for r in readings
    ]


def draw_pages(data: bytes) -> Sequence[Picture]:
    page = Image.new("RGB", (WIDTH, HEIGHT), "white")
    pen = ImageDraw.Draw(page)
    for place in range(20):
        pen.rectangle(box(place), outline="grey")
    out = BytesIO()
    page.save(out, "WEBP", quality=40)
    return [Picture(0, out.getvalue(), out.getvalue())]


if __name__ == "__main__":
    settings = Settings()
    end_with_parent()
    stages = Stages(read_file, small_stages.sealer(settings.data_dir), draw_pages, small_stages.own_seals)
    sys.exit(run_worker(settings, sys.argv[1], sys.argv[2].split(","), stages=stages))
