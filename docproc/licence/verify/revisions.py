"""What is in a sealed file, byte for byte, without trusting a PDF reader's view of it.

A reader resolves objects through cross-reference tables, and an attacker can make two readers see different things
(incremental saving and shadow attacks). Here the rule is narrow: the seal must cover the file from its first byte to
the end of its revision, and every later revision must be one that renewing an archive time-stamp writes, fully
covered by that time-stamp, with nothing in it that is not accounted for.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from asn1crypto import cms, core, crl, ocsp, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from docproc.licence.page.update import written
from docproc.licence.verify.validation_store import check_decodes

SEAL_FIELD = "Seal"
ARCHIVE_FIELD = "ArchiveTimestamp"
"""Field names; archive time-stamps are numbered from 1."""
_XREF = re.compile(rb"xref\n((?:\d+ \d+\n(?:\d{10} \d{5} [nf] \n)+)+)trailer\n")
_SECTION = re.compile(rb"(\d+) (\d+)\n((?:\d{10} \d{5} [nf] \n)+)")
_TAIL = re.compile(rb"\nstartxref\n(\d+)\n%%EOF\n\Z")
_HEAD = re.compile(rb"(\d+) 0 obj\n")
_BLANK = b" \t\r\n"
_VALUE = {"/Contents", "/ByteRange", "/Type", "/Filter", "/SubFilter", "/M", "/Reason"}
"""Entries of a seal's signature."""


def seal_field(number: int) -> str:
    """Field name of the first, second ... seal of a licence."""
    return SEAL_FIELD if number == 1 else f"{SEAL_FIELD}{number}"


class StructureError(Exception):
    """The file is not built the way a sealed licence is.

    ``changed`` says whether what a reader shows may differ from what was sealed;
    if not, bytes were merely added.
    """

    def __init__(self, message: str, *, changed: bool = True) -> None:
        super().__init__(message)
        self.changed = changed


@dataclass(frozen=True)
class Span:
    """Where a signature is: it covers ``0..gap_start`` and ``gap_end..end``."""

    gap_start: int
    gap_end: int
    end: int
    cms: bytes
    """The DER of the signature, without padding."""


def check_span(data: bytes, byte_range: Iterable[int], contents: bytes) -> Span:
    """Check that a signature's /ByteRange leaves out its own /Contents and nothing else.

    The gap must be one hexadecimal string in capitals, DER padded with zeros:
    anything else in it would be bytes that nobody vouches for.

    Raises:
        StructureError: it does not.
    """
    numbers = [int(value) for value in byte_range]
    if len(numbers) != 4 or numbers[0] != 0 or min(numbers) < 0:
        raise StructureError("the signature does not cover the file from its start")
    start, resume, length = numbers[1:]
    gap = data[start:resume]
    if not (0 < start < resume <= resume + length <= len(data)) or not re.fullmatch(rb"<(?:[0-9A-F]{2})+>", gap):
        raise StructureError("what the signature leaves out is not just the signature")
    raw = bytes.fromhex(gap[1:-1].decode("ascii"))
    if raw != contents:
        raise StructureError("the signature is not the one in the gap")
    der = _unpadded(raw)
    check_cms(der)
    return Span(start, resume, resume + length, der)


def check_cms(der: bytes) -> None:
    """Check that a signature has one encoding only: its parts that nothing signs must not be open to change.

    Raises:
        StructureError: not DER, an unexpected version, several signers, or attributes beside the time-stamp.
    """
    if not is_der(der):
        raise StructureError("the signature is not in its one canonical encoding")
    try:
        content = cms.ContentInfo.load(der, strict=True)
        signed = content["content"]
        signers = signed["signer_infos"]
        info = signers[0]
        encapsulated = signed["encap_content_info"]["content_type"].native
        kinds = [item["type"].native for item in info["unsigned_attrs"] or []]
        algorithms = [*signed["digest_algorithms"], info["digest_algorithm"], info["signature_algorithm"]]
        expected = (
            content["content_type"].native == "signed_data",
            len(signers) == 1 and len(signed["digest_algorithms"]) == 1,
            not signed["crls"] and info["sid"].name == "issuer_and_serial_number",
            signed["version"].native == ("v1" if encapsulated == "data" else "v3") and info["version"].native == "v1",
            algorithms[0]["algorithm"].native == algorithms[1]["algorithm"].native,
            all(isinstance(item["parameters"], core.Null | core.Void) for item in algorithms),
            kinds in ([], ["signature_time_stamp_token"]),
        )
        if not all(expected):
            raise StructureError("the signature holds something that a seal does not")
        if kinds:
            check_cms(info["unsigned_attrs"][0]["values"][0].dump())
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise StructureError(f"the signature cannot be decoded: {error}") from error


def is_der(data: bytes) -> bool:
    """Whether bytes are one value in the one encoding that DER allows, as far as its tags and lengths tell."""
    return _der_end(data, 0, len(data)) == len(data)


def _der_end(data: bytes, start: int, limit: int, depth: int = 0) -> int:
    """Walk one DER value (X.690) and return where it ends, or -1 when its lengths are not in the shortest form."""
    if depth > 40 or start + 2 > limit or data[start] & 0x1F == 0x1F:
        return -1
    size, position = data[start + 1], start + 2
    if size & 0x80:
        count = size & 0x7F
        size = int.from_bytes(data[position : position + count], "big")
        position += count
        if not 1 <= count <= 3 or size < 0x80 or size >> (8 * (count - 1)) == 0:
            return -1
    end = position + size
    if end > limit or (data[start] in (0x05, 0x01) and size != (data[start] == 0x01)):
        return -1
    if data[start] & 0x20:
        while position < end:
            position = _der_end(data, position, end, depth + 1)
            if position < 0:
                return -1
    return end


def check_revision(data: bytes, start: int, end: int, field: str | None) -> None:
    """Check that ``data[start:end]`` adds validation data and the archive time-stamp ``field``, and nothing else.

    Without a field it must be validation data alone, as after a seal of level B-LT. Nothing vouches for its bytes then,
    so that they must be, to the last, those that writing its objects gives.

    Raises:
        StructureError: it does something else.
    """
    before, objects = _update(data, start, end)
    _account(before, objects, field)
    if field is None and written(data[:start], objects) != data[start:end]:
        raise StructureError("the update is not written in its one canonical form")


def check_seal_revision(data: bytes, start: int, end: int, field: str) -> None:
    """Check that ``data[start:end]`` fills the empty field of a further seal, and nothing else.

    Raises:
        StructureError: it does something else.
    """
    before, objects = _update(data, start, end)
    known = int(before.trailer["/Size"])
    fields = before.root["/AcroForm"].raw_get("/Fields")
    references = [fields.raw_get(index) for index in range(len(fields))]
    named = [item for item in references if str(item.get_object().get("/T")) == field]
    if len(named) != 1:
        raise StructureError("the update signs a field that the first seal did not announce")
    roles: set[int] = set()
    reference = named[0]
    empty, widget = reference.get_object(), _current(reference, objects, roles)
    if "/V" in empty:
        raise StructureError("the field of the seal was signed before")
    _same_but(empty, widget, {"/V", "/AP"}, "field of the seal")
    value_ref = widget.raw_get("/V")
    value = _current(value_ref, objects, roles)
    if value_ref.idnum < known or not _VALUE <= set(value) <= _VALUE | {"/Reference"}:
        raise StructureError("the seal says something unexpected")
    shown = widget.raw_get("/AP")
    if list(shown) != ["/N"] or shown.raw_get("/N").idnum < known:
        raise StructureError("the seal shows something else than its art")
    _check_art(_current(shown.raw_get("/N"), objects, roles))
    if set(objects) - roles:
        raise StructureError("the update holds objects that are not part of a seal")


def _check_art(form: Any) -> None:
    """Check that an appearance draws by itself: it refers to nothing that another revision could change."""
    blend = {"/Type": ("NameObject", "/ExtGState"), "/BM": ("NameObject", "/Multiply")}
    known = {"/Type", "/Subtype", "/BBox", "/Resources", "/Filter", "/Length"}
    if not isinstance(form, generic.StreamObject) or set(form) != known:
        raise StructureError("the art of the seal is not a drawing of its own")
    if plain(form.raw_get("/Resources")) != {"/ExtGState": {"/Multiply": blend}}:
        raise StructureError("the art of the seal uses something else")


def _update(data: bytes, start: int, end: int) -> tuple[PdfFileReader, dict[int, Any]]:
    """The file before an update, and the update's objects."""
    before = PdfFileReader(io.BytesIO(data[:start]), strict=True)
    objects, trailer = _objects(data, start, end)
    if not objects:
        raise StructureError("an empty update follows the seal", changed=False)
    if set(trailer) - {"/Size", "/Root", "/ID", "/Prev"}:
        told = [plain(trailer.raw_get("/Info"))[1]] if "/Info" in trailer else []
        raise StructureError("the update's trailer says something unexpected", changed=list(objects) != told)
    if plain(trailer.raw_get("/Root")) != plain(before.trailer.raw_get("/Root")):
        raise StructureError("the update replaces the document")
    return before, objects


def plain(value: Any) -> Any:
    """A PDF object as nested Python values that can be compared; references stay references."""
    if isinstance(value, generic.IndirectObject):
        return ("R", value.idnum, value.generation)
    if isinstance(value, generic.StreamObject):
        return ("stream", {str(key): plain(value.raw_get(key)) for key in value}, bytes(value.encoded_data))
    if isinstance(value, generic.DictionaryObject):
        return {str(key): plain(value.raw_get(key)) for key in value}
    if isinstance(value, generic.ArrayObject):
        return [plain(value.raw_get(index)) for index in range(len(value))]
    if isinstance(value, generic.TextStringObject | generic.ByteStringObject):
        return ("text", bytes(value.original_bytes))
    if isinstance(value, generic.BooleanObject):
        return bool(value)
    return value if value is None else (type(value).__name__, str(value))


def _unpadded(raw: bytes) -> bytes:
    """Cut the zero padding off a DER value of definite length."""
    if len(raw) < 4 or raw[0] != 0x30 or raw[1] != 0x82:
        raise StructureError("the signature is not a DER sequence of usual length")
    size = 4 + int.from_bytes(raw[2:4], "big")
    if size > len(raw) or any(raw[size:]):
        raise StructureError("something hides in the padding of the signature")
    return raw[:size]


def _objects(data: bytes, start: int, end: int) -> tuple[dict[int, Any], generic.DictionaryObject]:
    """Parse an update strictly: its table lists all of its objects, which fill it without a gap."""
    body = data[start:end]
    tail = _TAIL.search(body)
    if tail is None:
        raise StructureError("bytes follow the end of the last update", changed=False)
    place = int(tail[1]) - start
    table = _XREF.match(body, place) if 0 <= place < len(body) else None
    if table is None:
        raise StructureError("the update has no plain cross-reference table")
    trailer = generic.DictionaryObject.read_from_stream(
        stream := io.BytesIO(body[table.end() : tail.start()]), _nowhere()
    )
    if stream.read().strip(_BLANK) or trailer.get("/Prev") != _last_startxref(data[:start]):
        raise StructureError("the update does not continue the file")
    found: dict[int, Any] = {}
    position = _skip(body, 0)
    for offset, number in sorted(_entries(table[1])):
        head = _HEAD.match(body, position)
        if offset - start != position or head is None or int(head[1]) != number or number in found:
            raise StructureError("the update's objects are not where its table says")
        stream = io.BytesIO(body)
        stream.seek(head.end())
        found[number] = generic.read_object(stream, _nowhere())
        position = _skip(body, stream.tell())
        if body[position : position + 6] != b"endobj":
            raise StructureError("an object of the update does not end where it should")
        position = _skip(body, position + 6)
    if position != place:
        raise StructureError("the update hides something between its objects and its table")
    return found, trailer


def _entries(table: bytes) -> list[tuple[int, int]]:
    entries = []
    for first, count, rows in _SECTION.findall(table):
        lines = rows.splitlines()
        if len(lines) != int(count):
            raise StructureError("the update's table is malformed")
        for index, line in enumerate(lines):
            number = int(first) + index
            if line[17:18] == b"n" and line[11:16] == b"00000":
                entries.append((int(line[:10]), number))
            elif number != 0:
                raise StructureError("the update deletes objects")
    return entries


def _account(before: PdfFileReader, objects: dict[int, Any], field: str | None) -> None:
    """Find the role of every object of the update; each must have one."""
    known = int(before.trailer["/Size"])
    root_ref = before.trailer.raw_get("/Root")
    root = before.root
    roles: set[int] = set()

    new_root = _current(root_ref, objects, roles)
    _same_but(root, new_root, {"/DSS"}, "document catalogue")
    if field is not None:
        _account_stamp(root, objects, field, known, roles)
    if "/DSS" in new_root:
        _account_dss(_current(new_root.raw_get("/DSS"), objects, roles), root, objects, known, roles)
    if set(objects) - roles:
        raise StructureError("the update holds objects that are not part of a time-stamp")


def _account_stamp(root: Any, objects: dict[int, Any], field: str, known: int, roles: set[int]) -> None:
    """Check that the form and the page grow by one invisible field that holds a time-stamp."""
    form_ref = root.raw_get("/AcroForm")
    form = _current(form_ref, objects, roles)
    _same_but(form_ref.get_object(), form, {"/Fields"}, "form")
    page_ref = root["/Pages"]["/Kids"].raw_get(0)
    page = _current(page_ref, objects, roles)
    _same_but(page_ref.get_object(), page, {"/Annots"}, "page")
    widget_ref = _appended(form_ref.get_object().raw_get("/Fields"), form.raw_get("/Fields"))
    if widget_ref != _appended(page_ref.get_object().raw_get("/Annots"), page.raw_get("/Annots")):
        raise StructureError("the update adds something to the page")
    widget = _current(widget_ref, objects, roles)
    shown = {key: plain(widget.raw_get(key)) for key in widget if key not in ("/T", "/TU", "/V", "/P")}
    hidden = {"/FT": "/Sig", "/Type": "/Annot", "/Subtype": "/Widget"}
    expected: dict[str, Any] = {key: ("NameObject", name) for key, name in hidden.items()}
    expected["/F"] = ("NumberObject", "132")
    expected["/Rect"] = [("NumberObject", "0")] * 4
    if widget_ref.idnum < known or shown != expected or str(widget.get("/T")) != field:
        raise StructureError("the time-stamp's field shows something")
    value_ref = widget.raw_get("/V")
    value = _current(value_ref, objects, roles)
    if value_ref.idnum < known or set(value) != {"/Contents", "/ByteRange", "/Type", "/Filter", "/SubFilter"}:
        raise StructureError("the time-stamp says something unexpected")


def _current(reference: Any, objects: dict[int, Any], roles: set[int]) -> Any:
    """An object as the update leaves it; notes that its place in the update is accounted for."""
    if not isinstance(reference, generic.IndirectObject):
        raise StructureError("a part that the update needs is not an object of its own")
    roles.add(reference.idnum)
    return objects[reference.idnum] if reference.idnum in objects else reference.get_object()


def _same_but(old: Any, new: Any, allowed: set[str], what: str) -> None:
    left, right = plain(old), plain(new)
    if {k: v for k, v in left.items() if k not in allowed} != {k: v for k, v in right.items() if k not in allowed}:
        raise StructureError(f"the update changes the {what}")


def _account_dss(dss: Any, root: Any, objects: dict[int, Any], known: int, roles: set[int]) -> None:
    """Check that validation data only grows, by certificates, CRLs and OCSP responses."""
    kinds = {"/Certs": x509.Certificate, "/CRLs": crl.CertificateList, "/OCSPs": ocsp.OCSPResponse}
    old: Any = root["/DSS"] if "/DSS" in root else {}  # noqa: SIM401  (get() would not follow the reference)
    if set(dss) - set(kinds) - {"/Type"}:
        raise StructureError("the validation data holds something else")
    for key, kind in kinds.items():
        items: Any = dss.raw_get(key) if key in dss else generic.ArrayObject()
        references = [plain(items.raw_get(index)) for index in range(len(items))]
        before = plain(old.raw_get(key)) if key in old else []
        if references[: len(before)] != before:
            raise StructureError("the update takes validation data away")
        for mark, number, _ in references[len(before) :]:
            item = objects.get(number)
            if mark != "R" or number < known or not isinstance(item, generic.StreamObject):
                raise StructureError("the validation data refers to something else")
            try:
                check_decodes(kind, item.data)
            except (ValueError, TypeError) as error:
                raise StructureError("the validation data cannot be decoded") from error
            roles.add(number)


def _appended(old: Any, new: Any) -> generic.IndirectObject:
    before, after = plain(old), plain(new)
    if not isinstance(after, list) or after[:-1] != before or after[-1][0] != "R":
        raise StructureError("the update does not just add one field")
    added: generic.IndirectObject = new.raw_get(len(after) - 1)
    return added


def _skip(body: bytes, position: int) -> int:
    while position < len(body) and body[position] in _BLANK:
        position += 1
    return position


def _last_startxref(data: bytes) -> int:
    tail = _TAIL.search(data)
    if tail is None:
        raise StructureError("the sealed revision does not end as a file does")
    return int(tail[1])


def _nowhere() -> generic.Reference:
    return generic.Reference(0, 0, None)
