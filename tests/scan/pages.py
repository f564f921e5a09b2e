"""Pages with known truth, drawn from a seed; all names and numbers on them are made up."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pymupdf
import segno

from docproc.assets.paths import SANS, font
from docproc.marks import A4_MM, MARK_MM, FormCode, mark_corners, qr_box

CODE = FormCode("food_business", "2026.1", "application_form", 1, "7KX2M9QD")
LINES = (
    "申请人名称：示例测试餐饮有限公司",
    "经营场所：示例市测试区样本路一百二十八号",
    "联系电话：020-55501234 传真：无",
)


def mm_px(dpi: float) -> np.ndarray:
    return np.array([[dpi / 25.4, 0, -0.5], [0, dpi / 25.4, -0.5], [0, 0, 1]])


@cache
def form_pdf(marks: tuple[int, ...] = (0, 1, 2, 3), qr: bool = True) -> bytes:
    """A blank form: corner marks, QR code, a heading, a ruled table with labels."""
    document = pymupdf.open()
    page = document.new_page(width=A4_MM[0] * 72 / 25.4, height=A4_MM[1] * 72 / 25.4)
    unit = 72 / 25.4
    shape = page.new_shape()
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    for key, corners in mark_corners(A4_MM).items():
        if key not in marks:
            continue
        bits = cv2.aruco.generateImageMarker(dictionary, key, 6)
        x, y = corners[0]
        cell = MARK_MM / 6
        for row, column in zip(*np.nonzero(bits == 0), strict=True):
            rect = pymupdf.Rect(x + column * cell, y + row * cell, x + (column + 1) * cell, y + (row + 1) * cell) * unit
            shape.draw_rect(rect)
    if qr:
        code = segno.make(CODE.text(), error="m", micro=False)
        x0, y0, x1, _ = qr_box(A4_MM)
        matrix = list(code.matrix)
        cell = (x1 - x0) / len(matrix)
        for row, line in enumerate(matrix):
            for column, dark in enumerate(line):
                if dark:
                    rect = pymupdf.Rect(
                        x0 + column * cell, y0 + row * cell, x0 + (column + 1) * cell, y0 + (row + 1) * cell
                    )
                    shape.draw_rect(rect * unit)
    shape.finish(color=None, fill=(0, 0, 0), width=0)
    shape.commit()
    page.insert_font(fontname="sans", fontfile=str(font(SANS)))
    page.insert_text(pymupdf.Point(60, 24) * unit, "测试用申请表（样本）", fontname="sans", fontsize=18)
    for row in range(21):
        y = 40 + row * 11
        page.draw_line(pymupdf.Point(15, y) * unit, pymupdf.Point(195, y) * unit, width=0.8)
        if row < 20:
            page.insert_text(pymupdf.Point(17, y + 7) * unit, f"项目{row + 1:02d}名称", fontname="sans", fontsize=10)
    for x in (15, 50, 110, 145, 195):
        page.draw_line(pymupdf.Point(x, 40) * unit, pymupdf.Point(x, 260) * unit, width=0.8)
    return bytes(document.tobytes())


@cache
def _rendered(dpi: int, marks: tuple[int, ...], qr: bool) -> np.ndarray:
    page = pymupdf.open(stream=form_pdf(marks, qr), filetype="pdf")[0]
    pixmap = page.get_pixmap(dpi=dpi, alpha=False)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)[..., ::-1].copy()


def blank_form(dpi: int = 200, marks: tuple[int, ...] = (0, 1, 2, 3), qr: bool = True) -> np.ndarray:
    return _rendered(dpi, marks, qr).copy()


@cache
def _text_page(dpi: int, lines: int) -> np.ndarray:
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    page.insert_font(fontname="sans", fontfile=str(font(SANS)))
    for row in range(lines):
        page.insert_text((70, 90 + row * 26), LINES[row % 3], fontname="sans", fontsize=12)
    pixmap = page.get_pixmap(dpi=dpi, alpha=False)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3)[..., ::-1].copy()


def text_page(dpi: int = 200, lines: int = 26) -> np.ndarray:
    return _text_page(dpi, lines).copy()


def handwrite(image: np.ndarray, dpi: int, seed: int) -> np.ndarray:
    """Dark strokes in the table's cells, as a pen leaves them."""
    random = np.random.default_rng(seed)
    scale = dpi / 25.4
    for row in range(20):
        for left in (52, 147):
            x, y = left + random.uniform(0, 4), 40 + row * 11 + random.uniform(3, 8)
            points = np.array([x, y]) + np.cumsum(random.normal([2.2, 0], [1.0, 1.8], (14, 2)), axis=0)
            cv2.polylines(
                image, [(points * scale).astype(np.int32)], False, (60, 30, 20), max(1, round(0.4 * scale)), cv2.LINE_AA
            )
    return image


@dataclass(frozen=True)
class Shot:
    """A picture of a page and the truth about it."""

    image: np.ndarray
    page_to_image: np.ndarray
    """3 x 3, page mm to picture px."""

    def error_mm(self, homography: np.ndarray) -> np.ndarray:
        """Distances at the cells between where they are and where a homography (px to mm) puts them."""
        xs, ys = np.meshgrid(np.linspace(18, 192, 8), np.linspace(40, 260, 10))
        truth = np.column_stack([xs.ravel(), ys.ravel()])
        return np.linalg.norm(project(homography, project(self.page_to_image, truth)) - truth, axis=1)


def project(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    mapped = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return mapped[:, :2] / mapped[:, 2:]


def scan(
    page: np.ndarray,
    dpi: int,
    *,
    angle: float = 0.0,
    scale: float = 1.0,
    blur: float = 0.0,
    noise: float = 4.0,
    seed: int = 1,
) -> Shot:
    """A flatbed scan: turned, scaled, a little noise; the picture holds the whole page."""
    height, width = page.shape[:2]
    turn = np.radians(angle)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]) @ np.diag(
        [scale, scale, 1]
    )
    corners = project(rotation, np.array([[0, 0], [width, 0], [width, height], [0, height]]))
    low = corners.min(axis=0)
    size = np.ceil(corners.max(axis=0) - low).astype(int)
    matrix = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]]) @ rotation
    image = cv2.warpPerspective(
        page, matrix, (int(size[0]), int(size[1])), flags=cv2.INTER_CUBIC, borderValue=(255, 255, 255)
    )
    return Shot(finish(image, blur, noise, seed), matrix @ mm_px(dpi))


def photo(
    page: np.ndarray,
    dpi: int,
    *,
    tilt: float = 20.0,
    direction: float = 40.0,
    roll: float = 5.0,
    longest: int = 2400,
    blur: float = 0.8,
    noise: float = 5.0,
    shadow: float = 0.0,
    fill: float = 0.88,
    seed: int = 1,
) -> Shot:
    """A photograph by a pinhole camera over a brown desk.

    Args:
        tilt: Degrees between the camera's axis and the page's normal, towards ``direction``.
        fill: Share of the picture's height that the page takes when seen straight on.
    """
    size = (round(longest * 0.75), longest)
    focal = 1.3 * longest
    lean, heading, spin = np.radians([tilt, direction, roll])
    axis = np.array([np.cos(heading), np.sin(heading), 0.0])
    rotation = cv2.Rodrigues(axis * lean)[0] @ cv2.Rodrigues(np.array([0, 0, spin]))[0]
    reach = max(
        abs(A4_MM[1] * np.cos(spin)) + abs(A4_MM[0] * np.sin(spin)),
        (abs(A4_MM[0] * np.cos(spin)) + abs(A4_MM[1] * np.sin(spin))) / 0.75,
    )
    distance = focal * reach / (fill * longest) * (1 + 0.35 * np.sin(lean))
    camera = np.array([[focal, 0, size[0] / 2], [0, focal, size[1] / 2], [0, 0, 1]])
    pose = np.column_stack([rotation[:, 0], rotation[:, 1], [0, 0, distance]])
    centre = np.array([[1, 0, -A4_MM[0] / 2], [0, 1, -A4_MM[1] / 2], [0, 0, 1]])
    truth = camera @ pose @ centre
    matrix = truth @ np.linalg.inv(mm_px(dpi))
    ratio = longest * fill / page.shape[0]
    soft = cv2.GaussianBlur(page, (0, 0), 0.5 / ratio) if ratio < 0.9 else page
    desk = np.empty((size[1], size[0], 3), np.uint8)
    desk[:] = (50, 75, 100)
    image = cv2.warpPerspective(soft, matrix, size, dst=desk, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT)
    if shadow:
        slope = np.linspace(0, 1, size[0])[None, :] + 0.4 * np.linspace(0, 1, size[1])[:, None]
        image = (image * (1 - shadow / (1 + np.exp(-12 * (slope - 0.8))))[..., None]).astype(np.uint8)
    return Shot(finish(image, blur, noise, seed), truth)


def finish(image: np.ndarray, blur: float, noise: float, seed: int, quality: int = 82) -> np.ndarray:
    """Blur (px), sensor noise (grey levels) and JPEG."""
    if blur:
        image = cv2.GaussianBlur(image, (0, 0), blur)
    if noise:
        grain = np.random.default_rng(seed).normal(0, noise, image.shape[:2])[..., None]
        image = np.clip(image.astype(np.float32) + grain, 0, 255).astype(np.uint8)
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def fold(page: np.ndarray, dpi: int, lift_mm: float) -> np.ndarray:
    """The page bent along its middle: content slides by up to ``lift_mm`` between the corner marks, which stay."""
    height, width = page.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    bump = 1 - np.abs(y / height - 0.5) * 2
    slide = lift_mm * dpi / 25.4 * bump
    return cv2.remap(
        page, x + slide * 0.7 * (x / width - 0.2), y + slide, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def seal_on(
    page: np.ndarray, centre: tuple[int, int], radius: int, colour: tuple[int, int, int] = (60, 50, 215)
) -> np.ndarray:
    """A round red seal printed over what is there, as ink: it multiplies."""
    layer = np.full_like(page, 255)
    cv2.circle(layer, centre, radius, colour, max(2, radius // 14), cv2.LINE_AA)
    star = [
        (centre[0] + radius * 0.4 * np.sin(k * 0.8 * np.pi), centre[1] - radius * 0.4 * np.cos(k * 0.8 * np.pi))
        for k in range(5)
    ]
    cv2.fillPoly(layer, [np.array(star, np.int32)], colour, cv2.LINE_AA)
    cv2.line(
        layer,
        (centre[0] - radius // 2, centre[1] + radius // 2),
        (centre[0] + radius // 2, centre[1] + radius // 2),
        colour,
        radius // 6,
    )
    return (page.astype(np.uint16) * layer // 255).astype(np.uint8)


def folded_place(places: np.ndarray, lift_mm: float) -> np.ndarray:
    """Where places of the flat page (N x 2, mm) lie on the page that :func:`fold` has bent."""
    bent = places.copy()
    for _ in range(40):
        slide = lift_mm * (1 - np.abs(bent[:, 1] / A4_MM[1] - 0.5) * 2)
        bent = places - np.column_stack([slide * 0.7 * (bent[:, 0] / A4_MM[0] - 0.2), slide])
    return bent


def tiff_of(pages: list[np.ndarray]) -> bytes:
    """A TIFF file of many pages."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "pages.tiff")
        assert cv2.imwritemulti(str(file), pages)
        return file.read_bytes()


def processor_seconds(work: Callable[[], object]) -> float:
    """Processor time of what is done, the least of three times."""
    spent = []
    for _ in range(3):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return min(spent)
