"""What an attacker does to a sealed file: updates written by hand, and edits by a good library."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader


def spans(pdf: bytes) -> list[tuple[int, int, int]]:
    """(gap start, gap end, end) of every signature."""
    found = PdfFileReader(io.BytesIO(pdf)).embedded_signatures
    ranges = [[int(value) for value in item.byte_range] for item in found]
    return [(first, second, second + length) for _, first, second, length in ranges]


def append(pdf: bytes, objects: dict[int, bytes], trailer: bytes = b"") -> bytes:
    """Write an incremental update by hand, as an attacker would."""
    last = int(re.findall(rb"startxref\s+(\d+)", pdf)[-1])
    size = max(int(value) for value in re.findall(rb"/Size (\d+)", pdf))
    out = bytearray(pdf)
    table = b"xref\n0 1\n0000000000 65535 f \n"
    for number, body in objects.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    start = len(out)
    size = max([size, *(number + 1 for number in objects)])
    out += table + b"trailer\n<< /Size %d /Root 1 0 R /Prev %d %s >>\n" % (size, last, trailer)
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % start


def current(pdf: bytes, number: int) -> bytes:
    """Source of an object as the last revision has it."""
    return re.findall(rb"\n%d 0 obj\n(.*?)\nendobj" % number, pdf, re.DOTALL)[-1]


def edited(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def annotate(writer: IncrementalPdfFileWriter) -> None:
    page = writer.root["/Pages"]["/Kids"][0]
    note = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Square"),
            pdf_name("/Rect"): generic.ArrayObject([generic.NumberObject(value) for value in (10, 10, 400, 400)]),
        }
    )
    page["/Annots"].append(writer.add_object(note))
    writer.update_container(page["/Annots"])
    writer.update_container(page)


def add_script(writer: IncrementalPdfFileWriter) -> None:
    action = {pdf_name("/S"): pdf_name("/JavaScript"), pdf_name("/JS"): generic.pdf_string("app.alert(1)")}
    writer.root[pdf_name("/OpenAction")] = writer.add_object(generic.DictionaryObject(action))
    writer.update_root()


def move_seal(writer: IncrementalPdfFileWriter) -> None:
    field = writer.root["/AcroForm"]["/Fields"][0]
    field[pdf_name("/Rect")] = generic.ArrayObject([generic.NumberObject(value) for value in (0, 0, 100, 100)])
    writer.update_container(field)


def redraw_seal(writer: IncrementalPdfFileWriter) -> None:
    form = writer.root["/AcroForm"]["/Fields"][0]["/AP"]["/N"]
    form._data = b"0 0 1 rg 0 0 50 50 re f"
    form._encoded_data = None
    writer.update_container(form)


def change_metadata(writer: IncrementalPdfFileWriter) -> None:
    writer.root[pdf_name("/Lang")] = generic.pdf_string("en")
    writer.update_root()


def replace_attachment(writer: IncrementalPdfFileWriter) -> None:
    stream = writer.root["/AF"][0]["/EF"]["/F"]
    stream._data = stream.data.replace("样例餐饮店".encode(), "伪造餐饮店".encode())
    stream._encoded_data = None
    writer.update_container(stream)


def grow_dss(writer: IncrementalPdfFileWriter) -> None:
    store = writer.root["/DSS"]
    store["/Certs"].append(writer.add_object(generic.StreamObject(stream_data=b"not a certificate")))
    writer.update_container(store["/Certs"])
    writer.update_container(store)
