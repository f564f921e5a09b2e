"""The verdict as a validation report by ETSI TS 119 102-2 V1.4.1.

What that standard has no word for (is it what was issued, the licence's own status) stands in ``OtherInformation``
under a name space of our own.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

from docproc.licence.report.headline import headline
from docproc.licence.report.report import SignatureReport, VerificationReport

VR = "http://uri.etsi.org/19102/v1.4.1#"
DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
OWN = "urn:docproc:licence-verification:1"
_MAIN = {"TOTAL-PASSED": "total-passed", "INDETERMINATE": "indeterminate", "TOTAL-FAILED": "total-failed"}
_PROCESS = {"B-B": "Basic", "B-T": "LTVM", "B-LT": "LTVM", "B-LTA": "LTA"}
"""Validation processes of EN 319 102-1: basic (5.3), with time (5.5), with archive data (5.6)."""
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
for _prefix, _uri in (("vr", VR), ("ds", DS), ("XAdES", XADES), ("lv", OWN)):
    ET.register_namespace(_prefix, _uri)


def report_xml(report: VerificationReport) -> bytes:
    """Write a verdict as XML, UTF-8.

    A file without a signature gives a report whose main indication is total-failed with FORMAT_FAILURE: the standard
    knows no report on nothing.
    """
    root = ET.Element(f"{{{VR}}}ValidationReport")
    seals = report.signatures or (None,)
    for number, seal in enumerate(seals, 1):
        _seal(ET.SubElement(root, f"{{{VR}}}SignatureValidationReport"), report, seal, number)
    objects = ET.SubElement(root, f"{{{VR}}}SignatureValidationObjects")
    _object(objects, "file", "signedData", report.sha256)
    for number, seal in enumerate(seals, 1):
        if seal is not None:
            _object(objects, _numbered("certificate", number), "certificate", seal.certificate_sha256)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _seal(about: ET.Element, report: VerificationReport, seal: SignatureReport | None, number: int) -> None:
    """One seal; the first is the issuing authority's, the others are those of a joint approval."""
    identifier = ET.SubElement(about, f"{{{VR}}}SignatureIdentifier", id=_numbered("seal", number))
    _text(identifier, "HashOnly", "false")
    _text(identifier, "DocHashOnly", "false")
    _times(about, report, seal)
    _reference(ET.SubElement(about, f"{{{VR}}}SignersDocument"), "SignersDocumentRepresentation", "file")
    if seal is not None:
        signer = ET.SubElement(about, f"{{{VR}}}SignerInformation")
        _reference(signer, "SignerCertificate", _numbered("certificate", number))
        _text(signer, "Signer", seal.signer)
        process = ET.SubElement(about, f"{{{VR}}}SignatureValidationProcess")
        _text(process, "SignatureValidationProcessID", f"urn:etsi:019102:validationprocess:{_PROCESS[seal.level]}")
    single = len(report.signatures) < 2
    indication = report.indication if single or seal is None else seal.indication
    _status(about, indication, report.sub_indication if single or seal is None else seal.sub_indication)
    _own(ET.SubElement(about, f"{{{VR}}}OtherInformation"), report)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _times(parent: ET.Element, report: VerificationReport, seal: SignatureReport | None) -> None:
    at = report.at or datetime.now(UTC)
    info = ET.SubElement(parent, f"{{{VR}}}ValidationTimeInfo")
    _text(info, "ValidationTime", _time(at))
    best = ET.SubElement(info, f"{{{VR}}}BestSignatureTime")
    proven = seal.time if seal is not None else None
    _text(best, "POETime", _time(proven or at))
    _text(best, "TypeOfProof", f"urn:etsi:019102:poetype:{'validation' if proven is None else 'provided'}")


def _status(parent: ET.Element, indication: str, sub_indication: str | None) -> None:
    status = ET.SubElement(parent, f"{{{VR}}}SignatureValidationStatus")
    _text(status, "MainIndication", f"urn:etsi:019102:mainindication:{_MAIN.get(indication, 'total-failed')}")
    sub = sub_indication or ("FORMAT_FAILURE" if indication == "NO-SIGNATURE" else None)
    if sub is not None:
        _text(status, "SubIndication", f"urn:etsi:019102:subindication:{sub}")


def _own(parent: ET.Element, report: VerificationReport) -> None:
    found = ET.SubElement(parent, f"{{{OWN}}}LicenceVerification")
    standing = report.standing
    values = {
        "Accepted": "true" if report.ok else "false",
        "Indication": report.indication,
        "Integrity": report.integrity,
        "NotJudged": report.reason or "",
        "ClaimsToBeOurs": "true" if report.claimed else "",
        "Issued": report.issued,
        "CheckedWith": report.checked_with,
        "LicenceNumber": report.number or "",
        "LicenceStatus": report.status,
        "Since": _time(standing.since) if standing.since else "",
        "Reason": standing.reason,
        "LegalBasis": standing.basis,
        "Level": report.signatures[0].level if report.signatures else "",
        "NationalAlgorithm": "SM2" if report.is_national() else "",
        "RecognisedBy": report.recognised_by(),
        "Headline": headline(report),
    }
    for name, value in values.items():
        if value:
            ET.SubElement(found, f"{{{OWN}}}{name}").text = _clean(value)
    for reason in report.reasons:
        ET.SubElement(found, f"{{{OWN}}}Remark").text = _clean(reason)


def _object(parent: ET.Element, name: str, kind: str, sha256: str) -> None:
    item = ET.SubElement(parent, f"{{{VR}}}ValidationObject", id=name)
    _text(item, "ObjectType", f"urn:etsi:019102:validationObject:{kind}")
    digest = ET.SubElement(ET.SubElement(item, f"{{{VR}}}ValidationObjectRepresentation"), f"{{{VR}}}DigestAlgAndValue")
    ET.SubElement(digest, f"{{{DS}}}DigestMethod", Algorithm=_SHA256)
    ET.SubElement(digest, f"{{{DS}}}DigestValue").text = base64.b64encode(bytes.fromhex(sha256)).decode()


def _reference(parent: ET.Element, name: str, target: str) -> None:
    ET.SubElement(parent, f"{{{VR}}}{name}", VOReference=target)


def _text(parent: ET.Element, name: str, value: str) -> None:
    ET.SubElement(parent, f"{{{VR}}}{name}").text = _clean(value)


def _clean(value: str) -> str:
    """Leave out what XML 1.0 cannot hold; names in a stranger's certificate may hold anything."""
    return "".join(char for char in value if char in "\t\n\r" or (char >= " " and not "\ud800" <= char <= "\udfff"))


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
