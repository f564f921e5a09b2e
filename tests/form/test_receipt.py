"""The receipt for originals: hand scanners read its number, and every paper is on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pymupdf
import pytest
import zxingcpp

from docproc.form.receipt import CounterReceipt, draw_receipt

RECEIPT = CounterReceipt(
    number="510116-ST-20261123-000001-S1",
    application="510116-ST-20261123-000001",
    matter="个体工商户登记",
    authority="示例市市场监督管理局（样例）",
    received_at="2026年11月23日 09:30",
    clerk="clerk-1",
    items=(("申请书", 1), ("租赁合同", 2)),
    note="房产证为复印件",
    address="https://licence.example/p/abcdefghijklmnopqrstuv",
)


@pytest.mark.parametrize("many", [1, 2, 20])
def test_barcode_and_qr_code_are_read_from_the_print_and_no_paper_is_missing(many: int) -> None:
    items = tuple((f"材料{place}", place) for place in range(1, many + 1))
    with pymupdf.open(stream=draw_receipt(replace(RECEIPT, items=items))) as document:
        assert document.page_count == -(-many // 14)
        said = "".join(page.get_text() for page in document)
        for page in document:
            pixels = page.get_pixmap(dpi=200, colorspace="gray")
            image = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)
            read = {code.format: code.text for code in zxingcpp.read_barcodes(image)}
            assert read[zxingcpp.BarcodeFormat.Code128] == RECEIPT.number
            assert read[zxingcpp.BarcodeFormat.QRCode] == RECEIPT.address
    assert all(name in said and f"{copies} 份" in said for name, copies in items)
    assert "备注：房产证为复印件" in said and "clerk-1" in said
