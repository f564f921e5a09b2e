from __future__ import annotations

import numpy as np
import pytest

from docproc.domain import Quality
from docproc.scan.registration.clean import clean_page
from docproc.scan.registration.homography import find_registration
from docproc.scan.registration.quality import assess_quality, assess_unreadable
from tests.scan.pages import blank_form, handwrite, photo, scan, text_page


def judge(image: np.ndarray) -> Quality:
    """As the reading of a page does: registered where that works, cleaned otherwise."""
    registration = find_registration(image)
    return assess_quality(image, registration, None if registration else clean_page(image))


def found(image: np.ndarray) -> dict[str, str]:
    quality = judge(image)
    assert (quality.verdict == "rescan") == any(item.severity == "fix" for item in quality.findings)
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in item.message) for item in quality.findings)
    return {item.code: item.severity for item in quality.findings}


def glaring(radius: float) -> np.ndarray:
    dim = (photo(text_page(), 200, shadow=0.2, longest=1600).image * 0.82).astype(np.uint8)
    y, x = np.mgrid[: dim.shape[0], : dim.shape[1]]
    light = 400 * np.exp(-((x - dim.shape[1] / 2) ** 2 + (y - dim.shape[0] * 0.4) ** 2) / (2 * radius**2))
    return np.clip(dim + light[..., None], 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    "image",
    [
        scan(handwrite(blank_form(), 200, 2), 200, angle=1).image,
        scan(handwrite(blank_form(150), 150, 2), 150).image,
        photo(handwrite(blank_form(), 200, 2), 200, tilt=15, shadow=0.4).image,
        scan(text_page(), 200, angle=1).image,
        scan(text_page(200, 1), 200).image,
        scan(text_page(100), 100).image,
        photo(text_page(), 200, shadow=0.4).image,
    ],
    ids=["form", "form150", "form photo", "text", "one line", "text100", "text photo"],
)
def test_good_pictures_are_good_without_remarks(image: np.ndarray) -> None:
    assert found(image) == {}


@pytest.mark.parametrize("sigma", [5.0, 6.0, 8.0])
def test_blurred_pages_go_back(sigma: float) -> None:
    assert found(scan(text_page(), 200, blur=sigma).image)["scan.blur"] == "fix"
    assert found(scan(blank_form(), 200, blur=sigma).image)["scan.blur"] == "fix"


def test_blur_is_judged_by_the_size_of_letters() -> None:
    assert found(scan(text_page(100), 100, blur=2.6).image)["scan.blur"] == "fix"
    assert "scan.blur" not in found(scan(text_page(300), 300, blur=2.6).image)


@pytest.mark.parametrize("noise", [0.0, 4.0, 12.0])
def test_blank_pages_go_back(noise: float) -> None:
    assert found(scan(np.full((2339, 1654, 3), 250, np.uint8), 200, noise=noise).image) == {"scan.blank": "fix"}


def test_blank_sheet_on_a_desk_goes_back() -> None:
    assert found(photo(np.full((2339, 1654, 3), 250, np.uint8), 200, shadow=0.5).image) == {"scan.blank": "fix"}


@pytest.mark.parametrize("page", [text_page(), blank_form()], ids=["text", "form"])
def test_dark_pictures_go_back(page: np.ndarray) -> None:
    picture = scan(page, 200).image
    assert found((picture * 0.18).astype(np.uint8))["scan.dark"] == "fix"
    assert found((picture * 0.3).astype(np.uint8))["scan.dark"] == "warn"
    assert "scan.dark" not in found((picture * 0.5).astype(np.uint8))


def test_faint_writing_goes_back() -> None:
    picture = scan(text_page(), 200, noise=1).image.astype(np.float64)
    assert found((250 - (255 - picture) * 0.09).astype(np.uint8))["scan.faint"] == "fix"


def test_glare_goes_back_by_its_size() -> None:
    assert "scan.glare" not in found(glaring(20))
    assert found(glaring(55))["scan.glare"] == "warn"
    assert found(glaring(115))["scan.glare"] == "fix"
    assert found(glaring(215))["scan.glare"] == "fix"


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_cut_forms_go_back(side: str) -> None:
    picture = scan(blank_form(), 200).image

    def without(pixels: int) -> np.ndarray:
        parts = {
            "left": np.s_[:, pixels:],
            "right": np.s_[:, :-pixels],
            "top": np.s_[pixels:],
            "bottom": np.s_[:-pixels],
        }
        return np.ascontiguousarray(picture[parts[side]])

    assert found(without(40)) == {}
    assert found(without(100))["scan.cut"] == "fix"
    assert found(without(200))["scan.cut"] == "fix"


def test_hidden_corner_is_remarked() -> None:
    picture = scan(blank_form(), 200).image
    picture[:200, :200] = 120
    assert found(picture) == {"scan.corner_hidden": "warn"}


def test_sheet_running_out_of_the_photograph_is_remarked() -> None:
    picture = photo(text_page(), 200, tilt=3, roll=0).image
    top = int(np.argmax(picture[:, picture.shape[1] // 2].min(axis=1) > 180))
    assert found(np.ascontiguousarray(picture[top + 30 :]))["scan.cut"] == "warn"


@pytest.mark.parametrize(("dpi", "severity"), [(72, "fix"), (90, "fix"), (110, "warn")])
def test_low_resolution_of_forms(dpi: int, severity: str) -> None:
    assert found(scan(blank_form(dpi), dpi).image)["scan.low_res"] == severity


def test_tiny_letters_go_back() -> None:
    assert found(scan(text_page(28), 28, noise=0).image)["scan.low_res"] == "fix"


def test_mirrored_form_goes_back() -> None:
    straight = photo(blank_form(), 200).image
    mirrored = np.ascontiguousarray(straight[:, ::-1])
    quality = assess_unreadable(mirrored, judge(mirrored))
    assert (quality.verdict, [item.code for item in quality.findings]) == ("rescan", ["scan.mirrored"])
    assert assess_unreadable(straight, judge(straight)) == judge(straight)


@pytest.mark.parametrize("roll", [90.0, 180.0, 270.0])
def test_turned_form_is_accepted_and_remarked(roll: float) -> None:
    assert found(scan(blank_form(), 200, angle=roll).image) == {"scan.turned": "info"}


def test_picture_that_ends_in_grey_goes_back() -> None:
    picture = scan(text_page(), 200).image
    picture[1900:] = 128
    assert found(picture)["scan.incomplete"] == "fix"
