"""The PDF/A-3b frame of everything that is sealed: fonts, metadata, and the record as JSON inside (ISO 19005-3)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from xml.sax.saxutils import escape

from docproc.domain import Licence
from docproc.licence.page import icc
from docproc.licence.page.canvas import Canvas
from docproc.licence.page.pdf import PdfFile, embed, text
from docproc.licence.page.record import ATTACHMENT

PRODUCER = "docproc"


def embed_fonts(pdf: PdfFile, canvas: Canvas) -> dict[str, int]:
    """Embed the fonts of a page; object numbers by resource name."""
    return {key: embed(pdf, face, subset) for key, (face, subset) in sorted(canvas.fonts().items())}


def close(
    pdf: PdfFile, catalog: int, pages: int, record: Licence, title: str, data: bytes, canvases: Sequence[Canvas]
) -> bytes:
    """Attach the record and finish the file; its identifier comes from the contents, its dates from the record.

    ``catalog`` is reserved, ``pages`` is written; ``data`` is the record by
    :func:`docproc.licence.page.record.licence_json`.
    """
    day = record.issued_on
    stamp = f"D:{day:%Y%m%d}000000+08'00'"
    digest = hashlib.sha256(data + b"".join(canvas.content() for canvas in canvases)).digest()
    attached = pdf.stream(
        data,
        f"/Type /EmbeddedFile /Subtype /application#2Fjson /Params << /Size {len(data)} /ModDate ({stamp}) "
        f"/CheckSum <{hashlib.md5(data, usedforsecurity=False).hexdigest()}> >>",
    )
    spec = pdf.add(
        f"<< /Type /Filespec /F ({ATTACHMENT}) /UF {text(ATTACHMENT)} /AFRelationship /Data "
        f"/Desc {text('证照数据')} /EF << /F {attached} 0 R /UF {attached} 0 R >> >>"
    )
    profile = pdf.stream(icc.srgb(), "/N 3")
    intent = pdf.add(
        f"<< /Type /OutputIntent /S /GTS_PDFA1 /OutputConditionIdentifier (sRGB IEC61966-2.1) "
        f"/Info (sRGB IEC61966-2.1) /DestOutputProfile {profile} 0 R >>"
    )
    metadata = pdf.stream(_xmp(record, title), "/Type /Metadata /Subtype /XML", compress=False)
    pdf.put(
        catalog,
        f"<< /Type /Catalog /Pages {pages} 0 R /Metadata {metadata} 0 R /OutputIntents [{intent} 0 R] "
        f"/AF [{spec} 0 R] /Names << /EmbeddedFiles << /Names [{text(ATTACHMENT)} {spec} 0 R] >> >> "
        f"/Lang (zh-CN) /ViewerPreferences << /DisplayDocTitle true >> >>",
    )
    return pdf.save(catalog, digest[:16])


def _xmp(record: Licence, title: str) -> bytes:
    named = escape(f"{title} {record.number}")
    when = f"{record.issued_on.isoformat()}T00:00:00+08:00"
    return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{named}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{escape(record.authority)}</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>zh-CN</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>{when}</xmp:CreateDate><xmp:ModifyDate>{when}</xmp:ModifyDate>
<pdf:Producer>{PRODUCER}</pdf:Producer>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>
""".encode()
