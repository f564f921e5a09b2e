"""The schema of ETSI TS 119 102-2 reports, as EU DSS carries it; ``scripts/validators`` fetches it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from lxml import etree

from tests.servers.processes import TOOLS, absent

_REPORT = "TS119102-2-v141.xsd"
_PARTS = {
    _REPORT: "specs-validation-report",
    "XAdES01903v132-202407.xsd": "specs-xades",
    "ts_119612v020101_xsd.xsd": "specs-trusted-list",
    "xmldsig-core-schema.xsd": "specs-xmldsig",
    "xml.xsd": "specs-xmldsig",
}
"""The schema and those it imports, and the archive of each."""
_OF = {
    "http://uri.etsi.org/01903/v1.3.2#": "XAdES01903v132-202407.xsd",
    "http://uri.etsi.org/02231/v2#": "ts_119612v020101_xsd.xsd",
    "http://www.w3.org/2000/09/xmldsig#": "xmldsig-core-schema.xsd",
    "http://www.w3.org/XML/1998/namespace": "xml.xsd",
}
"""Name space → schema."""


def report_faults(xml: bytes) -> list[str]:
    """What the schema of TS 119 102-2 V1.4.1 says against a report; empty when it is valid."""
    schema = _schema()
    schema.validate(etree.fromstring(xml))
    return [f"{item.line}: {item.message}" for item in schema.error_log]


@cache
def known_urns() -> frozenset[str]:
    """The identifiers of TS 119 102-2 that EU DSS knows, read from its programs."""
    found: set[str] = set()
    for archive in ("dss-enumerations", "specs-validation-report"):
        with ZipFile(_archive(archive)) as jar:
            programs = b"".join(jar.read(name) for name in jar.namelist() if name.endswith(".class"))
        found |= {item.decode("ascii") for item in re.findall(rb"urn:etsi:019102:\w+:[\w-]+", programs)}
    return frozenset(found)


@cache
def _schema() -> etree.XMLSchema:
    """The schema with its imports, which name addresses, turned to files beside it: no network."""
    parser = etree.XMLParser(no_network=True, load_dtd=False)
    with TemporaryDirectory() as name:
        for part, archive in _PARTS.items():
            Path(name, part).write_text(_local(_read(archive, part)), encoding="utf-8")
        return etree.XMLSchema(etree.parse(str(Path(name, _REPORT)), parser))


def _read(archive: str, name: str) -> str:
    with ZipFile(_archive(archive)) as jar:
        return jar.read(f"xsd/{name}").decode("utf-8")


def _archive(name: str) -> Path:
    found = sorted((TOOLS / "validators" / "dss").glob(f"{name}*.jar"))
    if not found:
        absent("the schema of validation reports", "scripts/validators")
    return found[0]


def _local(text: str) -> str:
    text = re.sub(r"<!DOCTYPE.*?\]>", "", text, flags=re.DOTALL)
    imported = r'(<xsd?:import|<import)\s+namespace="([^"]*)"\s+schemaLocation="[^"]*"'
    return re.sub(imported, lambda hit: f'{hit[1]} namespace="{hit[2]}" schemaLocation="{_OF[hit[2]]}"', text)
