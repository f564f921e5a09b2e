from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
import pillow_heif
import pymupdf
import pytest

from docproc.errors import InputError, LimitError, UnsupportedFileError
from docproc.scan.files.limits import UploadLimits
from docproc.scan.files.sniff import sniff
from docproc.scan.files.split import split
from tests.scan.pages import form_pdf, text_page, tiff_of

PAGE = text_page(100)


def encoded(kind: str, image: np.ndarray = PAGE) -> bytes:
    return cv2.imencode(kind, image)[1].tobytes()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int) -> bytes:
    """A small PNG whose header claims a large picture of zeros."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(10_000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def exif_turned(jpeg: bytes, orientation: int) -> bytes:
    tiff = b"II*\0\x08\0\0\0" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def pdf(pages: int = 1, **saving: object) -> bytes:
    document = pymupdf.open()
    for _ in range(pages):
        document.new_page(width=595, height=842).insert_text((80, 100), "sample")
    return bytes(document.tobytes(**saving))


def pdf_of(jpeg: bytes, rotate: int = 0) -> bytes:
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    page.insert_image(page.rect, stream=jpeg, keep_proportion=False)
    page.set_rotation(rotate)
    return bytes(document.tobytes())


def pdf_without_pages() -> bytes:
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 3\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer << /Size 3 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % table


def gif_of(image: np.ndarray) -> bytes:
    """A GIF of grey levels, one uncompressed code a pixel (a clear code before each run of 100)."""
    height, width = image.shape
    palette = b"".join(bytes([level * 2] * 3) for level in range(128))
    bits: list[int] = []
    for index, level in enumerate(image.ravel() >> 1):
        if index % 100 == 0:
            bits += [0, 0, 0, 0, 0, 0, 0, 1]
        bits += [int(level) >> bit & 1 for bit in range(8)]
    bits += [1, 0, 0, 0, 0, 0, 0, 1]
    packed = np.packbits(bits, bitorder="little").tobytes()
    blocks = b"".join(bytes([len(part)]) + part for part in (packed[i : i + 255] for i in range(0, len(packed), 255)))
    screen = struct.pack("<HHBBB", width, height, 0xF6, 0, 0)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0)
    return b"GIF89a" + screen + palette + frame + b"\x07" + blocks + b"\0;"


def refused(data: bytes, limits: UploadLimits | None = None) -> InputError:
    with pytest.raises(InputError) as caught:
        split(data, limits)
    assert "\u4e00" <= caught.value.message_zh[0] <= "\u9fff" or caught.value.message_zh.startswith("PDF")
    return caught.value


@pytest.mark.parametrize("kind", [".jpg", ".png", ".tiff"])
def test_single_pictures_become_one_page(kind: str) -> None:
    (page,) = split(encoded(kind))
    assert page.index == 0
    assert page.image.shape == PAGE.shape
    assert np.abs(page.image.astype(int) - PAGE).mean() < 2


def test_gif_is_taken_by_its_first_picture() -> None:
    grey = cv2.cvtColor(PAGE[:200, :300], cv2.COLOR_BGR2GRAY)
    (page,) = split(gif_of(grey))
    assert page.image.shape == (200, 300, 3)
    assert np.abs(page.image[..., 1].astype(int) - grey).max() <= 2


def test_tiff_of_many_pages() -> None:
    pages = split(tiff_of([PAGE, 255 - PAGE, PAGE[:300]]))
    assert [page.index for page in pages] == [0, 1, 2]
    assert pages[2].image.shape == (300, PAGE.shape[1], 3)
    assert pages[1].image.mean() < 60


def test_grey_and_transparent_pictures_become_colour_on_white() -> None:
    assert split(encoded(".png", PAGE[..., 0]))[0].image.shape == PAGE.shape
    clear = np.dstack([np.zeros_like(PAGE), np.zeros(PAGE.shape[:2], np.uint8)])
    assert split(encoded(".png", clear))[0].image.min() == 255


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_orientation_mark_of_cameras_is_obeyed(orientation: int, turns: int) -> None:
    (page,) = split(exif_turned(encoded(".jpg"), orientation))
    assert np.abs(page.image.astype(int) - np.rot90(PAGE, turns)).mean() < 2


def test_drawn_pdf_is_rendered_at_200_dpi() -> None:
    (page,) = split(form_pdf())
    assert page.dpi == 200
    assert abs(page.image.shape[1] - 1654) <= 1
    assert abs(page.image.shape[0] - 2339) <= 1
    assert page.image.min() < 30


def test_scan_inside_a_pdf_keeps_its_own_pixels() -> None:
    scanned = encoded(".jpg", text_page(150))
    (page,) = split(pdf_of(scanned))
    assert np.array_equal(page.image, cv2.imdecode(np.frombuffer(scanned, np.uint8), cv2.IMREAD_COLOR))
    assert page.dpi == pytest.approx(150, abs=1)


def test_turned_scan_inside_a_pdf_comes_as_viewers_show_it() -> None:
    (page,) = split(pdf_of(encoded(".jpg", text_page(150)), rotate=90))
    assert page.image.shape[1] > page.image.shape[0]


def test_pdf_that_draws_over_its_scan_is_rendered_whole() -> None:
    document = pymupdf.open(stream=pdf_of(encoded(".jpg", np.full_like(PAGE, 255))), filetype="pdf")
    document[0].draw_rect(pymupdf.Rect(100, 100, 300, 300), fill=(0, 0, 0))
    (page,) = split(bytes(document.tobytes()))
    assert page.image[550, 550].max() < 10


def test_pages_of_a_pdf_come_in_order() -> None:
    assert [page.index for page in split(pdf(3))] == [0, 1, 2]


@pytest.mark.parametrize("kind", [".jpg", ".png", ".tiff"])
@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_cut_off_files_are_refused_not_painted_grey(kind: str, share: float) -> None:
    data = encoded(kind)
    error = refused(data[: int(len(data) * share)])
    assert isinstance(error, UnsupportedFileError)
    assert error.code == "damaged_file"


def test_png_with_a_flipped_byte_is_refused() -> None:
    data = bytearray(encoded(".png"))
    data[len(data) // 2] ^= 0xFF
    assert refused(bytes(data)).code == "damaged_file"


def heic(image: np.ndarray = PAGE, **saving: object) -> bytes:
    made = io.BytesIO()
    picture = np.ascontiguousarray(image[..., ::-1])
    pillow_heif.from_bytes("RGB", (image.shape[1], image.shape[0]), picture.tobytes()).save(made, **saving)
    return made.getvalue()


@pytest.mark.parametrize("tile", [0, 256], ids=["one", "tiles, as phones make them"])
def test_a_phone_s_heic_picture_is_a_page(tile: int) -> None:
    (page,) = split(heic(quality=90, tile_size=tile))
    assert page.image.shape == PAGE.shape and page.image.dtype == np.uint8
    assert np.abs(page.image.astype(int) - PAGE).mean() < 4


def test_a_cut_off_heic_picture_is_damaged() -> None:
    data = heic()
    for length in (40, len(data) // 2, len(data) - 200):
        assert refused(data[:length]).code == "damaged_file"


def test_a_large_heic_picture_is_refused_before_it_is_decoded() -> None:
    assert refused(heic(), UploadLimits(page_pixels=1000)).code == "too_many_pixels"


@pytest.mark.parametrize("quality", [80, 101], ids=["lossy", "lossless"])
def test_a_webp_picture_is_a_page(quality: int) -> None:
    data = cv2.imencode(".webp", PAGE, [cv2.IMWRITE_WEBP_QUALITY, quality])[1].tobytes()
    (page,) = split(data)
    assert page.image.shape == PAGE.shape
    assert np.abs(page.image.astype(int) - PAGE).mean() < 4
    assert refused(data, UploadLimits(page_pixels=1000)).code == "too_many_pixels"
    assert refused(data[: len(data) // 2]).code == "damaged_file"


def test_transparent_webp_is_drawn_on_white() -> None:
    layers = np.zeros((64, 64, 4), np.uint8)
    layers[16:48, 16:48] = (0, 0, 255, 255)
    (page,) = split(cv2.imencode(".webp", layers, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].tobytes())
    assert page.image[0, 0].tolist() == [255, 255, 255] and page.image[32, 32].tolist() == [0, 0, 255]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', "markup_file"),
        (b'<?xml version="1.0"?><svg/>', "markup_file"),
        (b"<!DOCTYPE html><html></html>", "markup_file"),
        (b"PK\x03\x04" + bytes(100), "office_file"),
        (b"\0\0\0\x18ftypavif" + bytes(100), "heic_file"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "damaged_file"),
        (b"RIFF\x40\0\0\0WEBPVP8 " + bytes(100), "damaged_file"),
        (b"RIFF\xff\xff\0\0WEBPVP8 " + bytes(100), "damaged_file"),
        (b"just some words", "unsupported_file"),
        (b"\xff\xd8\xff", "damaged_file"),
        (b"\x89PNG\r\n\x1a\n", "damaged_file"),
        (b"II*\0", "damaged_file"),
        (b"II*\0\x08\0\0\0\x01\0", "damaged_file"),
        (b"GIF89a", "damaged_file"),
        (b"%PDF-1.7\n", "damaged_file"),
        (b"%PDF-1.7\n" + bytes(5000), "damaged_file"),
    ],
)
def test_other_and_broken_files_are_refused_with_a_reason(data: bytes, code: str) -> None:
    error = refused(data)
    assert isinstance(error, UnsupportedFileError)
    assert error.code == code


def test_encrypted_pdf_is_refused() -> None:
    data = pdf(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="geheim", owner_pw="eigner")
    assert refused(data).code == "encrypted_pdf"


def test_pdf_without_pages_is_refused() -> None:
    assert refused(pdf_without_pages()).code in ("no_pages", "damaged_file")


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (2_000_000_000, 2_000_000_000), (60_000, 60_000)])
def test_pixel_bombs_are_refused_before_decoding(width: int, height: int) -> None:
    error = refused(png_claiming(width, height))
    assert isinstance(error, LimitError)
    assert error.code == "too_many_pixels"


def test_hundred_megapixel_picture_is_refused() -> None:
    assert refused(encoded(".png", np.zeros((10_000, 10_000), np.uint8))).code == "too_many_pixels"


def test_picture_without_pixels_is_refused() -> None:
    assert refused(png_claiming(0, 100)).code == "damaged_file"


def test_huge_pdf_page_is_refused() -> None:
    document = pymupdf.open()
    document.new_page(width=14_000, height=14_000).draw_line((0, 0), (9, 9))
    assert refused(bytes(document.tobytes())).code == "too_many_pixels"


def test_limits_on_bytes_pages_and_pixels_together() -> None:
    assert refused(encoded(".jpg"), UploadLimits(bytes=1000)).code == "file_too_large"
    assert refused(pdf(3), UploadLimits(pages=2)).code == "too_many_pages"
    assert refused(tiff_of([PAGE] * 3), UploadLimits(pages=2)).code == "too_many_pages"
    assert refused(pdf(3), UploadLimits(total_pixels=9_000_000)).code == "too_many_pixels"


def test_looping_tiff_is_refused() -> None:
    entry = struct.pack("<HHII", 256, 4, 1, 10) + struct.pack("<HHII", 257, 4, 1, 10)
    assert refused(b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + entry + struct.pack("<I", 8)).code == "damaged_file"


def test_name_does_not_matter_but_first_bytes_do() -> None:
    assert sniff(encoded(".png")) == "png"
    assert sniff(b"\xef\xbb\xbf\n" + pdf()) == "pdf"


def test_random_damage_never_escapes_as_another_error() -> None:
    random = np.random.default_rng(7)
    small = cv2.resize(PAGE, (120, 160))
    for original in (
        encoded(".jpg", small),
        encoded(".png", small),
        encoded(".tiff", small),
        pdf(),
        gif_of(small[..., 0]),
    ):
        for _ in range(40):
            data = bytearray(original)
            for place in random.integers(0, len(data), 6):
                data[place] = random.integers(0, 256)
            try:
                split(bytes(data))
            except InputError:
                continue
