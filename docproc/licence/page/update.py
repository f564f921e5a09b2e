"""Writing an incremental update of a licence (ISO 32000-2, 7.5.6), so that its content alone determines every byte."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader


class UpdateWriter(IncrementalPdfFileWriter):
    """Adds no metadata: pyHanko would write its name and the time into every revision."""

    def _update_meta(self) -> None:
        return

    @classmethod
    def _handle_id(cls, prev: PdfFileReader) -> generic.ArrayObject:
        """The file's identifier: the first part stays, the second is the digest of what is updated.

        pyHanko chooses the second at random; then nobody could check its bytes.
        """
        prev.stream.seek(0)
        own = generic.ByteStringObject(hashlib.file_digest(prev.stream, "sha256").digest()[:16])
        first = prev.trailer["/ID"][0] if "/ID" in prev.trailer else own
        kept = first.original_bytes if isinstance(first, generic.TextStringObject) else bytes(first)
        return generic.ArrayObject([generic.ByteStringObject(kept), own])


def open_writer(pdf: bytes) -> IncrementalPdfFileWriter:
    """Open a file for an incremental update that leaves /Info and XMP as they are."""
    return UpdateWriter(io.BytesIO(pdf))


def written(before: bytes, objects: Mapping[int, generic.PdfObject]) -> bytes:
    """An update of these objects, by number, as :class:`UpdateWriter` writes it behind the file ``before``."""
    writer = open_writer(before)
    writer.objects.update({(0, number): item for number, item in objects.items()})
    writer._lastobj_id = max(writer._lastobj_id, *objects)
    writer.write_in_place()
    out = writer.prev.stream
    assert isinstance(out, io.BytesIO)
    return out.getvalue()[len(before) :]
