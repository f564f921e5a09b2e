"""Image quality assessment: whether a page can be read, and otherwise what the citizen must do.

===============  ========================================  ========  ========  ==================================
code             measure                                   fix       warn      seen (real photographs; generated)
===============  ========================================  ========  ========  ==================================
scan.blur        blur sigma / letter height                >= 0.105  >= 0.085  0 to 0.075; 0.12 unreadable
scan.low_res     dpi of a registered form                  < 100     < 120     100 dpi: a 5 mm cell has 20 px
scan.low_res     letter height, px                         < 6       < 9       8 to 68
scan.dark        grey level of the paper                   < 55      < 90      105 to 255
scan.faint       ink darker than paper, share              < 0.08    < 0.12    0.15 to 0.45
scan.glare       share of the image overexposed            >= 0.05   >= 0.008  0 to 0.005; 0.066 loses a line
scan.blank       share of ink on the cleaned page          < 0.0012  -         0.07 to 0.18; one line 0.004
scan.cut         page's content beyond the image, mm       > 1.5     > 0.3     a registered form's cells
scan.incomplete  uniform grey from below, share of height  >= 0.03   -         0
===============  ========================================  ========  ========  ==================================

``fix`` makes the verdict ``rescan``. The real photographs are 55 business licences that people accepted; none of them
may be rejected.
"""

from __future__ import annotations

import numpy as np

from docproc.domain import Finding, Quality, Severity
from docproc.marks import MARGIN_MM, mark_corners
from docproc.scan.image.geometry import MM_PER_INCH, Image, Matrix, corners_of, transform_points
from docproc.scan.image.measure import Measures, letters_and_ink, measure
from docproc.scan.registration.clean import CleanPage
from docproc.scan.registration.homography import Registration, find_registration
from docproc.scan.registration.markers import is_mirrored

_BLUR = (0.105, 0.085)
_DPI = (100.0, 120.0)
_LETTER_PX = (6.0, 9.0)
_PAPER = (55.0, 90.0)
_CONTRAST = (0.08, 0.12)
_GLARE = (0.05, 0.008)
_CUT_MM = (1.5, 0.3)
_BLANK_INK = 0.0012
_MISSING = 0.03
_FORM_LETTER_MM = 3.2
"""Height of the letters printed on our forms, 9 to 10.5 pt."""
_EDGE_PX = 1.0
"""Distance from the image border at which a sheet's corner may lie beyond it."""

_MESSAGES = {
    "scan.blur": "图片模糊，文字无法看清，请保持手机稳定、对准文字后重新拍照，或重新扫描",
    "scan.low_res": "图片分辨率过低，请以 200 DPI 以上重新扫描，或靠近后重新拍照（请勿使用截图或压缩图）",
    "scan.dark": "图片过暗，请在光线充足的地方重新拍照，或调亮后重新扫描",
    "scan.faint": "字迹过淡，请调高扫描对比度，或用黑色签字笔填写后重新扫描",
    "scan.glare": "图片有反光，部分文字被遮住，请避开灯光或关闭闪光灯后重新拍照",
    "scan.blank": "页面为空白，可能放反了，请将有内容的一面朝向扫描面后重新扫描",
    "scan.cut": "页面缺角或边缘被切掉，请将整张纸的四边都放入画面后重新扫描",
    "scan.incomplete": "图片下半部分缺失，可能上传时中断，请重新上传",
    "scan.mirrored": "页面左右颠倒（镜像），请关闭自拍镜像、正面朝上后重新拍照",
}
_WARNINGS = {
    "scan.blur": "图片略有模糊，个别文字可能识别不准，请核对",
    "scan.low_res": "图片分辨率偏低，个别文字可能识别不准，请核对",
    "scan.dark": "图片偏暗，个别文字可能识别不准，请核对",
    "scan.faint": "字迹偏淡，个别文字可能识别不准，请核对",
    "scan.glare": "图片有少量反光，请核对反光处的文字",
    "scan.cut": "页面边缘可能没有拍全，请核对",
    "scan.corner_hidden": "页面有一角被遮挡或折起，请核对该处内容",
    "scan.turned": "页面方向不正，系统已自动转正",
}


def assess_quality(image: Image, registration: Registration | None = None, cleaned: CleanPage | None = None) -> Quality:
    """Assess an image before it is read.

    Args:
        image: original image, BGR.
        registration: position of the form, for a form of ours.
        cleaned: the cleaned page otherwise; without it a tilted page is assessed less exactly.
    """
    findings = _of_form(image, registration) if registration is not None else _of_free_page(image, cleaned)
    return Quality("rescan" if any(item.severity == "fix" for item in findings) else "good", tuple(findings))


def first_word(image: Image) -> Quality:
    """Assess an image at first sight, before anything of it is cleaned or read; takes 0.1 s.

    On 56 photographed licences the verdict was that of :func:`assess_quality` on the cleaned page each time; what it
    alone can tell, such as an edge that is cut, is left to it.
    """
    return assess_quality(image, find_registration(image))


def assess_unreadable(image: Image, quality: Quality) -> Quality:
    """Return ``quality``, or a mirrored-image finding; call it only for a page whose text says nothing."""
    return Quality("rescan", (_fix("scan.mirrored"),)) if is_mirrored(image) else quality


def _of_form(image: Image, registration: Registration) -> list[Finding]:
    to_image = np.linalg.inv(registration.homography)
    px_per_mm = _coarsest_px_per_unit(to_image, registration.page_mm)
    seen = measure(image, _FORM_LETTER_MM * px_per_mm)
    findings = _common(seen)
    findings += _below("scan.low_res", px_per_mm * MM_PER_INCH, _DPI)
    findings += _above("scan.cut", _beyond_mm(image, to_image, registration.page_mm), _CUT_MM)
    if not findings and 0 < len(registration.marks_found) < 4 and _hidden_mark(image, to_image, registration):
        findings.append(_warn("scan.corner_hidden"))
    if _quarter_turned(registration.homography):
        findings.append(_info("scan.turned"))
    return findings


def _of_free_page(image: Image, cleaned: CleanPage | None) -> list[Finding]:
    letters, ink = letters_and_ink(image) if cleaned is None else (cleaned.letter_px, cleaned.ink)
    if ink < _BLANK_INK:
        return [_fix("scan.blank")]
    scale = 1.0 if cleaned is None else _coarsest_px_per_unit(cleaned.to_original, cleaned.image.shape[1::-1])
    seen = measure(image, letters * scale)
    findings = _common(seen)
    if seen.letter_px:
        findings += _below("scan.low_res", seen.letter_px, _LETTER_PX)
    if cleaned is not None:
        if cleaned.found_sheet and _touches_border(image, cleaned):
            findings.append(_warn("scan.cut"))
        if cleaned.rotated:
            findings.append(_info("scan.turned"))
    return findings


def _common(seen: Measures) -> list[Finding]:
    findings = _above("scan.blur", seen.blur, _BLUR) + _below("scan.dark", seen.paper, _PAPER)
    findings += _above("scan.glare", seen.glare, _GLARE)
    if seen.contrast:
        findings += _below("scan.faint", seen.contrast, _CONTRAST)
    if seen.missing >= _MISSING:
        findings.append(_fix("scan.incomplete"))
    return findings


def _coarsest_px_per_unit(to_image: Matrix, page_mm: tuple[float, float]) -> float:
    """Image px per unit of the page, at the coarsest of five points: tilted pages are coarser at the far end."""
    width, height = page_mm
    places = np.array([[0.5, 0.5], [0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]) * (width, height)
    right, below = np.array([0.5, 0.0]), np.array([0.0, 0.5])
    across = transform_points(to_image, places + right) - transform_points(to_image, places - right)
    down = transform_points(to_image, places + below) - transform_points(to_image, places - below)
    area = np.abs(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])
    return float(np.sqrt(area.min()))


def _beyond_mm(image: Image, to_image: Matrix, page_mm: tuple[float, float]) -> float:
    """Distance by which the page's printed area, inside its margins, extends beyond the image; mm."""
    width, height = page_mm
    inner = corners_of(width - 2 * MARGIN_MM, height - 2 * MARGIN_MM) + MARGIN_MM
    steps = np.linspace(0, 1, 25)[:, None]
    rim = np.concatenate([a + (b - a) * steps for a, b in zip(inner, np.roll(inner, -1, axis=0), strict=True)])
    places = transform_points(to_image, rim)
    limit = np.array([image.shape[1] - 1, image.shape[0] - 1])
    beyond = np.maximum(np.maximum(-places, places - limit), 0).max()
    return float(beyond / _coarsest_px_per_unit(to_image, page_mm))


def _hidden_mark(image: Image, to_image: Matrix, registration: Registration) -> bool:
    """Whether a mark that lies inside the image was not found."""
    limit = np.array([image.shape[1] - 1, image.shape[0] - 1])
    for mark, corners in mark_corners(registration.page_mm).items():
        places = transform_points(to_image, np.array(corners))
        if mark not in registration.marks_found and (places >= 0).all() and (places <= limit).all():
            return True
    return False


def _quarter_turned(homography: Matrix) -> bool:
    """Whether the image is rotated against the page by more than 45 degrees."""
    right = transform_points(homography, np.array([[0.0, 0.0], [1.0, 0.0]]))
    dx, dy = right[1] - right[0]
    return bool(dx < abs(dy))


def _touches_border(image: Image, cleaned: CleanPage) -> bool:
    height, width = cleaned.image.shape[:2]
    places = transform_points(cleaned.to_original, corners_of(width, height) - 0.5)
    inside = (places > -_EDGE_PX) & (places < np.array([image.shape[1], image.shape[0]]) + _EDGE_PX - 1)
    return not bool(inside.all())


def _above(code: str, value: float, limits: tuple[float, float]) -> list[Finding]:
    return _below(code, -value, (-limits[0], -limits[1]))


def _below(code: str, value: float, limits: tuple[float, float]) -> list[Finding]:
    """``fix`` below the first limit, ``warn`` below the second."""
    if value < limits[0]:
        return [_fix(code)]
    return [_warn(code)] if value < limits[1] else []


def _fix(code: str) -> Finding:
    return _finding(code, "fix", _MESSAGES[code])


def _warn(code: str) -> Finding:
    return _finding(code, "warn", _WARNINGS[code])


def _info(code: str) -> Finding:
    return _finding(code, "info", _WARNINGS[code])


def _finding(code: str, severity: Severity, message: str) -> Finding:
    return Finding(code, severity, message)
